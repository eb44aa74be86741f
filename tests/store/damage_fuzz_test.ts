/**
 * The state file under attack: bytes flipped, overwritten and cut off anywhere, in the file and in its log. Opening it must never fail again and
 * again, and what is read out of it must be what was written: a checkpoint that points at a wrong byte would lose rows without a word.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { WeirError } from "../../src/core/error.ts";
import type { FileRecord } from "../../src/core/store.ts";
import { type LedgerStore, openLedgerStore } from "../../src/store/ledger_store.ts";
import { fileRecord, letters } from "../support/ledger_values.ts";

const wallMs = 1_767_225_600_000;
const written: readonly FileRecord[] = Array.from({ length: 60 }, (_, i) =>
  fileRecord(`file-${i}`, {
    state: i % 3 === 0 ? "reading" : "archived",
    checkpoint: {
      format: "csv",
      byte: 1_000_000 + i * 7_919,
      row: 10_000 + i,
      header: ["device_id", "metric", "value", "ts"],
      delimiter: ",",
      insideArray: false,
    },
  }));

/** Bytes of the header that say whose the file is and of which version: a file that claims to be another program's is refused. */
const claims = [60, 61, 62, 63, 68, 69, 70, 71];

interface Damage {
  readonly file: "db" | "wal";
  /** Where, as a share of the length. */
  readonly at: number;
  /** Anywhere, in the file's header, in the tables' definitions, or another digit in the number of a checkpoint. */
  readonly place: "anywhere" | "header" | "definitions" | "checkpoint";
  readonly kind: "bit" | "byte" | "run" | "cut";
  readonly value: number;
}

const damage: fc.Arbitrary<Damage> = fc.record({
  file: fc.constantFrom("db", "db", "wal"),
  at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
  place: fc.constantFrom("anywhere", "anywhere", "header", "definitions", "definitions", "checkpoint"),
  kind: fc.constantFrom("bit", "bit", "bit", "byte", "byte", "byte", "run", "cut"),
  value: fc.nat(255),
});

Deno.test("whatever bytes of the state file or its log are damaged, it opens or is set aside and said, and reads as it was written", () => {
  const [whole, withLog] = [pristine("closed"), pristine("killed")];
  fc.assert(
    fc.property(
      fc.constantFrom(whole, whole, withLog),
      fc.oneof(damage.map((one) => [one]), fc.array(damage, { minLength: 1, maxLength: 3 })),
      (image, damages) => {
        const folder = temporaryFolder();
        try {
          const { db, wal } = damaged(image, damages);
          Deno.writeFileSync(`${folder}/weir.db`, db);
          if (wal.length > 0) Deno.writeFileSync(`${folder}/weir.db-wal`, wal);
          checkLife(folder, claims.some((byte) => db[byte] !== image.db[byte]));
        } finally {
          Deno.removeSync(folder, { recursive: true });
        }
      },
    ),
    { numRuns: 400 },
  );
});

/** Opens the file as a gateway would, uses it, and does so once more: whatever was wrong must be over then. */
function checkLife(folder: string, claimsChanged: boolean): void {
  for (const life of [1, 2]) {
    const said: string[] = [];
    let store: LedgerStore;
    try {
      store = open(folder, said);
    } catch (thrown) {
      // It says that it is not ours: it is not touched, and the gateway ends with 78.
      assert.ok(claimsChanged && thrown instanceof WeirError && thrown.code === "configuration", String(thrown));
      return;
    }
    try {
      const found = withRetry(store, said, (tables) => tables.files("/in", 1_000));
      for (const record of found) {
        const as = written.find((one) => one.fileId === record.fileId);
        if (record.fileId === "after") continue;
        assert.deepEqual(record.checkpoint, as?.checkpoint, `${record.fileId} reads as it was written`);
        withRetry(store, said, (tables) => tables.fileById(record.fileId));
      }
      withRetry(store, said, (tables) => tables.list({}, 1_000));
      withRetry(store, said, (tables) => tables.letterCount({}));
      withRetry(store, said, (tables) => tables.saveFiles([...written.slice(0, 3), fileRecord("after")]));
      withRetry(store, said, (tables) => tables.append(letters("batch", 3, 500), wallMs));
      withRetry(store, said, (tables) => tables.forgetFiles(15));
      assert.equal(withRetry(store, said, (tables) => tables.fileById("after"))?.fileId, "after");
      if (life === 2) assert.deepEqual(said, [], "the second life finds nothing wrong");
    } finally {
      store.close();
    }
  }
}

