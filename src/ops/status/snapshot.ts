/**
 * The status as it leaves the process, and the last minutes as points of a curve: looked at once a second, whether or not anybody watches,
 * so that who opens the page sees what was.
 *
 * @module
 */
import type { AppStatus } from "../../core/status.ts";
import type { LettersView } from "./letters.ts";

/** `/status.json`. Fields are added; what a field means changes only with the version. */
export interface Snapshot extends AppStatus {
  readonly version: 1;
  /** Version of the program. */
  readonly program: string;
  /** Wall-clock ms. */
  readonly atMs: number;
  readonly rates: Rates;
  readonly deadLetters: LettersView;
}

/** Readings a second, as means over two seconds. */
export interface Rates {
  readonly real_time: number;
  readonly batch: number;
  /** Of both, that found their home. */
  readonly delivered: number;
}

/** A second: up (ms), streams/s, files/s, p50 and p99 of the stream's delay in ms (null: nothing was measured). */
export type Point = readonly [
  upMs: number,
  streams: number,
  files: number,
  p50Ms: number | null,
  p99Ms: number | null,
];

/** Looks, remembers. */
export interface History {
  /** Takes the status of this second. */
  add(status: AppStatus): void;
  rates(): Rates;
  /** The newest last. */
  points(): readonly Point[];
}

/** Five minutes. */
const pointsMax = 300;
/** Long enough to be steady, short enough to follow. */
const rateMs = 2000;
/** Two seconds of looks, one more for lateness, and the first of them. */
const looksMax = 4;

/** Makes an empty {@linkcode History}. */
export function createHistory(): History {
  const points: Point[] = [];
  const looks: AppStatus[] = [];
  let rates: Rates = { real_time: 0, batch: 0, delivered: 0 };

  return {
    add(status) {
      looks.push(status);
      if (looks.length > looksMax) looks.shift();
      rates = ratesOf(looks, status);
      const { count, p50Ms, p99Ms } = status.streamDelay;
      const delays = count === 0 ? [null, null] as const : [round(p50Ms), round(p99Ms)] as const;
      points.push([Math.round(status.upMs), round(rates.real_time), round(rates.batch), ...delays]);
      if (points.length > pointsMax) points.shift();
    },
    rates: () => rates,
    points: () => points,
  };
}

function ratesOf(looks: readonly AppStatus[], now: AppStatus): Rates {
  // A timer may be a little early or late: half a second of slack still is the same look.
  const before = looks.findLast(({ upMs }) => upMs <= now.upMs - rateMs + 500) ?? looks[0] ?? now;
  const seconds = (now.upMs - before.upMs) / 1000;
  const rate = (count: (status: AppStatus) => number) =>
    seconds <= 0 ? 0 : Math.max(0, (count(now) - count(before)) / seconds);
  return {
    real_time: rate(({ sums }) => sums.real_time.read),
    batch: rate(({ sums }) => sums.batch.read),
    delivered: rate(({ sums }) => sums.real_time.delivered + sums.batch.delivered),
  };
}

/** A tenth is finer than anybody sees. */
function round(value: number): number {
  return Math.round(value * 10) / 10;
}
