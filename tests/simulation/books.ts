/**
 * The books of a world: what was sent, what is to become of it, and where each of them is safe by now.
 *
 * @module
 */
import type { Origin } from "../../src/core/delivery.ts";
import type { DeadLetter } from "../../src/core/reading.ts";
import type { SpooledReading } from "../../src/core/spool.ts";
import type { FileRecord } from "../../src/core/store.ts";

/** What is to become of something that was sent. */
export type Fate =
  /** It arrives. */
  | "good"
  /** The filter turns it away. */
  | "filtered"
  /** It cannot be read: a dead letter. */
  | "bad"
  /** The far side refuses it for good: a dead letter, until the far side is mended and the letter is replayed. */
  | "refused";

/** The books. */
export interface Books {
  /** Known by `<device>:<number>`. */
  sent(key: string, fate: Fate): void;
  readonly all: ReadonlyMap<string, Fate>;
  fateOf(key: string): Fate | undefined;
  /** A file was dropped: the keys of its rows. */
  placed(path: string, rows: readonly string[]): void;
  readonly files: ReadonlyMap<string, readonly string[]>;
  /** The broker lost it: it may arrive, or not. */
  lostByBroker(key: string): void;
  readonly lost: ReadonlySet<string>;
  arrived(key: string): void;
  readonly home: ReadonlySet<string>;
  lettered(letters: readonly DeadLetter[]): void;
  /** Keys, and ids, of all that was ever a dead letter. */
  readonly letteredKeys: ReadonlySet<string>;
  readonly letteredIds: ReadonlyMap<string, { readonly origin: Origin; readonly key: string }>;
  /** Readings were put aside on the disk. */
  spooled(readings: readonly SpooledReading[]): void;
  /** Null when these may go from the spool, which has numbered them: each has its verdict. Else what is wrong. */
  faultOfRemoval(numbers: readonly number[]): string | null;
  keyOfSpooled(number: number): string;
  /** The full spool let it go, as the operator's rule has it. */
  dropped(key: string): void;
  readonly droppedKeys: ReadonlySet<string>;
  /** Whether it has a durable home: what may be acknowledged. */
  isSafe(key: string): boolean;
  /** Null when exactly the rows up to this place of a file have arrived, or have their other verdict; else what is wrong. */
  faultOfPlace(record: FileRecord): string | null;
  /** Null when all rows up to the record's checkpoint are safe, else what is wrong. */
  faultOf(record: FileRecord): string | null;
}

/** Opens empty books. */
export function openBooks(): Books {
  const all = new Map<string, Fate>();
  const files = new Map<string, readonly string[]>();
  const lost = new Set<string>();
  const home = new Set<string>();
  const letteredKeys = new Set<string>();
  const letteredIds = new Map<string, { readonly origin: Origin; readonly key: string }>();
  /** By number; a number that comes again means that the earlier one is gone. */
  const keysOfSpooled = new Map<number, string>();
  const everSpooled = new Set<string>();
  const droppedKeys = new Set<string>();
  /** Rows up to which a file was found safe. */
  const checkedTo = new Map<string, number>();

  function isSafe(key: string): boolean {
    return all.get(key) === "filtered" || hasVerdict(key) || everSpooled.has(key) || droppedKeys.has(key);
  }

  function hasVerdict(key: string): boolean {
    return home.has(key) || letteredKeys.has(key);
  }

  return {
    sent: (key, fate) => void all.set(key, fate),
    all,
    fateOf: (key) => all.get(key),
    placed: (path, rows) => void files.set(path, rows),
    files,
    lostByBroker: (key) => void lost.add(key),
    lost,
    arrived: (key) => void home.add(key),
    home,
    lettered(letters) {
      for (const letter of letters) {
        const key = keyOfLetter(letter, files);
        letteredIds.set(letter.id, { origin: letter.origin, key });
        letteredKeys.add(key);
      }
    },
    letteredKeys,
    letteredIds,
    spooled(readings) {
      for (const { number, value } of readings) {
        const key = keyIn(value) ?? "";
        keysOfSpooled.set(number, key);
        everSpooled.add(key);
      }
    },
    faultOfRemoval(numbers) {
      const early = numbers.map((number) => keysOfSpooled.get(number)).find((key) => key && !hasVerdict(key));
      return early === undefined ? null : `${early} was removed from the spool before its verdict`;
    },
    keyOfSpooled: (number) => keysOfSpooled.get(number) ?? "",
    dropped: (key) => void droppedKeys.add(key),
    droppedKeys,
    isSafe,
    faultOfPlace({ folder, path, checkpoint, counts }) {
      const rows = files.get(`${folder}/${path}`);
      const at = checkpoint?.row ?? 0;
      const before = rows?.slice(0, at) ?? [];
      const where = `the place of ${folder}/${path} is at row ${at}, but`;
      const early = before.find((key) => all.get(key) !== "filtered" && !hasVerdict(key));
      if (early !== undefined) return `${where} ${early} has not arrived`;
      // What was refused may have arrived by a replay.
      const late = rows?.slice(at).find((key) => all.get(key) === "good" && home.has(key));
      if (late !== undefined) return `${where} ${late} has arrived too`;
      const filtered = before.filter((key) => all.get(key) === "filtered").length;
      const told = [counts.read, counts.filtered, counts.delivered + counts.deadLettered];
      if (told.join() === [at, filtered, at - filtered].join()) return null;
      return `${where} it counts ${told.join(", ")} rows read, filtered and otherwise ended`;
    },
    faultOf({ folder, path, checkpoint }) {
      const file = `${folder}/${path}`;
      const rows = files.get(file);
      if (checkpoint === null || rows === undefined) return null;
      const unsafe = rows.slice(checkedTo.get(file) ?? 0, checkpoint.row).find((key) => !isSafe(key));
      if (unsafe !== undefined) {
        return `the checkpoint of ${file} is at row ${checkpoint.row}, but ${unsafe} is not safe`;
      }
      checkedTo.set(file, Math.max(checkedTo.get(file) ?? 0, checkpoint.row));
      return null;
    },
  };
}

/** The key in the text of a reading, a payload or a row. */
export function keyIn(text: string): string | null {
  const at = text.indexOf('"n":"');
  return at < 0 ? null : text.slice(at + 5, text.indexOf('"', at + 5));
}

/** A bad row of CSV holds no key: it is known by its place. */
function keyOfLetter(letter: DeadLetter, files: ReadonlyMap<string, readonly string[]>): string {
  const key = keyIn(new TextDecoder().decode(letter.raw));
  return key ?? files.get(letter.source)?.[(letter.row ?? 0) - 1] ?? `nothing known: ${letter.id}`;
}