/** A request that meets damage fails once, as retriable, and says so; the next try works. */
function withRetry<T>(store: LedgerStore, said: readonly string[], request: Parameters<typeof store.act<T>>[1]): T {
  const before = said.length;
  try {
    return store.act(wallMs, request);
  } catch (thrown) {
    assert.ok(thrown instanceof WeirError && thrown.code === "storage" && thrown.retriable, String(thrown));
    assert.equal(said.length, before + 1, "a damaged file is said");
    return store.act(wallMs, request);
  }
}

function open(folder: string, said: string[]): LedgerStore {
  const limits = { path: `${folder}/weir.db`, deadLetterBytesMax: 1 << 20, databaseBytesMax: null };
  return openLedgerStore({ ...limits, onSetAside: (reason) => void said.push(reason) }, wallMs);
}

interface Image {
  readonly db: Uint8Array<ArrayBuffer>;
  readonly wal: Uint8Array<ArrayBuffer>;
}

/** A state file in use; `killed`: with a log that was not brought into the file. */
function pristine(end: "closed" | "killed"): Image {
  const folder = temporaryFolder();
  const path = `${folder}/weir.db`;
  try {
    const store = open(folder, []);
    store.act(wallMs, (tables) => {
      tables.saveFiles(written);
      tables.append(letters("batch", 40), wallMs);
      tables.append(letters("real_time", 40), wallMs);
    });
    if (end === "closed") store.close();
    const image = {
      db: Deno.readFileSync(path),
      wal: end === "closed" ? new Uint8Array() : Deno.readFileSync(`${path}-wal`),
    };
    if (end === "killed") store.close();
    return image;
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

function damaged(image: Image, damages: readonly Damage[]): Image {
  const files = { db: image.db.slice(), wal: image.wal.slice() };
  for (const { file, at, place, kind, value } of damages) {
    const bytes = files[file];
    const offset = offsetOf(bytes, place, at);
    if (place === "checkpoint") bytes[offset] = 0x30 + value % 10;
    else if (kind === "cut") files[file] = bytes.slice(0, offset);
    else if (kind === "run") bytes.fill(value, offset, offset + 300);
    else if (offset < bytes.length) bytes[offset] = kind === "byte" ? value : (bytes[offset] ?? 0) ^ (1 << (value % 8));
  }
  return files;
}

/** Where a damage strikes. */
function offsetOf(bytes: Uint8Array, place: Damage["place"], at: number): number {
  switch (place) {
    case "anywhere":
      return Math.floor(at * bytes.length);
    case "header":
      return Math.floor(at * Math.min(100, bytes.length));
    case "definitions":
      return Math.floor(at * Math.min(4096, bytes.length));
    case "checkpoint": {
      const places = [...latin1(bytes).matchAll(/"(?:byte|row)":\d/g)].map((found) =>
        found.index + found[0].length - 1
      );
      return places[Math.floor(at * places.length)] ?? 0;
    }
  }
}

function latin1(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}

/** In memory where there is such a place: what is tried here is reading, not syncing. */
function temporaryFolder(): string {
  try {
    return Deno.makeTempDirSync({ dir: "/dev/shm", prefix: "weir-damage-" });
  } catch {
    return Deno.makeTempDirSync({ prefix: "weir-damage-" });
  }
}
