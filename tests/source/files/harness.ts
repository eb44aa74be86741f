/**
 * A file source on a real temporary folder under a virtual clock, with a decoder, a normalizer, a ledger and a sink that are as small as
 * can be. Rows are lines; the first line of a `.csv` is its header; a line `bad` is a bad row; a line `secret` is filtered.
 *
 * @module
 */
import { join } from "node:path";
import type { Decoder, DecoderState, Normalizer, OpenDecoder, Row } from "../../../src/core/decoder.ts";
import type { Verdict } from "../../../src/core/delivery.ts";
import { seededDice } from "../../../src/core/dice.ts";
import { WeirError } from "../../../src/core/error.ts";
import { emitter, type Event } from "../../../src/core/event.ts";
import type { Item } from "../../../src/core/reading.ts";
import type { Source } from "../../../src/core/source.ts";
import type { CheckpointStore, FileRecord } from "../../../src/core/store.ts";
import { type Disk, machineDisk } from "../../../src/source/files/disk.ts";
import { createFilesSource } from "../../../src/source/files/files_source.ts";
import { filesDefaults, type FilesSourceDeps, type FilesSourceOptions } from "../../../src/source/files/options.ts";
import { attendedDisk } from "../../support/attended_disk.ts";
import { patienceMs } from "../../support/servers.ts";
import { type VirtualClock, virtualClock } from "../../support/virtual_clock.ts";

/** A ledger in memory that can be made to fail. */
export interface FakeStore extends CheckpointStore {
  readonly records: Map<string, FileRecord>;
  readonly commits: (readonly FileRecord[])[];
  failing: boolean;
}

export function fakeStore(): FakeStore {
  const records = new Map<string, FileRecord>();
  const store: FakeStore = {
    records,
    commits: [],
    failing: false,
    files: (folder, limit) =>
      Promise.resolve(
        [...records.values()].filter((one) => one.folder === folder).sort((a, b) => b.updatedAtMs - a.updatedAtMs)
          .slice(0, limit),
      ),
    fileById: (fileId) => Promise.resolve(records.get(fileId) ?? null),
    fileByHash: (folder, sha256) =>
      Promise.resolve(
        [...records.values()].find((one) =>
          one.folder === folder && one.sha256 === sha256 && (one.state === "done" || one.state === "archived")
        ) ?? null,
      ),
    saveFiles(changed) {
      if (store.failing) return Promise.reject(new WeirError("storage", "The disk is full", { retriable: true }));
      for (const record of changed) records.set(record.fileId, structuredClone(record));
      store.commits.push(structuredClone(changed));
      return Promise.resolve();
    },
    forgetFiles: () => Promise.resolve(0),
  };
  return store;
}

/** A decoder of lines. */
export const lineDecoder: OpenDecoder = (name: string, _head: Uint8Array, state: DecoderState | null): Decoder => {
  if (name.startsWith("alien")) throw new WeirError("bad_file", "No format fits");
  const csv = name.toLowerCase().endsWith(".csv");
  let header = state?.header ?? null;
  let byte = state?.byte ?? 0;
  let row = state?.row ?? 0;
  let held = new Uint8Array(0);
  let ended = false;
  const raws = new Map<Row, Uint8Array>();

  function nextLine(): Uint8Array | null {
    const end = held.indexOf(10) + 1;
    if (end === 0 && !(ended && held.length > 0)) return null;
    const line = end === 0 ? held : held.subarray(0, end);
    held = held.subarray(line.length);
    return line;
  }

  function rowOf(line: Uint8Array): Row {
    const text = new TextDecoder().decode(line).replace(/\r?\n$/, "");
    const place = { row: ++row, start: byte, end: byte + line.length };
    byte += line.length;
    if (text === "bad") return { kind: "bad", reason: "bad_csv", detail: "It says so", ...place };
    return { kind: "cells", header: header ?? [], cells: text.split(","), ...place };
  }

  return {
    format: csv ? "csv" : "ndjson",
    push(chunk) {
      raws.clear();
      const joined = new Uint8Array(held.length + chunk.length);
      joined.set(held);
      joined.set(chunk, held.length);
      held = joined;
    },
    end() {
      ended = true;
    },
    pull(maxRows, into) {
      raws.clear();
      let pulled = 0;
      while (pulled < maxRows) {
        const line = nextLine();
        if (line === null) break;
        if (csv && header === null) {
          header = new TextDecoder().decode(line).trim().split(",");
          byte += line.length;
          continue;
        }
        const made = rowOf(line);
        raws.set(made, line);
        into.push(made);
        pulled += 1;
      }
      return pulled;
    },
    raw: (made) => raws.get(made) ?? new Uint8Array(0),
    stateAfter: (made): DecoderState => ({
      format: csv ? "csv" : "ndjson",
      byte: made.end,
      row: made.row,
      header,
      delimiter: csv ? "," : null,
      insideArray: false,
    }),
  };
};

/** A normalizer that makes a reading of the first cell. */
export const lineNormalizer: Normalizer = {
  checkHeader(header) {
    if (header.includes("wrong")) throw new WeirError("bad_file", 'Column is missing: "device_id"');
  },
  normalize(row) {
    const value = row.kind === "cells" ? row.cells.join(",") : row.text;
    if (value === "secret") return { kind: "filtered" };
    if (value === "misfit") return { kind: "misfit", reason: "wrong_type", detail: "Not a number" };
    return { kind: "reading", fields: { value }, value, bytes: value.length };
  },
};

