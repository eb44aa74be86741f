import assert from "node:assert/strict";
import type { FileRecord } from "../../../src/core/store.ts";
import { memoryLedger } from "../../../src/store/memory_ledger.ts";
import { placeOf, recordOf, restore } from "../../../src/source/files/place.ts";
import { fileRecord } from "../../support/ledger_values.ts";
import { virtualClock } from "../../support/virtual_clock.ts";

const ledger = () => memoryLedger({ clock: virtualClock(), deadLetterBytesMax: 1000 });

/** A file that is read to `byte`. */
function reading(byte: number, otherwise: Partial<FileRecord> = {}): FileRecord {
  const { checkpoint, ...rest } = fileRecord("f", { state: "reading", sha256: null, movedTo: null });
  assert.ok(checkpoint !== null);
  return { ...rest, checkpoint: { ...checkpoint, byte }, ...otherwise };
}

Deno.test("a place is the record as text, keyed by gateway and file, and read back it is the same", () => {
  const record = reading(70);
  const place = placeOf("gw", record);
  assert.equal(place.key, "gw/f");
  assert.deepEqual(recordOf(place), record);
});

Deno.test("a ledger that lost the file, or is behind, is brought to the furthest place", async () => {
  const places = [50, 90, 70].map((byte) => placeOf("gw", reading(byte)));
  for (const known of [[], [reading(40)], [reading(70, { checkpoint: null })]]) {
    const store = ledger();
    await store.saveFiles(known);
    assert.equal(await restore(places, store), 1);
    assert.equal((await store.fileById("f"))?.checkpoint?.byte, 90);
  }
});

Deno.test("a ledger that is further, or knows the file as finished, stays as it is", async () => {
  for (const known of [reading(90), reading(120), fileRecord("f"), fileRecord("f", { state: "quarantined" })]) {
    const store = ledger();
    await store.saveFiles([known]);
    assert.equal(await restore([placeOf("gw", reading(90))], store), 0);
    assert.deepEqual(await store.fileById("f"), known);
  }
});

Deno.test("what is no place of this version is passed over", async () => {
  const whole: unknown = JSON.parse(placeOf("gw", reading(90)).value);
  const texts = [
    "",
    "{",
    "null",
    "[]",
    '{"version":1}',
    '{"version":2,"file":{}}',
    '{"version":1,"file":{"fileId":"f"}}',
  ];
  const damaged = JSON.stringify(whole, (key, value: unknown) => key === "byte" ? "90" : value);
  for (const value of [...texts, damaged]) assert.equal(recordOf({ key: "gw/f", value }), null, value);
  assert.equal(await restore(texts.map((value) => ({ key: "gw/f", value })), ledger()), 0);
});
