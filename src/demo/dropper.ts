/**
 * Drops the planned dumps into their folders, as a careful system does: written under a name that no reader takes (`.part`), then
 * renamed.
 *
 * @module
 */
import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { type Clock, sleep } from "../core/clock.ts";
import type { Dice } from "../core/dice.ts";
import { messageOf, WeirError } from "../core/error.ts";
import { type DumpSpec, dumpText } from "./dump.ts";
import type { PlannedDump } from "./dump_plan.ts";

/** What dropping needs. */
export interface DropperOptions {
  readonly plan: Iterable<PlannedDump>;
  /** Path of each of the plan's folders. They exist. */
  readonly folders: Readonly<Record<PlannedDump["folder"], string>>;
  readonly clock: Clock;
  readonly dice: Dice;
}

/** What was dropped. */
export interface Dropped {
  readonly files: number;
  readonly rows: number;
  readonly badRows: number;
}

/** The dropper at work. */
export interface Dropper {
  dropped(): Dropped;
  /**
   * Drops nothing more; resolves when a file that was being written is gone or complete.
   *
   * @throws {WeirError} `storage` when a dump could not be written.
   */
  stop(): Promise<void>;
}

/** Starts to drop. */
export function startDropper(options: DropperOptions): Dropper {
  const { plan, folders, clock, dice } = options;
  const dropped = { files: 0, rows: 0, badRows: 0 };
  const stopping = new AbortController();
  const startedMs = clock.nowMs();
  const done = run();
  // Whoever calls `stop` hears of a failure; until then it must not count as unheard.
  done.catch(() => {});

  async function run(): Promise<void> {
    for (const { atMs, folder, spec } of plan) {
      await sleep(clock, Math.max(0, startedMs + atMs - clock.nowMs()), stopping.signal);
      if (stopping.signal.aborted) return;
      if (!await dropDump(folders[folder], spec, dice, stopping.signal)) return;
      dropped.files += 1;
      dropped.rows += spec.rows;
      dropped.badRows += spec.badRows;
    }
  }

  return {
    dropped: () => ({ ...dropped }),
    stop() {
      stopping.abort();
      return done;
    },
  };
}

/**
 * Writes one dump. Returns false, and leaves nothing behind, when `signal` was aborted first.
 *
 * @throws {WeirError} `storage` when it could not be written.
 */
export async function dropDump(folder: string, spec: DumpSpec, dice: Dice, signal: AbortSignal): Promise<boolean> {
  const path = join(folder, spec.name);
  const part = `${path}.part`;
  const text = Readable.from(dumpText(spec, dice));
  const file = createWriteStream(part);
  try {
    await (spec.gzip ? pipeline(text, createGzip(), file, { signal }) : pipeline(text, file, { signal }));
    await rename(part, path);
    return true;
  } catch (error) {
    await rm(part, { force: true });
    if (signal.aborted) return false;
    throw new WeirError("storage", `Cannot write the demo's dump: ${messageOf(error)}`, { cause: error });
  }
}
