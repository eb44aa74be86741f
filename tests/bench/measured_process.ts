/**
 * A child process with what it cost: CPU time and peak memory out of /proc (Linux only).
 *
 * @module
 */

/** What a process cost. */
export interface Cost {
  readonly wallMs: number;
  /** User and system time of all its threads, to the 20 ms of the last sample. */
  readonly cpuMs: number;
  readonly peakRssBytes: number;
  readonly code: number;
  readonly stderr: string;
}

/** A child that is being measured. */
export interface MeasuredProcess {
  readonly pid: number;
  /** CPU time used so far, in ms. */
  cpuMs(): number;
  stderr(): string;
  /** Nothing happens when it has ended. */
  signal(signal: Deno.Signal): void;
  /** Resolves when it has ended. */
  readonly ended: Promise<Cost>;
}

const sampleMs = 20;
/** Clock ticks a second: 100 on every Linux of today (`getconf CLK_TCK`). */
const ticksPerSecond = 100;

/** Starts a program and samples it until it ends. Its stdout is thrown away; `stdin` is a file that it reads, if any. */
export function startMeasured(
  command: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): MeasuredProcess {
  const startedMs = performance.now();
  const child = new Deno.Command(command, {
    args: [...args],
    env: environment,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let cpuMs = 0;
  let peakRssBytes = 0;
  let stderr = "";
  let over = false;

  function sample(): void {
    try {
      cpuMs = cpuOf(child.pid) ?? cpuMs;
      peakRssBytes = Math.max(peakRssBytes, peakOf(child.pid));
    } catch (error) {
      // It has ended between two samples: the last one stands.
      if (!(error instanceof Deno.errors.NotFound) && !isGone(error)) throw error;
    }
  }

  const timer = setInterval(sample, sampleMs);
  const ended = (async () => {
    const reading = (async () => {
      const decoder = new TextDecoder();
      for await (const chunk of child.stderr) stderr += decoder.decode(chunk, { stream: true });
    })();
    const { code } = await child.status;
    over = true;
    clearInterval(timer);
    const wallMs = performance.now() - startedMs;
    await reading;
    return { wallMs, cpuMs, peakRssBytes, code, stderr };
  })();

  return {
    pid: child.pid,
    cpuMs() {
      sample();
      return cpuMs;
    },
    stderr: () => stderr,
    signal(name) {
      if (!over) child.kill(name);
    },
    ended,
  };
}

function isGone(error: unknown): boolean {
  return error instanceof Error && /ESRCH|No such process/.test(error.message);
}

/** Fields 14 and 15 of /proc/PID/stat (proc(5)); null for a zombie, which shows zeros. */
function cpuOf(pid: number): number | null {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (fields[0] === "Z") return null;
  return (Number(fields[11]) + Number(fields[12])) * 1000 / ticksPerSecond;
}

function peakOf(pid: number): number {
  const match = /VmHWM:\s+(\d+) kB/.exec(Deno.readTextFileSync(`/proc/${pid}/status`));
  return Number(match?.[1] ?? 0) * 1024;
}
