/**
 * A sink that appends one JSON line for each reading to a file. A reading is delivered once its line is synced to the disk; lines that
 * come while a sync is under way share the next one.
 *
 * @module
 */
import type { Clock } from "../../core/clock.ts";
import type { Dice } from "../../core/dice.ts";
import { messageOf } from "../../core/error.ts";
import type { Emit } from "../../core/event.ts";
import type { Finding } from "../../core/finding.ts";
import type { Sink } from "../../core/sink.ts";
import { quoted } from "../../core/text.ts";
import { createLineWriter } from "../line_writer.ts";
import { type DiskFile, openError, openLineFile } from "./line_file.ts";

/** Where it writes. */
export interface NdjsonOptions {
  /** The file; its folder must exist. */
  readonly path: string;
}

/** What it works with. */
export interface NdjsonDeps {
  readonly clock: Clock;
  readonly dice: Dice;
  readonly emit: Emit;
  /** Opens the file for reading and appending. Default: the machine's own. */
  readonly openDisk?: (path: string) => Promise<DiskFile>;
}

/**
 * Makes the sink. Its `open` throws a `WeirError`: `permission`, `configuration` (no such folder, not a file of JSON lines),
 * `locked` (another gateway writes there) or `storage`.
 */
export function createNdjsonSink(options: NdjsonOptions, deps: NdjsonDeps): Sink {
  const { path } = options;
  const { clock, dice, emit } = deps;
  const writer = createLineWriter({
    kind: "ndjson",
    clock,
    dice,
    emit,
    openTarget: () => openLineFile(path, emit, deps.openDisk),
  });
  return { name: "ndjson", ...writer, check: () => check(path) };
}

/** Opens the file for appending when it is there, else tries to make a file beside it; leaves nothing behind. */
async function check(path: string): Promise<readonly Finding[]> {
  const subject = `file ${quoted(path)}`;
  try {
    if (await isThere(path)) {
      (await Deno.open(path, { append: true })).close();
      return [{ ok: true, subject, result: "can be appended to" }];
    }
    const probe = `${path}.weir-check`;
    (await Deno.open(probe, { createNew: true, write: true })).close();
    await Deno.remove(probe);
    return [{ ok: true, subject, result: "can be made" }];
  } catch (thrown) {
    const error = openError(path, thrown);
    return [{ ok: false, subject, result: messageOf(error), advice: error.advice ?? "Name another file" }];
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return false;
    throw thrown;
  }
}
