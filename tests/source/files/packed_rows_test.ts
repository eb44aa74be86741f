/** @module */
import assert from "node:assert/strict";
import type { LineWriter } from "../../../src/core/decoder.ts";
import { seededDice } from "../../../src/core/dice.ts";
import type { Reading } from "../../../src/core/reading.ts";
import { createFileDelivery } from "../../../src/source/files/file_delivery.ts";
import { createPackedRows, pageBytes } from "../../../src/source/files/packed_rows.ts";

const noCounts = { read: 0, delivered: 0, filtered: 0, deadLettered: 0, dropped: 0 };
const encoder = new TextEncoder();

/** Writes a line as the value of a field; gives up at `?`. */
const writer: LineWriter = {
  extraBytes: 10,
  write(line, from, stop, into, at) {
    if (line[from] === 0x3f) return -1;
    const text = encoder.encode(`{"v":"${new TextDecoder().decode(line.subarray(from, stop))}"}`);
    into.set(text, at);
    return at + text.length;
  },
};

Deno.test("a packed row is a reading like any other, and its bytes are its texts", () => {
  const delivery = createFileDelivery("dump.csv", noCounts, () => {}, () => ({ key: "", value: "" }));
  const packed = createPackedRows("gate\u00fc/f1/", delivery);
  packed.begin(writer, 5);
  const row = packed.pack(encoder.encode("..__proto__.."), 2, 11, 7, 1234);
  delivery.add(7, 1250);
  assert.ok(row?.packed !== undefined);
  const { page, from, valueEnd, idEnd } = row.packed;
  assert.equal(row.value, '{"v":"__proto__"}');
  assert.equal(row.id, "gate\u00fc/f1/1234");
  assert.equal(new TextDecoder().decode(page.subarray(from, idEnd)), row.value + row.id);
  assert.equal(row.bytes, valueEnd - from);
  assert.deepEqual({ ...row.fields }, { v: "__proto__" });
  assert.equal(Reflect.get(row.fields, "constructor"), undefined);
  assert.deepEqual([row.kind, row.index, row.row, row.byte, row.arrivedMs, row.redelivered], [
    "reading",
    0,
    7,
    1234,
    5,
    false,
  ]);
  assert.equal(packed.pack(encoder.encode("next"), 0, 4, 8, 1250)?.index, 1);
});

Deno.test("a line that is given up leaves nothing behind; rows of all sizes keep their bytes", () => {
  const delivery = createFileDelivery("dump.csv", noCounts, () => {}, () => ({ key: "", value: "" }));
  const packed = createPackedRows("g/", delivery);
  packed.begin(writer, 0);
  const texts = Array.from({ length: 300 }, (_, i) => i % 50 === 9 ? "?" : `${i}`.repeat(1 + i * 7 % 900));
  texts.push("x".repeat(2 * pageBytes), "y");
  const rows = texts.map((text, i) => {
    const row = packed.pack(encoder.encode(text), 0, text.length, i, i * 100);
    delivery.add(i, i * 100);
    return row;
  });
  assert.deepEqual(rows.map((row) => row?.value ?? null), texts.map((text) => text === "?" ? null : `{"v":"${text}"}`));
  assert.deepEqual(rows.map((row) => row?.id ?? null), texts.map((text, i) => text === "?" ? null : `g/${i * 100}`));
  const pages = new Set(rows.map((row) => row?.packed?.page));
  assert.ok(pages.size < 10, `${pages.size} pages for ${texts.length} rows`);
});

Deno.test("a page is written over when all its readings have their verdicts, and not before", () => {
  const delivery = createFileDelivery("dump.csv", noCounts, () => {}, () => ({ key: "", value: "" }));
  const packed = createPackedRows("g/", delivery);
  packed.begin(writer, 0);
  const open: { readonly reading: Reading; readonly text: string }[] = [];
  const pages = new Set<Uint8Array>();
  const dice = seededDice(7);
  for (let i = 0; i < 20_000; i++) {
    const text = `${i}`.repeat(1 + i % 30);
    const reading = packed.pack(encoder.encode(text), 0, text.length, i, i * 100);
    assert.ok(reading?.packed !== undefined);
    pages.add(reading.packed.page);
    delivery.taken(delivery.add(i, i * 100) + 1 - delivery.takenRows);
    open.push({ reading, text });
    while (open.length > 3000) {
      // Verdicts come out of order; a reading is whole until it has its own.
      const [one] = open.splice(Math.floor(dice() * 2000), 1);
      if (one === undefined) break;
      assert.deepEqual([one.reading.value, one.reading.id], [`{"v":"${one.text}"}`, `g/${one.reading.byte}`]);
      delivery.settle(one.reading.index, "delivered");
    }
  }
  assert.ok(pages.size < 40, `${pages.size} pages`);
});
