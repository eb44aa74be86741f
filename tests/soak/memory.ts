/**
 * How much memory a process has, all the time.
 *
 * @module
 */
import { sleep, systemClock } from "../../src/core/clock.ts";

/** A watch over a process. */
export interface MemoryWatch {
  /** Resident memory at each second so far, in MiB. */
  readonly mebibytes: readonly number[];
  stop(): Promise<void>;
}

/** Watches a process until it is told to stop, or the process is gone. Linux only: it reads `/proc`. */
export function watchMemory(pid: number): MemoryWatch {
  const mebibytes: number[] = [];
  const stopping = new AbortController();
  const running = (async () => {
    while (!stopping.signal.aborted) {
      const status = await Deno.readTextFile(`/proc/${pid}/status`).catch(() => "");
      const kibibytes = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0);
      if (kibibytes > 0) mebibytes.push(kibibytes / 1024);
      await sleep(systemClock, 1_000, stopping.signal);
    }
  })();
  return {
    mebibytes,
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

/** Medians of the first, second and last third. */
export function thirdsOf(values: readonly number[]): readonly number[] {
  const third = Math.floor(values.length / 3);
  return [0, 1, 2].map((i) => {
    const part = values.slice(i * third, (i + 1) * third).toSorted((a, b) => a - b);
    return Math.round(part[Math.floor(part.length / 2)] ?? NaN);
  });
}
