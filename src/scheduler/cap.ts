/**
 * The cap of files, as this side and as the other side see it. By when rows leave it is a plain rate. But what left evenly arrives at once
 * after the sink stood still; by the receiver's clock that is a burst beyond the cap. So what arrives is measured by the cap, too: while
 * it is more than a depth ahead nothing leaves, and what the sink got at once is taken off what the cap gives next.
 *
 * Where ways to the sink always differ (a radio link, a busy machine), that would cost rate for good. So only in the second after a
 * standstill all counts; at other times files are held back for a small part of the time, and what is beyond that is forgiven.
 *
 * @module
 */
import { createRate, type Rate, type RateLimits } from "./rate.ts";

/** A rate that also takes account of what arrives. */
export interface Cap extends Rate {
  /** Books rows that have arrived, whatever their verdict. */
  arrived(rows: number, nowUs: number): void;
}

const secondUs = 1_000_000;
/** Nothing arrived for so long, or for the time of so many rows: the sink stood still. Shorter gaps are the ways of radio links. */
const standstillUsMin = 500_000;
const standstillRows = 10;
/** So long after a standstill all counts. */
const strictUs = secondUs;
/** Files are held back for this long at most: more is in flight only where the cap was lowered by far. */
const heldUsMax = secondUs;
/** At other times: so much of each second, saved up to so much. Any ten seconds lose 0.4 % by it at most. */
const patienceUsPerSecond = 2_000;
const patienceUsMax = 20_000;

/** Makes a {@linkcode Cap} with nothing to spend; see {@linkcode createRate}. */
export function createCap(initial: RateLimits, nowUs: number): Cap {
  const leaving = createRate(initial, nowUs);
  // At rest: what arrived before is not known, and nothing that leaves now has arrived.
  const arriving = createRate(initial, nowUs - Math.ceil(initial.depth * secondUs / initial.perSecond));
  let lastArrivedUs = nowUs;
  let strictUntilUs = nowUs;
  let patienceUs = patienceUsMax;

  /** Nothing leaves until what arrived is within the depth. */
  function holdBack(rows: number, nowUs: number): void {
    const heldUs = Math.max(0, arriving.readyAtUs(0) - nowUs);
    const rowsMax = arriving.room(nowUs) +
      Math.floor(Math.max(0, heldUsMax - heldUs) * arriving.limits.perSecond / secondUs);
    arriving.charge(Math.min(rows, rowsMax), nowUs);
    leaving.hold(arriving.readyAtUs(0), nowUs);
  }

  /** What is beyond the depth is forgotten, and made up for as far as patience goes. */
  function bear(rows: number, nowUs: number): void {
    const { perSecond } = arriving.limits;
    const within = Math.min(rows, arriving.room(nowUs));
    arriving.charge(within, nowUs);
    const madeUpFor = Math.min(rows - within, Math.floor(patienceUs * perSecond / secondUs));
    leaving.charge(madeUpFor, nowUs);
    patienceUs -= madeUpFor * secondUs / perSecond;
  }

  return {
    ...leaving,
    get limits() {
      return leaving.limits;
    },
    arrived(rows, nowUs) {
      const gapUs = nowUs - lastArrivedUs;
      lastArrivedUs = nowUs;
      const stillUs = Math.max(standstillUsMin, standstillRows * secondUs / arriving.limits.perSecond);
      if (gapUs >= stillUs) strictUntilUs = nowUs + strictUs;
      patienceUs = Math.min(patienceUsMax, patienceUs + gapUs * patienceUsPerSecond / secondUs);
      if (nowUs < strictUntilUs) holdBack(rows, nowUs);
      else bear(rows, nowUs);
    },
    change(limits, nowUs) {
      leaving.change(limits, nowUs);
      arriving.change(limits, nowUs);
    },
  };
}
