/**
 * What kind of world a seed makes: its settings, how its surroundings behave, and how its lives end.
 *
 * @module
 */
import type { Dice } from "../../src/core/dice.ts";
import { fairShareDefaults } from "../../src/scheduler/defaults.ts";
import { chunkDefaults } from "../../src/sink/chunks.ts";
import type { LedgerNature } from "./durable_ledger.ts";
import type { GatewaySettings } from "./gateway.ts";
import type { Death } from "./life.ts";
import type { SinkMoods } from "./simulated_sink.ts";
import type { Shares } from "./traffic.ts";

/** The kind of a world. */
export interface Nature extends GatewaySettings, LedgerNature {
  readonly moods: SinkMoods;
  readonly shares: Shares;
  /** The sink is a file of lines. */
  readonly lines: boolean;
  /** Rows of files go in transactions. */
  readonly exactlyOnce: boolean;
  /** Kafka aborts what is open for so long. */
  readonly timeoutMsMax: number;
  /** Chance that the coordinator of transactions has moved, at each request to it. */
  readonly moves: number;
  /** Chance that another instance takes the transactional id, at each step. */
  readonly takeOvers: number;
  /** Archives lie on another file system. */
  readonly apart: boolean;
  /** Error number of the disk's troubles. */
  readonly diskTrouble: string;
  /** The store of dead letters is so small that it fills up; an operator empties it now and then. */
  readonly smallStore: boolean;
  /** Chance of each kind of trouble at each step. */
  readonly troubles: number;
  /** What is published and dropped takes so long ... */
  readonly busyMs: number;
  /** ... with pauses up to so long. */
  readonly stepMs: number;
  /** How long the far side is out of reach at most, and the chance of it at each step. */
  readonly outageMs: number;
  readonly outages: number;
  readonly sessionsLost: number;
  /** Files are dropped a second time. */
  readonly dropsAgain: boolean;
  /** Lives that end by a crash are as if the machine lost its power: what was not synced is gone. */
  readonly powerCuts: boolean;
  /** Lives, the last one included, which does not crash. */
  readonly livesMax: number;
  /** Where the first life ends. */
  readonly ending: Moment;
}

/** A moment at which a life can end, in what worlds it comes, and how often in a life. */
export interface Moment {
  readonly sites: readonly string[];
  readonly often: number;
  readonly comes: (nature: Nature) => boolean;
}

/** A spool that no world can fill. */
export const largeSpoolBytes = 1_000_000;

const moments: readonly Moment[] = [
  { sites: beforeAndAfter("PUBACK"), often: 60, comes: () => true },
  { sites: ["dispatched"], often: 60, comes: () => true },
  { sites: ["accepted, not told", "told"], often: 30, comes: ({ lines }) => !lines },
  { sites: beforeAndAfter("checkpoint", "dead letter"), often: 6, comes: () => true },
  { sites: beforeAndAfter("replay step"), often: 2, comes: () => true },
  { sites: beforeAndAfter("write", "write, sync", "write, rename"), often: 3, comes: isArchiving },
  { sites: beforeAndAfter("make folder", "rename"), often: 3, comes: isArchiving },
  { sites: beforeAndAfter("remove"), often: 2, comes: (nature) => nature.files.after === "delete" || copies(nature) },
  { sites: beforeAndAfter("copy", "copy, sync"), often: 3, comes: copies },
  { sites: beforeAndAfter("line", "line, sync"), often: 20, comes: ({ lines }) => lines },
  { sites: beforeAndAfter("spool"), often: 8, comes: ({ spool }) => spool !== null },
  { sites: beforeAndAfter("spool, removed"), often: 8, comes: ({ spool }) => spool !== null },
  { sites: beforeAndAfter("spool, dropped"), often: 1, comes: ({ spool }) => spool?.whenFull === "drop_oldest" },
  { sites: beforeAndAfter("transaction, begun"), often: 2, comes: ({ exactlyOnce }) => exactlyOnce },
  { sites: beforeAndAfter("transaction, opened"), often: 12, comes: ({ exactlyOnce }) => exactlyOnce },
  { sites: beforeAndAfter("transaction, produced"), often: 12, comes: ({ exactlyOnce }) => exactlyOnce },
  { sites: beforeAndAfter("transaction, ended"), often: 12, comes: ({ exactlyOnce }) => exactlyOnce },
  { sites: beforeAndAfter("purge"), often: 2, comes: ({ exactlyOnce }) => exactlyOnce },
  { sites: beforeAndAfter("line, cut"), often: 1, comes: ({ lines, troubles }) => lines && troubles > 0 },
];

