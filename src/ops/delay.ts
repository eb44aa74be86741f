/**
 * The stream's delay over the last ten seconds: from the arrival of a reading to its verdict. A histogram with buckets that grow by a
 * tenth, in one slice a second, so that recording costs two array writes and memory is fixed.
 *
 * @module
 */
import type { Clock } from "../core/clock.ts";
import type { Reading } from "../core/reading.ts";
import type { DelayStatus } from "../core/status.ts";

/** Records delays and tells their quantiles. */
export interface DelayWindow {
  /** Records the delays of readings that have their verdict now. */
  record(readings: readonly Pick<Reading, "arrivedMs">[]): void;
  /** Quantiles over the window; each is the upper edge of its bucket, so at most 10 % too high and never too low. */
  status(): DelayStatus;
}

const slices = 10;
const sliceMs = 1000;
/** 0.1 ms to 1.1^170 * 0.1 ms, which is about 18 minutes. */
const buckets = 170;
const firstEdgeMs = 0.1;
const growth = Math.log(1.1);

/** Makes an empty {@linkcode DelayWindow}. */
export function createDelayWindow(clock: Clock): DelayWindow {
  const counts = new Uint32Array(slices * buckets);
  const maxima = new Float64Array(slices);
  let current = Math.floor(clock.nowMs() / sliceMs);

  function turn(): void {
    const now = Math.floor(clock.nowMs() / sliceMs);
    for (let i = Math.max(current + 1, now - slices + 1); i <= now; i++) {
      const slice = i % slices;
      counts.fill(0, slice * buckets, (slice + 1) * buckets);
      maxima[slice] = 0;
    }
    current = Math.max(current, now);
  }

  function put(delayMs: number, count: number): void {
    const bucket = delayMs <= firstEdgeMs
      ? 0
      : Math.min(buckets - 1, Math.ceil(Math.log(delayMs / firstEdgeMs) / growth));
    const slice = current % slices;
    counts[slice * buckets + bucket] = (counts[slice * buckets + bucket] ?? 0) + count;
    maxima[slice] = Math.max(maxima[slice] ?? 0, delayMs);
  }

  return {
    record(readings) {
      turn();
      const nowMs = clock.nowMs();
      let alikeFrom = 0;
      for (const [i, { arrivedMs }] of readings.entries()) {
        // What came in together arrives together, mostly.
        if (readings[i + 1]?.arrivedMs === arrivedMs) continue;
        put(nowMs - arrivedMs, i + 1 - alikeFrom);
        alikeFrom = i + 1;
      }
    },
    status() {
      turn();
      const sums = new Float64Array(buckets);
      counts.forEach((count, i) => (sums[i % buckets] = (sums[i % buckets] ?? 0) + count));
      const count = sums.reduce((a, b) => a + b, 0);
      const maxMs = Math.max(...maxima);
      const quantile = (share: number) => {
        let seen = 0;
        for (let i = 0; i < buckets; i++) {
          seen += sums[i] ?? 0;
          if (seen >= share * count && seen > 0) return Math.min(maxMs, firstEdgeMs * 1.1 ** i);
        }
        return 0;
      };
      return { count, p50Ms: quantile(0.5), p99Ms: quantile(0.99), maxMs };
    },
  };
}
