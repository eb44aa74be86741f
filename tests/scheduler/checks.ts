/**
 * The promises of the scheduler as checks of a {@linkcode Run}: each gives null, or a sentence on what was broken. Windows are all
 * windows: those that begin and end at any two things that happened.
 *
 * @module
 */
import { batchRowsMax, type Entry, type Run } from "./plan.ts";

export type Check = (run: Run) => string | null;
type Sent = Extract<Entry, { kind: "sent" }>;

/** Doubles of the test's own sums; far below the row that a violation is. */
const epsilon = 1e-6;

/** Rows in every window <= the largest depth in force in it + what the cap gave in it. */
export function capHolds({ trace, options }: Run): string | null {
  if (options.capRows === null) return null;
  let given = 0;
  let rate = 0;
  let depth = 0;
  let atMs = 0;
  let sum = 0;
  const points: { readonly before: number; readonly depth: number }[] = [];
  for (const entry of trace) {
    given += (entry.atMs - atMs) * rate / 1000;
    atMs = entry.atMs;
    if (entry.kind === "cap") {
      rate = entry.options.capRows ?? 0;
      depth = entry.options.burstRows;
      points.push({ before: sum - given, depth });
    }
    if (entry.kind !== "sent" || entry.lane !== "files") continue;
    points.push({ before: sum - given, depth });
    sum += entry.rows;
    let deepest = depth;
    for (let i = points.length - 1; i >= 0; i--) {
      const from = points[i];
      if (from === undefined) break;
      deepest = Math.max(deepest, from.depth);
      const over = sum - given - from.before;
      if (over > deepest + epsilon) {
        return `${over} rows above the cap in a window that ends at ${atMs} ms, depth ${deepest}`;
      }
    }
  }
  return null;
}

/** The same for each folder's own cap and, in every window between two restarts, for the cap in bytes, which its last row may pass. */
export function ownCapsHold({ trace, plan }: Run): string | null {
  const files = sentOn(trace, "files");
  const restarts = trace.flatMap((entry, i) => entry.kind === "restart" ? [i] : []);
  const perSecond = plan.input.capBytes;
  if (perSecond !== null && perSecond !== undefined) {
    const depth = Math.min(Math.max(1, Math.floor(perSecond / 100)), 65_536) + Math.ceil(perSecond / 100);
    const rowBytesMax = Math.max(...plan.folders.map((folder) => folder.bytes));
    const lives = [0, ...restarts].map((from, i) => sentOn(trace.slice(from, restarts[i]), "files"));
    const over = Math.max(...lives.map((life) => mostAbove(life, perSecond, (sent) => sent.bytes)));
    if (over > depth + rowBytesMax - 1 + epsilon) return `${over} bytes above the cap in bytes, depth ${depth}`;
  }
  for (const [i, { capRows }] of plan.folders.entries()) {
    if (capRows === null) continue;
    const depth = Math.max(1, Math.floor(capRows / 100)) + Math.ceil(capRows / 100);
    const over = mostAbove(files.filter((sent) => sent.flow === `folder-${i}`), capRows, (sent) => sent.rows);
    if (over > depth + epsilon) return `folder-${i}: ${over} rows above its own cap, depth ${depth}`;
  }
  return null;
}

/**
 * In the second after a standstill of the sink, in every window: rows that arrive <= B + what the cap gives + what was in flight after
 * the last of them left.
 */
export function arrivalsHold({ trace, options }: Run): string | null {
  const { capRows, burstRows } = options;
  if (capRows === null) return null;
  const stillMs = Math.max(500, 10_000 / capRows);
  let arrivedMs = 0;
  let resumedMs = -Infinity;
  let sum = 0;
  let lowest = 0;
  let inFlight = 0;
  let onItsWay = 0;
  for (const entry of trace) {
    if (entry.kind === "sent" && entry.lane === "files") {
      inFlight += entry.rows;
      onItsWay = inFlight;
    }
    if (entry.kind !== "arrived") continue;
    inFlight -= entry.rows;
    if (entry.atMs - arrivedMs >= stillMs) {
      resumedMs = entry.atMs;
      lowest = Infinity;
    }
    arrivedMs = entry.atMs;
    if (entry.atMs >= resumedMs + 1000) continue;
    const given = entry.atMs * capRows / 1000;
    lowest = Math.min(lowest, sum - given);
    sum += entry.rows;
    const over = sum - given - lowest;
    if (over > burstRows + onItsWay + epsilon) {
      return `${over} rows above the cap arrived in a window that ends at ${entry.atMs} ms, depth ${burstRows}, ${onItsWay} in flight`;
    }
  }
  return null;
}