/** What a test holds in its hands. */
export interface Rig {
  readonly folder: string;
  readonly clock: VirtualClock;
  readonly store: FakeStore;
  readonly events: Event[];
  /** Items taken, in order. */
  readonly items: Item[];
  source: Source;
  /** How often the scheduler was woken. */
  wakes: number;
  /** Names of events that happened. */
  said(name: string): readonly Event[];
  /** Values of the readings taken. */
  values(): readonly string[];
  drop(name: string, text: string | Uint8Array, mtimeMs?: number): Promise<string>;
  /** Takes at most `max` items from all flows; they stay open. */
  take(max?: number): readonly Item[];
  settle(items: readonly Item[]): void;
  /** Lets time and I/O go on until the condition holds. Fails loudly. */
  until(condition: () => boolean | Promise<boolean>, what: string): Promise<void>;
  /** The same, taking and settling everything meanwhile. */
  flowUntil(condition: () => boolean | Promise<boolean>, what: string): Promise<void>;
  /** Lets a stretch of virtual time pass, and the disk do its work meanwhile. */
  pass(ms: number): Promise<void>;
  /** Drops the source as a crash would and starts a new one on the same folder and ledger. */
  restart(options?: Partial<FilesSourceOptions>): Promise<void>;
  exists(...path: string[]): Promise<boolean>;
  /** Files below the folder, relative, sorted. */
  tree(): Promise<readonly string[]>;
}

/** Settings of a rig. */
export interface RigOptions extends Partial<FilesSourceOptions> {
  readonly disk?: Partial<Disk>;
  readonly deps?: Partial<FilesSourceDeps>;
}

/** Runs a test with a rig and cleans up. */
export async function withRig(options: RigOptions, test: (rig: Rig) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "weir-files-" });
  const rig = makeRig(folder, options);
  try {
    await rig.source.start(() => rig.wakes += 1);
    await test(rig);
  } finally {
    await rig.source.close();
    await Deno.remove(folder, { recursive: true });
  }
}

export function verdictOf(item: Item): Verdict {
  return item.kind === "reading" ? "delivered" : item.kind === "filtered" ? "filtered" : "dead_lettered";
}

function makeRig(folder: string, options: RigOptions): Rig {
  const { disk: faults = {}, deps = {}, ...settings } = options;
  const clock = virtualClock();
  const { disk, idle } = attendedDisk(machineDisk);
  const store = fakeStore();
  const events: Event[] = [];
  const items: Item[] = [];

  function make(more: Partial<FilesSourceOptions>): Source {
    return createFilesSource({
      ...filesDefaults,
      folders: [{ path: folder, weight: 1, everyMs: null, capRows: null }],
      ...settings,
      ...more,
    }, {
      clock,
      emit: emitter((event) => events.push(event)),
      store,
      openDecoder: lineDecoder,
      normalizer: lineNormalizer,
      gateway: "gw",
      dice: seededDice(1),
      // Real directory events would make the order of things depend on the machine.
      disk: { ...disk, watch: () => ({ close: () => {} }), ...faults },
      ...deps,
    });
  }

  const rig: Rig = {
    folder,
    clock,
    store,
    events,
    items,
    source: make({}),
    wakes: 0,
    said: (name) => events.filter((event) => event.name === name),
    values: () => items.flatMap((item) => item.kind === "reading" ? [item.value] : []),
    async drop(name, text, mtimeMs) {
      // Written beside and renamed: a test that sets an mtime must not be read before it is set.
      const path = join(folder, name);
      const beside = join(folder, ".dropping");
      await Deno.writeFile(beside, typeof text === "string" ? new TextEncoder().encode(text) : text);
      if (mtimeMs !== undefined) await Deno.utime(beside, mtimeMs / 1000, mtimeMs / 1000);
      await Deno.rename(beside, path);
      return path;
    },
    take(max = Infinity) {
      const taken = rig.source.flows.flatMap((flow) => [...flow.take(Math.min(max, 1e9), 1e9)]);
      items.push(...taken);
      return taken;
    },
    settle(taken) {
      for (const item of taken) item.delivery.settle(item.index, verdictOf(item));
    },
    async until(condition, what) {
      const until = performance.now() + patienceMs;
      while (performance.now() < until) {
        if (await condition()) return;
        await clock.advance(50);
        await idle();
      }
      const said = events.map((event) => `${event.name}: ${event.message}`).join("\n");
      throw new Error(`Waited in vain until ${what}; events:\n${said}`);
    },
    flowUntil(condition, what) {
      return rig.until(() => {
        rig.settle(rig.take());
        return condition();
      }, what);
    },
    async pass(ms) {
      for (let left = ms; left > 0; left -= 50) {
        await clock.advance(Math.min(50, left));
        await idle();
      }
    },
    async restart(more = {}) {
      await rig.source.close();
      rig.source = make(more);
      await rig.source.start(() => rig.wakes += 1);
    },
    async exists(...path) {
      return await machineDisk.facts(join(folder, ...path)) !== null;
    },
    async tree() {
      const found: string[] = [];
      const visit = async (within: string): Promise<void> => {
        for await (const entry of Deno.readDir(join(folder, within))) {
          const path = join(within, entry.name);
          if (entry.isDirectory) await visit(path);
          else found.push(path);
        }
      };
      await visit("");
      return found.sort();
    },
  };
  return rig;
}

/** Lines `prefix0` to `prefix<count - 1>` under a header. */
export function csv(count: number, prefix = "row"): string {
  return "name\n" + Array.from({ length: count }, (_, i) => `${prefix}${i}\n`).join("");
}

/** The values that {@linkcode csv} gives. */
export function rows(count: number, prefix = "row"): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${i}`);
}
