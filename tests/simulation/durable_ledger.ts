/**
 * A ledger that outlives the program: what was committed stays, half a transaction is none. Commits take time, fail while the disk is
 * full, and a power cut takes back those that were not synced, as SQLite has it: a synced commit saves all before it.
 *
 * @module
 */
import { type Clock, sleep } from "../../src/core/clock.ts";
import type { Dice } from "../../src/core/dice.ts";
import { WeirError } from "../../src/core/error.ts";
import type { DeadLetter } from "../../src/core/reading.ts";
import type { SpoolDrop, SpooledReading, SpoolTotals } from "../../src/core/spool.ts";
import type { FileRecord, Ledger } from "../../src/core/store.ts";
import { memoryLedger } from "../../src/store/memory_ledger.ts";
import type { Life } from "./life.ts";

/** What is told to who watches. */
export interface LedgerWatch {
  /** Records that were committed. */
  saved(records: readonly FileRecord[]): void;
  /** Letters that are dealt with, and how many letters of streams went for it. */
  lettered(letters: readonly DeadLetter[], dropped: number): void;
  /** Readings are in the spool, removed from it by their numbers, and dropped from it. */
  spooled(readings: readonly SpooledReading[], now: SpoolTotals): void;
  unspooled(numbers: readonly number[]): void;
  spoolDropped(dropped: SpoolDrop["dropped"]): void;
}

/** How it behaves. */
export interface LedgerNature {
  readonly deadLetterBytesMax: number;
  /** How long a commit takes. */
  readonly commitMs: number;
}

/** The ledger. */
export interface DurableLedger {
  forLife(life: Life): Ledger;
  /** What is committed, for who looks at it or acts on it from outside. */
  readonly now: Ledger;
  /** Whether writes fail. */
  full: boolean;
  /** Readings in the spool. */
  readonly spoolReadings: number;
  powerCut(dice: Dice): void;
}

interface Commit {
  readonly synced: boolean;
  readonly again: (ledger: Ledger) => Promise<unknown>;
}

/** Makes an empty one. */
export function durableLedger(nature: LedgerNature, clock: Clock, watch: LedgerWatch): DurableLedger {
  const { deadLetterBytesMax } = nature;
  let now = memoryLedger({ clock, deadLetterBytesMax });
  let commits: Commit[] = [];
  let spoolReadings = 0;
  const noteSpool = ({ readings }: SpoolTotals): void => void (spoolReadings = readings);

  function commit<T>(synced: boolean, act: (ledger: Ledger) => Promise<T>): Promise<T> {
    commits.push({ synced, again: act });
    return act(now);
  }

  const ledger: DurableLedger = {
    get now(): Ledger {
      return {
        ...now,
        askReplay: (wish) => commit(true, (on) => on.askReplay(wish)),
        removeLetters: (filter, limit) => commit(true, (on) => on.removeLetters(filter, limit)),
      };
    },
    full: false,
    get spoolReadings() {
      return spoolReadings;
    },
    powerCut(dice) {
      const safe = commits.findLastIndex((one) => one.synced) + 1;
      commits = commits.slice(0, safe + Math.floor(dice() * (commits.length - safe + 1)));
      now = memoryLedger({ clock, deadLetterBytesMax });
      for (const { again } of commits) again(now);
      void now.spoolInventory().then(noteSpool);
    },
    forLife(life) {
      /** `told` hears of a commit even when the life ended right after it. */
      async function write<T>(
        site: string,
        synced: boolean,
        act: (ledger: Ledger) => Promise<T>,
        told: (result: T) => void = () => {},
      ): Promise<T> {
        if (nature.commitMs > 0) await sleep(life.clock, nature.commitMs);
        return await life.step(site, async () => {
          if (ledger.full) throw new WeirError("storage", "The simulated disk is full", { retriable: true });
          const result = await commit(synced, act);
          told(result);
          return result;
        });
      }

      return {
        files: (folder, limit) => life.ask(() => now.files(folder, limit)),
        fileById: (fileId) => life.ask(() => now.fileById(fileId)),
        fileByHash: (folder, sha256) => life.ask(() => now.fileByHash(folder, sha256)),
        saveFiles: (records) => write("checkpoint", false, (on) => on.saveFiles(records), () => watch.saved(records)),
        forgetFiles: (updatedBeforeMs) => write("forget files", false, (on) => on.forgetFiles(updatedBeforeMs)),
        append: (letters) =>
          write("dead letter", true, (on) => on.append(letters), (result) => {
            watch.lettered(letters.slice(0, result.accepted), result.droppedStreamLetters);
          }),
        list: (filter, limit) => life.ask(() => now.list(filter, limit)),
        letter: (number) => life.ask(() => now.letter(number)),
        letterCount: (filter) => life.ask(() => now.letterCount(filter)),
        lettersInRange: (filter, range) => life.ask(() => now.lettersInRange(filter, range)),
        removeLetters: (filter, limit) => write("purge", true, (on) => on.removeLetters(filter, limit)),
        askReplay: (wish) => write("ask replay", true, (on) => on.askReplay(wish)),
        nextReplay: () => life.ask(() => now.nextReplay()),
        replay: (number) => life.ask(() => now.replay(number)),
        stepReplay: (step) => write("replay step", true, (on) => on.stepReplay(step)),
        mark: (name) => life.ask(() => now.mark(name)),
        saveMark: (name, number) => write("mark", false, (on) => on.saveMark(name, number)),
        spoolAppend: (readings) =>
          write("spool", true, (on) => on.spoolAppend(readings), (totals) => {
            noteSpool(totals);
            watch.spooled(readings, totals);
          }),
        spoolRead: (range) => life.ask(() => now.spoolRead(range)),
        spoolRemove: (numbers) =>
          write("spool, removed", false, (on) => on.spoolRemove(numbers), (totals) => {
            noteSpool(totals);
            watch.unspooled(numbers);
          }),
        spoolDropOldest: (bytes, spared) =>
          write("spool, dropped", true, (on) => on.spoolDropOldest(bytes, spared), (result) => {
            noteSpool(result);
            watch.spoolDropped(result.dropped);
          }),
        spoolInventory: () => life.ask(() => now.spoolInventory()),
        close: () => Promise.resolve(),
      };
    },
  };
  return ledger;
}