/** Files with rows all the time and ways that differ: rows in every window >= C * (its length - 20 ms - 0.2 % of it) - B. */
export function patienceEnds({ trace, options, plan }: Run): string | null {
  const capRows = options.capRows ?? 0;
  const short = mostBelow(sentOn(trace, "files"), capRows, plan.runMs);
  const allowed = options.burstRows + capRows * (20 + plan.runMs / 500) / 1000;
  return short <= allowed + epsilon ? null : `${short} rows below the cap in a window, allowed ${allowed}`;
}

/**
 * Files with rows all the time and a sink that is able: rows in every window >= C * its length - B; and what patience costs, where ways
 * to the sink differ.
 */
export function noRateIsLost(run: Run): string | null {
  const { trace, options, plan } = run;
  if (plan.jitterMs > 1 || plan.settledAtOnceEvery > 0) return patienceEnds(run);
  const short = mostBelow(sentOn(trace, "files"), options.capRows ?? 0, plan.runMs);
  return short <= options.burstRows + epsilon
    ? null
    : `${short} rows below the cap in a window, depth ${options.burstRows}`;
}

/** The same for a folder that its own cap alone holds back. */
export function ownRateIsReached({ trace, plan }: Run): string | null {
  const capRows = plan.folders[0]?.capRows ?? 0;
  const depth = Math.max(1, Math.floor(capRows / 100)) + Math.ceil(capRows / 100);
  const short = mostBelow(sentOn(trace, "files"), capRows, plan.runMs);
  return short <= depth + epsilon ? null : `${short} rows below the folder's own cap in a window, depth ${depth}`;
}

/** Two that both have work and no cap of their own: what they got, by weight, differs by at most a quantum of each. */
export function sharesAreFair({ trace, options, plan }: Run): string | null {
  const files = plan.folders.flatMap((folder, i) =>
    folder.capRows === null ? [[`folder-${i}`, folder.weight] as const] : []
  );
  const streams = plan.streams.map((stream, i) => [`stream-${i}`, stream.weight] as const);
  return unfairPair(trace, files, options.quantumRows) ?? unfairPair(trace, streams, options.streamQuantumRows);
}

/** While a reading of a stream waits: rows of files in every window <= Bm + m * its length. */
export function filesYield({ trace, options }: Run): string | null {
  let waiting: Sent[] = [];
  for (const sent of [...sentOn(trace, "files"), null]) {
    if (sent !== null && sent.streamWaited) {
      waiting.push(sent);
      continue;
    }
    const over = mostAbove(waiting, options.floorRows, (one) => one.rows);
    if (over > options.floorBurstRows + epsilon) {
      return `${over} rows above the floor while a stream waited, depth ${options.floorBurstRows}`;
    }
    waiting = [];
  }
  return null;
}

/** Linger + everything in flight through the sink + round trip + lateness, in s: the longest way of a credit. */
function roundTripS({ plan, options }: Run): number {
  const { sink } = plan;
  return (sink.lingerMs + sink.roundTripMs + options.latenessMs) / 1000 + options.inFlightRows / sink.rowsPerSecond;
}

/** Files with rows all the time: rows in every window >= m * (its length - R - q/C) - q, whatever the streams do. */
export function floorHolds(run: Run): string | null {
  const { trace, options, plan } = run;
  const { floorRows: m, quantumRows: q, capRows } = options;
  const short = mostBelow(sentOn(trace, "files"), m, plan.runMs);
  const allowed = m * (roundTripS(run) + (capRows === null ? 0 : q / capRows)) + q;
  return short <= allowed + epsilon ? null : `${short} rows below the floor in a window, allowed ${allowed}`;
}

/** A folder with a row ready waits at most q * (W/w + folders)/m + R + q/C. */
export function nobodyStarves(run: Run): string | null {
  const { trace, options, plan } = run;
  const { floorRows: m, quantumRows: q, capRows } = options;
  let weights = 0;
  for (const folder of plan.folders) weights += folder.weight;
  for (const [i, folder] of plan.folders.entries()) {
    const boundS = q * (weights / folder.weight + plan.folders.length) / m + roundTripS(run) +
      q / (capRows ?? Infinity);
    let since: number | null = null;
    for (const entry of trace) {
      if (!("flow" in entry) || entry.flow !== `folder-${i}`) continue;
      if (since !== null && entry.atMs - since > boundS * 1000) {
        return `folder-${i} waited ${entry.atMs - since} ms of ${boundS} s`;
      }
      since = entry.kind === "sent" && entry.left === 0 ? null : entry.atMs;
    }
    if (since !== null && plan.runMs - since > boundS * 1000) return `folder-${i} waited from ${since} ms to the end`;
  }
  return null;
}