/** Every moment at which a life can end, besides by time. */
export const deathSites: readonly string[] = moments.flatMap(({ sites }) => sites);

/** Chooses a nature, one in which the first life can end at a moment chosen before. */
export function natureOf(dice: Dice): Nature {
  const ending = pick(dice, moments);
  for (;;) {
    const nature = anyNature(ending, dice);
    if (ending.comes(nature)) return nature;
  }
}

function anyNature(ending: Moment, dice: Dice): Nature {
  const capRows = pick(dice, [20, 100, 500, 2000]);
  const lines = dice() < 0.15;
  const exactlyOnce = !lines && dice() < 0.25;
  const fairShare = fairShareDefaults({
    capRows,
    ...(exactlyOnce && { filesRoundTripMs: 2 * chunkDefaults.gatherMs }),
  });
  const powerCuts = dice() < 0.25;
  const smallStore = dice() < 0.1;
  const spool = dice() < 0.3
    ? {
      bytesMax: pick(dice, [4000, 20_000, largeSpoolBytes]),
      whenFull: pick(dice, ["block", "block", "drop_oldest", "drop_newest"] as const),
    }
    : null;
  const troubles = pick(dice, [0, 0.004, 0.015]);
  return {
    fairShare,
    lines,
    exactlyOnce,
    timeoutMsMax: pick(dice, [1000, 30_000]),
    moves: pick(dice, [0, 0.05]),
    takeOvers: exactlyOnce && dice() < 0.2 ? 0.01 : 0,
    spool,
    powerCuts,
    smallStore,
    mqtt: { receiveMax: 20, inboxBytesMax: pick(dice, [1_000_000, 1_000_000, 3000]) },
    files: {
      ready: pick(dice, ["rename", "rename", "rename", "quiet"]),
      after: pick(dice, ["archive", "archive", "archive", "archive", "keep", "delete"]),
    },
    deadLetterBytesMax: smallStore ? 4000 : 2 ** 30,
    commitMs: pick(dice, [0, 0, 5, 50]),
    moods: {
      perSecond: pick(dice, spool === null ? [500, 3000, 50_000] : [10, 500, 50_000]),
      lostShare: pick(dice, [0, 0.02, 0.1]),
      lateShare: pick(dice, [0, 0.05, 0.2]),
      lateMaxMs: dice() * 3000,
    },
    shares: { filtered: 0.05, bad: 0.03, refused: lines || dice() < 0.5 ? 0 : 0.03 },
    apart: dice() < 0.3,
    diskTrouble: pick(dice, ["ENOSPC", "EROFS", "EIO"]),
    troubles,
    // The spool needs longer: it looks at what has no verdict after 5 s.
    ...spool === null
      ? { busyMs: 4000, stepMs: 50, outageMs: 8000, outages: troubles }
      : { busyMs: 16_000, stepMs: 200, outageMs: 20_000, outages: pick(dice, [0.004, 0.03]) },
    sessionsLost: dice() < 0.2 ? 0.005 : 0,
    // Which bytes were sent before may be forgotten by a power cut.
    dropsAgain: !powerCuts,
    livesMax: 1 + Math.ceil(dice() * 4),
    ending,
  };
}

/** How a life ends, if nobody ends it before. */
export function deathOf(
  nature: Nature,
  number: number,
  dice: Dice,
): { readonly at: Death | null; readonly afterMs: number; readonly powerCut: boolean } {
  const { powerCuts: powerCut, livesMax } = nature;
  if (number >= livesMax) return { at: null, afterMs: Infinity, powerCut };
  if (number > 1 && dice() < 0.3) return { at: null, afterMs: dice() * 0.75 * nature.busyMs, powerCut };
  // One that never comes to this moment ends by time.
  const { busyMs } = nature;
  const { sites, often } = number === 1 ? nature.ending : pick(dice, moments.filter(({ comes }) => comes(nature)));
  const at = { site: pick(dice, sites), nth: 1 + Math.floor(dice() ** 2 * often) };
  return { at, afterMs: busyMs * (1.5 + dice()), powerCut };
}

function beforeAndAfter(...steps: readonly string[]): readonly string[] {
  return steps.flatMap((step) => [`${step}: before`, `${step}: after`]);
}

function isArchiving({ files }: Nature): boolean {
  return files.after === "archive";
}

function copies(nature: Nature): boolean {
  return nature.apart && isArchiving(nature);
}

function pick<T>(dice: Dice, choices: readonly T[]): T {
  const choice = choices[Math.floor(dice() * choices.length)];
  if (choice === undefined) throw new Error("Nothing to choose from");
  return choice;
}
