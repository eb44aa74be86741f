import assert from "node:assert/strict";
import { WeirError } from "../../src/core/error.ts";
import { type Database, openDatabase, sqliteError } from "../../src/store/database.ts";

async function withDatabase(test: (db: Database) => void): Promise<void> {
  const folder = await Deno.makeTempDir();
  const db = openDatabase(`${folder}/a.db`);
  try {
    db.exec("CREATE TABLE t (n INTEGER PRIMARY KEY) STRICT");
    test(db);
  } finally {
    db.close();
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a full commit syncs the log and a normal one does not, in any order", () =>
  withDatabase((db) => {
    const inForce = () => db.prepare("PRAGMA synchronous").get()?.["synchronous"];
    assert.equal(db.prepare("PRAGMA journal_mode").get()?.["journal_mode"], "wal");
    for (const durability of ["full", "normal", "normal", "full", "full", "normal"] as const) {
      assert.equal(db.write(durability, inForce), durability === "full" ? 2 : 1);
    }
  }));

Deno.test("a write that throws leaves nothing, and the next one works", () =>
  withDatabase((db) => {
    assert.throws(() =>
      db.write("full", () => {
        db.exec("INSERT INTO t VALUES (1)");
        throw new Error("no");
      }), /^Error: no$/);
    db.write("full", () => db.exec("INSERT INTO t VALUES (2)"));
    assert.deepEqual(db.prepare("SELECT n FROM t").all().map((row) => row["n"]), [2]);
  }));

Deno.test("a broken constraint and wrong SQL are defects, not storage failures", () =>
  withDatabase((db) => {
    db.exec("INSERT INTO t VALUES (1)");
    for (const sql of ["INSERT INTO t VALUES (1)", "INSERT INTO nowhere VALUES (1)", "NONSENSE"]) {
      assert.throws(() => db.exec(sql), (error) => error instanceof Error && !(error instanceof WeirError), sql);
    }
  }));

Deno.test("a file that may not be written is refused when it is opened", () => {
  // Nobody may write here, not even root: the kernel's own files.
  assert.throws(
    () => openDatabase("/proc/version"),
    (error) => error instanceof WeirError && error.exitCode === 77,
  );
});

Deno.test("each way a disk fails is told apart by SQLite's own words", () => {
  const codeOf = (message: string) => {
    const error = sqliteError("/s/weir.db", Object.assign(new Error(message), { code: "ERR_SQLITE_ERROR" }));
    return error instanceof WeirError ? [error.code, error.retriable] : null;
  };
  assert.deepEqual(codeOf("database or disk is full"), ["storage", true]);
  assert.deepEqual(codeOf("disk I/O error"), ["storage", true]);
  assert.deepEqual(codeOf("attempt to write a readonly database"), ["storage", true]);
  assert.deepEqual(codeOf("unable to open database file: /s/weir.db"), ["storage", true]);
  assert.deepEqual(codeOf("database is locked"), ["storage", true]);
  assert.deepEqual(codeOf("database disk image is malformed"), ["corrupt_state", false]);
  assert.deepEqual(codeOf("file is not a database"), ["corrupt_state", false]);
  assert.equal(codeOf("no such table: t"), null);
});
