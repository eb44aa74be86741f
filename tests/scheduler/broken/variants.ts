/**
 * Schedulers with one defect each: the sources with a line put wrong, always those of today. Each says which promise must catch it.
 *
 * @module
 */
import { type Route, routeRight } from "../plan.ts";
import type { promises } from "../promises.ts";

export interface Variant {
  readonly name: string;
  /** The promise that it breaks. */
  readonly caughtBy: keyof typeof promises;
  readonly edits: readonly Edit[];
  /** How the world around it routes readings to the spool. */
  readonly route: Route;
}

export interface Edit {
  /** File in src/scheduler/. */
  readonly file: string;
  /** Text that stands in it exactly once, and what takes its place. */
  readonly from: string;
  readonly to: string;
}

export const variants: readonly Variant[] = [
  broken("twice the burst passes at once", "cap", {
    file: "rate.ts",
    from: "return debt + rows * millionths <= debtMax();",
    to: "return debt + rows * millionths <= 2 * debtMax();",
  }),
  broken("an idle folder saves up credit", "fairness", {
    file: "fair_queue.ts",
    from: "tag.start = Math.max(virtualTime, tag.start);",
    to: "",
  }),
  broken("flows are served in a fixed order", "fairness", {
    file: "fair_queue.ts",
    from: "return a.start < b.start || (a.start === b.start && a.place < b.place);",
    to: "return a.place < b.place;",
  }),
  broken("who was served keeps its place in the heap", "fairness", {
    file: "fair_queue.ts",
    from: "busyTags.firstChanged();",
    to: "",
  }),
  broken("each subscription may fill a turn of its own in one dispatch", "credits", {
    file: "turn.ts",
    from: "takeRun(flow, room.rows - turn.length, room.bytes - turnBytes)",
    to: "takeRun(flow, room.rows, room.bytes - turnBytes)",
  }),
  broken("a turn of streams looks at rows alone", "credits", {
    file: "turn.ts",
    from: "while (turn.length < room.rows && turnBytes < room.bytes) {",
    to: "while (turn.length < room.rows) {",
  }),
  broken("there is no floor", "floor", {
    file: "fair_share.ts",
    from: "floor?.conforms(fileRows, nowUs)",
    to: "false",
  }),
  broken("there is no floor (as a folder sees it)", "starvation", {
    file: "fair_share.ts",
    from: "floor?.conforms(fileRows, nowUs)",
    to: "false",
  }),
  broken("files go first", "yield", {
    file: "fair_share.ts",
    from: "if (nextSubscription() !== null) return",
    to:
      "if (folder !== null && fileOk) return sendFiles(folder, fileRows) > 0; if (nextSubscription() !== null) return",
  }),
  broken("files go first (as a stream sees it)", "delay", {
    file: "fair_share.ts",
    from: "if (nextSubscription() !== null) return",
    to:
      "if (folder !== null && fileOk) return sendFiles(folder, fileRows) > 0; if (nextSubscription() !== null) return",
  }),
  broken("a credit given back from inside dispatch is lost", "credits", {
    file: "fair_share.ts",
    from: "credits.giveBack(lane, rows, bytes);",
    to: "if (!running) credits.giveBack(lane, rows, bytes);",
  }),
  broken("a whole quantum or nothing", "neverIdle", {
    file: "fair_share.ts",
    from: "const fileOk = fileRows > 0 &&",
    to: "const fileOk = fileRows === inForce.quantumRows &&",
  }),
  broken("a change of the cap keeps the debt as a time", "cap", {
    file: "rate.ts",
    from: "limits = checked(changed);",
    to: "debt = debt * changed.perSecond / limits.perSecond; limits = checked(changed);",
  }),
  broken("the bucket is full after a restart", "cap", {
    file: "rate.ts",
    from: "let debt = limits.depth * millionths;",
    to: "let debt = 0;",
  }),
  broken("a folder held by its own cap blocks the others", "rate", {
    file: "fair_share.ts",
    from: "hasItems(folder.flow) && (folder.cap.rate?.conforms(turnRows(folder), nowUs) ?? true);",
    to: "hasItems(folder.flow);",
  }, {
    file: "fair_share.ts",
    from: "const fileOk = fileRows > 0 &&",
    to: "const fileOk = fileRows > 0 && (folder.cap.rate?.conforms(fileRows, nowUs) ?? true) &&",
  }),
  broken("no timer is set for the cap", "rate", {
    file: "fair_share.ts",
    from: "if (dueUs === Infinity) return;",
    to: "return;",
  }),
  broken("no timer is set for a folder's own cap", "ownRate", {
    file: "fair_share.ts",
    from: "dueUs = Math.min(dueUs, folder.cap.rate?.readyAtUs(turnRows(folder)) ?? Infinity);",
    to: "",
  }),
  { ...broken("new readings of a topic overtake those in the spool", "order"), route: routeByRoomAlone },
  broken("who has got work is not asked for it", "neverIdle", {
    file: "fair_share.ts",
    from: "arrived = true;\n      run();",
    to: "run();",
  }),
  broken("the spool goes before live readings", "order", {
    file: "fair_share.ts",
    from: "if (nextSubscription() !== null) return",
    to: 'if (nextInSpool() !== null) return sendStreams("spool", nextInSpool, () => {}); ' +
      "if (nextSubscription() !== null) return",
  }),
  broken("the promised share is not charged to the floor", "yield", {
    file: "fair_share.ts",
    from: "floor.charge(sendFiles(folder, fileRows), nowUs);",
    to: "sendFiles(folder, fileRows);",
  }),
  broken("streams may use the credits kept for the floor", "credits", {
    file: "credits.ts",
    from: "stream: limits.inFlightRows - limits.reservedRows,",
    to: "stream: limits.inFlightRows,",
  }),
  broken("files may use all credits", "backPressure", {
    file: "credits.ts",
    from: "files: limits.filesInFlightRows,",
    to: "files: limits.inFlightRows,",
  }),
  broken("what a late timer missed is forgotten", "rate", {
    file: "rate.ts",
    from: "debt = elapsedUs >= Math.ceil(debt / limits.perSecond) ? 0 : debt - elapsedUs * limits.perSecond;",
    to: "debt = Math.max(debt - elapsedUs * limits.perSecond, 0.5 * limits.depth * millionths - limits.perSecond);",
  }),
];

/** Nothing wrong: the checks must let it through, or they catch for no reason. */
export const sound: Variant = broken("nothing is wrong", "cap");

function broken(name: string, caughtBy: Variant["caughtBy"], ...edits: readonly Edit[]): Variant {
  return { name, caughtBy, edits, route: routeRight };
}

function routeByRoomAlone(_openInSpool: number, waiting: number, beyond: number): "live" | "spool" {
  return waiting >= beyond ? "spool" : "live";
}
