/** @module */
import assert from "node:assert/strict";
import { type LineWriter, turnedAway } from "../../../src/core/decoder.ts";
import { seededDice } from "../../../src/core/dice.ts";
import type { Item, Reading } from "../../../src/core/reading.ts";
import { createFileDelivery } from "../../../src/source/files/file_delivery.ts";
import { createPackedRows, pageBytes } from "../../../src/source/files/packed_rows.ts";

const noCounts = { read: 0, delivered: 0, filtered: 0, deadLettered: 0, dropped: 0 };
const encoder = new TextEncoder();

/** Writes a line as the value of a field; gives up at `?`, turns `-` away. */
const writer: LineWriter = {
  extraBytes: 10,
  write(line, from, stop, into, at) {
    if (line[from] === 0x3f) return -1;
    if (line[from] === 0x2d) return turnedAway;
    const text = encoder.encode(`{"v":"${new TextDecoder().decode(line.subarray(from, stop))}"}`);
    into.set(text, at);
    return at + text.length;
  },
};

function readingOf(item: Item | null): Reading | null {
  if (item !== null && item.kind !== "reading") throw new Error(`It is ${item.kind}`);
  return item;
}

Deno.test("a packed row is a reading like any other, and its bytes are its texts", () => {
  const delivery = createFileDelivery("dump.csv", noCounts, () => {}, () => ({ key: "", value: "" }));
  const packed = createPackedRows("gate\u00fc/f1/", delivery);
  packed.begin(writer, 5);
  const row = readingOf(packed.pack(encoder.encode("..__proto__.."), 2, 11, 7, 1234, 1250));
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
  assert.equal(packed.pack(encoder.encode("next"), 0, 4, 8, 1250, 1256)?.index, 1);
});

Deno.test("a line that is turned away is filtered: it counts with its bytes and leaves none", () => {
  const delivery = createFileDelivery("dump.csv", noCounts, () => {}, () => ({ key: "", value: "" }));
  const packed = createPackedRows("g/", delivery);
  packed.begin(writer, 0);
  delivery.add(1, 6);
  assert.deepEqual(packed.pack(encoder.encode("-cut"), 0, 4, 2, 6, 12), {
    kind: "filtered",
    delivery,
    index: 1,
    bytes: 6,
  });
  delivery.add(2, 12);
  assert.equal(readingOf(packed.pack(encoder.encode("a"), 0, 1, 3, 12, 14))?.packed?.from, 0);
});

Deno.test("a line that is given up leaves nothing behind; rows of all sizes keep their bytes", () => {
  const delivery = createFileDelivery("dump.csv", noCounts, () => {}, () => ({ key: "", value: "" }));
  const packed = createPackedRows("g/", delivery);
  packed.begin(writer, 0);
  const texts = Array.from({ length: 300 }, (_, i) => i % 50 === 9 ? "?" : `${i}`.repeat(1 + i * 7 % 900));
  texts.push("x".repeat(2 * pageBytes), "y");
  const rows = texts.map((text, i) => {
    const row = readingOf(packed.pack(encoder.encode(text), 0, text.length, i, i * 100, i * 100 + 1));
    delivery.add(i, i * 100);
    return row;
  });
  assert.deepEqual(rows.map((row) => row?.value ?? null), texts.map((text) => text === "?" ? null : `{"v":"${text}"}`));
  assert.deepEqual(rows.map((row) => row?.id ?? null), texts.map((text, i) => text === "?" ? null : `g/${i * 100}`));
  const pages = new Set(rows.map((row) => row?.packed?.page));
  const bytes = rows.reduce((sum, row) => sum + (row?.bytes ?? 0), 0);
  assert.ok(pages.size < 2 * bytes / pageBytes, `${pages.size} pages for ${bytes} bytes`);
});

/** How far apart verdicts come, and most that is made for 20,000 rows of which 3,000 are open: one that waits long keeps its page. */
for (
  const { among, pagesMax, readingsMax } of [
    { among: 200, pagesMax: 40, readingsMax: 10_000 },
    { among: 2000, pagesMax: 120, readingsMax: 19_000 },
  ]
) {
  Deno.test(`a page and its readings are written over when all its readings have their verdicts, and not before; one of ${among} at a time`, () => {
    const delivery = createFileDelivery("dump.csv", noCounts, () => {}, () => ({ key: "", value: "" }));
    const packed = createPackedRows("g/", delivery);
    packed.begin(writer, 0);
    const open: { readonly reading: Reading; readonly text: string }[] = [];
    const openReadings = new Set<Reading>();
    const pages = new Set<Uint8Array>();
    const readings = new Set<Reading>();
    const dice = seededDice(7);
    for (let i = 0; i < 20_000; i++) {
      const text = `${i}`.repeat(1 + i % 30);
      const reading = readingOf(packed.pack(encoder.encode(text), 0, text.length, i, i * 100, i * 100 + 1));
      assert.ok(reading?.packed !== undefined);
      assert.ok(!openReadings.has(reading));
      pages.add(reading.packed.page);
      readings.add(reading);
      openReadings.add(reading);
      delivery.taken(delivery.add(i, i * 100) + 1 - delivery.takenRows);
      open.push({ reading, text });
      while (open.length > 3000) {
        // Verdicts come out of order; a reading is whole until it has its own.
        const [one] = open.splice(Math.floor(dice() * among), 1);
        if (one === undefined) break;
        assert.deepEqual([one.reading.value, one.reading.id], [`{"v":"${one.text}"}`, `g/${one.reading.byte}`]);
        openReadings.delete(one.reading);
        delivery.settle(one.reading.index, "delivered");
      }
    }
    assert.ok(pages.size < pagesMax, `${pages.size} pages`);
    assert.ok(readings.size < readingsMax, `${readings.size} readings`);
  });
}
