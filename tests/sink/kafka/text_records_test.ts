import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import fc from "fast-check";
import { createRecordBatchEncoder } from "../../../src/sink/kafka/record_batch.ts";
import { createTextRecords } from "../../../src/sink/kafka/text_records.ts";
import { readBatch } from "./batch_reader.ts";

interface Item {
  readonly value: string | null;
  readonly id: string;
  readonly mark: string | null;
}

const shape = {
  value: (item: Item) => item.value,
  valueBytes: (item: Item) => Buffer.byteLength(item.value ?? ""),
  headers: [{ name: "weir.id", text: (item: Item) => item.id }, { name: "mark", text: (item: Item) => item.mark }],
};
const ascii = fc.oneof(
  fc.string({ unit: "binary-ascii", maxLength: 100 }),
  fc.nat(9000).map((length) => "x".repeat(length)),
);
const item = fc.record({
  value: fc.option(fc.oneof(ascii, fc.string({ unit: "binary" }))),
  id: ascii,
  mark: fc.option(ascii),
});

Deno.test("records with ASCII keys and headers are written at once, whatever their values", () => {
  fc.assert(fc.property(fc.array(fc.tuple(item, fc.option(ascii)), { minLength: 1, maxLength: 80 }), (pairs) => {
    const items = pairs.map(([one]) => one);
    const keys = pairs.map(([, key]) => key);
    const records = createTextRecords(shape);
    assert.equal(records.gather(items, keys, 0, items.length, Infinity), items.length);
    assert.equal(records.write(new Uint8Array(records.bytes + 7), 7), true);
    const stamp = { producerId: 1n, producerEpoch: 0, sequence: 0, timestampMs: 0 };
    const batch = readBatch(
      createRecordBatchEncoder(shape, "none").encode(items, keys, 0, Infinity, Infinity, stamp).bytes,
    );
    assert.deepEqual(batch.records.map(({ key }) => key), keys);
    assert.deepEqual(batch.records.map(({ value }) => value), items.map(({ value }) => value));
    assert.deepEqual(
      batch.records.map(({ headers }) => headers),
      items.map(({ id, mark }) => [["weir.id", id], ...(mark === null ? [] : [["mark", mark]])]),
    );
  }));
});

Deno.test("a key or a header that is not ASCII is noticed, however little there is of it", () => {
  const plain = { value: "v", id: "id", mark: null };
  for (
    const [items, keys] of [
      [[plain, plain], ["k", "\u00fc"]],
      [[plain, { ...plain, id: "\u20ac" }], ["k", "k"]],
      [[{ ...plain, mark: "a\ud800" }], [null]],
    ] as const
  ) {
    const records = createTextRecords(shape);
    records.gather(items, keys, 0, items.length, Infinity);
    assert.equal(records.write(new Uint8Array(1000), 0), false);
  }
});