/**
 * One subscription, arrivals <= sigma + rho * t, a sink of mu: no reading waits longer than (sigma + Bm + Kr + mu L)/(mu - m); of
 * several, (sigma + Bm + Kr + mu L)/(mu - m - rho).
 */
export function streamsAreQuick({ trace, options, plan }: Run): string | null {
  const { sink, streams } = plan;
  const mu = sink.rowsPerSecond;
  let sigma = 0;
  let rho = 0;
  for (const stream of streams) {
    sigma += stream.rows;
    rho += stream.rows * 1000 / stream.everyMs;
  }
  const wayS = (sink.lingerMs + sink.roundTripMs + options.latenessMs) / 1000 + batchRowsMax / mu;
  const boundMs = 1000 * (sigma + options.floorBurstRows + options.reservedRows + mu * wayS) /
    (mu - options.floorRows - (streams.length > 1 ? rho : 0));
  let longestMs = 0;
  for (const sent of sentOn(trace, "stream")) longestMs = Math.max(longestMs, sent.longestDelayMs);
  return longestMs <= boundMs ? null : `A reading waited ${longestMs} ms of ${boundMs}`;
}

const faultless = (about: Run["faults"][number]["about"]): Check => ({ faults }) =>
  faults.find((fault) => fault.about === about)?.text ?? null;

/** Never asleep with a free credit and something eligible. */
export const neverIdle = faultless("sleep");
/** In flight + free = K on every path, within all limits, and K at rest. */
export const creditsAddUp = faultless("credits");
/** Items of a flow, and readings of a topic also through the spool, leave in order. */
export const orderIsKept = faultless("order");

function sentOn(trace: readonly Entry[], lane: Sent["lane"]): Sent[] {
  return trace.filter((entry): entry is Sent => entry.kind === "sent" && entry.lane === lane);
}

/** The most by which any window has more than the rate gives. */
function mostAbove(sent: readonly Sent[], perSecond: number, amount: (sent: Sent) => number): number {
  let sum = 0;
  let lowest = Infinity;
  let most = 0;
  for (const one of sent) {
    const given = one.atMs * perSecond / 1000;
    lowest = Math.min(lowest, sum - given);
    sum += amount(one);
    most = Math.max(most, sum - given - lowest);
  }
  return most;
}

/** The most by which any window, from 0 to the end of the run, has less than the rate gives; what left at its edges is not in it. */
function mostBelow(sent: readonly Sent[], perSecond: number, endMs: number): number {
  let sum = 0;
  let highest = 0;
  let most = 0;
  for (const one of [...sent, { atMs: endMs, rows: 0 }]) {
    const given = one.atMs * perSecond / 1000;
    most = Math.max(most, highest - (sum - given));
    sum += one.rows;
    highest = Math.max(highest, sum - given);
  }
  return most;
}

function unfairPair(
  trace: readonly Entry[],
  members: readonly (readonly [string, number])[],
  quantum: number,
): string | null {
  for (const [i, [a, weightA]] of members.entries()) {
    for (const [b, weightB] of members.slice(i + 1)) {
      const bound = quantum / weightA + quantum / weightB;
      const spread = widestSpread(trace, a, weightA, b, weightB);
      if (spread > bound + epsilon) return `${a} and ${b} differ by ${spread} in a window, allowed ${bound}`;
    }
  }
  return null;
}

/** The widest |n_a/w_a - n_b/w_b| in any window in which both had work. */
function widestSpread(trace: readonly Entry[], a: string, weightA: number, b: string, weightB: number): number {
  let difference = 0;
  let least = 0;
  let most = 0;
  let widest = 0;
  const busy = new Set<string>();
  for (const entry of trace) {
    if (entry.kind === "restart") busy.clear();
    if (entry.kind !== "sent" && entry.kind !== "busy") continue;
    if (entry.flow !== a && entry.flow !== b) continue;
    if (entry.kind === "busy") {
      busy.add(entry.flow);
      difference = least = most = 0;
      continue;
    }
    difference += entry.flow === a ? entry.rows / weightA : -entry.rows / weightB;
    if (busy.size === 2) {
      least = Math.min(least, difference);
      most = Math.max(most, difference);
      widest = Math.max(widest, most - least);
    }
    if (entry.left === 0) busy.delete(entry.flow);
  }
  return widest;
}
