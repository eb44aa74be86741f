import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import fc from "fast-check";
import type { PackedReading } from "../../../src/core/reading.ts";
import { type Compression, createRecordBatchEncoder, type RecordShape } from "../../../src/sink/kafka/record_batch.ts";
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
const stamp = {
  producerId: 4_000_000_000_123n,
  producerEpoch: 3,
  sequence: 2_147_483_640,
  timestampMs: 1_767_225_600_123.9,
};
const item = (value: string | null, mark: string | null = null): Item => ({ value, id: `id-${value?.length}`, mark });

/** What text becomes on its way through UTF-8: lone surrogates cannot pass. */
const wellFormed = (text: string | null) => text === null ? null : text.toWellFormed();

for (const compression of ["none", "gzip", "zstd"] satisfies Compression[]) {
  Deno.test(`a batch (${compression}) reads back as it was written, whatever the text`, () => {
    const encoder = createRecordBatchEncoder(shape, compression);
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 300 }),
      fc.string({ maxLength: 300 }),
      fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) }),
      fc.constantFrom("", "\ud800", "a\udc00", "x".repeat(63), "x".repeat(64), "\u20ac".repeat(2731), "y".repeat(8191)),
    );
    const itemOf = fc.record({ value: fc.option(text), id: text, mark: fc.option(text) });
    fc.assert(fc.property(fc.array(fc.tuple(itemOf, fc.option(text)), { minLength: 1, maxLength: 40 }), (pairs) => {
      const items = pairs.map(([one]) => one);
      const keys = pairs.map(([, key]) => key);
      const { count, bytes } = encoder.encode(items, keys, 0, Infinity, Infinity, stamp);
      assert.equal(count, items.length);
      const batch = readBatch(bytes);
      assert.equal(batch.producerId, stamp.producerId);
      assert.equal(batch.producerEpoch, 3);
      assert.equal(batch.sequence, 2_147_483_640);
      assert.equal(batch.timestampMs, 1_767_225_600_123);
      batch.records.forEach((record, i) => {
        assert.equal(record.key, wellFormed(keys[i] ?? null));
        assert.equal(record.value, wellFormed(items[i]?.value ?? null));
        const mark = items[i]?.mark ?? null;
        assert.deepEqual(record.headers, [
          ["weir.id", wellFormed(items[i]?.id ?? "")],
          ...(mark === null ? [] : [["mark", wellFormed(mark)]]),
        ]);
      });
    }));
  });
}

Deno.test("a value of bytes is written as it is, as the same text would be", () => {
  const encoded = (shape: RecordShape<null>) =>
    createRecordBatchEncoder(shape, "none").encode([null, null], ["k", null], 0, Infinity, Infinity, stamp).bytes;
  const textOf = (text: string) =>
    encoded({ value: () => text, valueBytes: () => new TextEncoder().encode(text).length, headers: [] });
  const rawOf = (raw: Uint8Array) =>
    encoded({ value: () => null, valueBytes: () => raw.length, raw: () => raw, headers: [] });
  for (const text of ["", "a", "\u20ac".repeat(50), "x".repeat(70_000)]) {
    assert.deepEqual(rawOf(new TextEncoder().encode(text)), textOf(text));
  }
  const odd = new Uint8Array([0xff, 0x00, 0xfe]);
  assert.ok(rawOf(odd).join().includes("6,255,0,254"));
});

Deno.test("a packed record is written as the same record of texts would be", () => {
  interface Packed extends Item {
    readonly packed: PackedReading | undefined;
  }
  const packedShape: RecordShape<Packed> = { ...shape, packed: (one) => one.packed };
  const pack = (one: Item): Packed => {
    const [value, id] = [one.value ?? "", one.id].map((text) => new TextEncoder().encode(text));
    if (value === undefined || id === undefined) throw new Error("Two texts are two arrays");
    const page = new Uint8Array([1, 2, 3, ...value, ...id, 4]);
    const valueEnd = 3 + value.length;
    return { value: null, id: "-", mark: one.mark, packed: { page, from: 3, valueEnd, idEnd: page.length - 1 } };
  };
  const text = fc.oneof(fc.string({ maxLength: 200 }), fc.constantFrom("", "x".repeat(9000)));
  const itemOf = fc.record({ value: text, id: text, mark: fc.option(fc.string({ maxLength: 80 })) });
  fc.assert(fc.property(fc.array(fc.tuple(itemOf, fc.option(text), fc.boolean()), { minLength: 1 }), (list) => {
    const keys = list.map(([, key]) => key);
    const texts = list.map(([one]) => one);
    const packed = list.map(([one, , isPacked]) => isPacked ? pack(one) : { ...one, packed: undefined });
    const plain = createRecordBatchEncoder(shape, "none").encode(texts, keys, 0, Infinity, 20_000, stamp);
    assert.deepEqual(
      createRecordBatchEncoder(packedShape, "none").encode(packed, keys, 0, Infinity, 20_000, stamp),
      plain,
    );
  }));
});

Deno.test("a record of 600 KB and one of two bytes live in one batch", () => {
  const encoder = createRecordBatchEncoder(shape, "none");
  const items = [item("\u20ac".repeat(200_000)), item("{}"), item("z".repeat(600_000)), item(null)];
  const { bytes } = encoder.encode(items, [null, "", "k", null], 0, 10, Infinity, stamp);
  assert.deepEqual(readBatch(bytes).records.map(({ key, value }) => [key, value?.length ?? null]), [
    [null, 200_000],
    ["", 2],
    ["k", 600_000],
    [null, null],
  ]);
});

Deno.test("a batch never passes its bytes unless it is of one record, and takes all that fit", () => {
  const encoder = createRecordBatchEncoder(shape, "none");
  fc.assert(
    fc.property(
      fc.array(fc.nat(400), { minLength: 1, maxLength: 50 }),
      fc.integer({ min: 61, max: 3000 }),
      (sizes, bytesMax) => {
        const items = sizes.map((size) => item("v".repeat(size)));
        const { count, bytes } = encoder.encode(items, [], 0, Infinity, bytesMax, stamp);
        assert.ok(bytes.length <= bytesMax || count === 1);
        assert.equal(readBatch(bytes).records.length, count);
        if (count < items.length) {
          assert.ok(
            encoder.encode(items, [], 0, count + 1, Infinity, stamp).bytes.length > bytesMax,
            "one more would have fitted",
          );
        }
      },
    ),
  );
});

Deno.test("a batch begins and ends where it is told", () => {
  const encoder = createRecordBatchEncoder(shape, "none");
  const items = ["a", "b", "c", "d"].map((value) => item(value));
  const { count, bytes } = encoder.encode(items, ["1", "2", "3", "4"], 1, 2, Infinity, stamp);
  assert.equal(count, 2);
  assert.deepEqual(readBatch(bytes).records.map(({ key, value }) => [key, value]), [["2", "b"], ["3", "c"]]);
});

Deno.test("a finished batch does not change when the encoder goes on", () => {
  const encoder = createRecordBatchEncoder(shape, "none");
  const { bytes } = encoder.encode([item("first")], [null], 0, 1, Infinity, stamp);
  const before = bytes.slice();
  encoder.encode([item("second, and longer")], ["key"], 0, 1, Infinity, stamp);
  assert.deepEqual(bytes, before);
});

Deno.test("a large batch keeps its bytes until it is given back; then its room is used again, once", () => {
  const encoder = createRecordBatchEncoder(shape, "none");
  const encode = (mark: string) => {
    const items = Array.from({ length: 1500 }, (_, i) => item(`${mark}${i}`.repeat(20)));
    return encoder.encode(items, [], 0, Infinity, Infinity, stamp).bytes;
  };
  const [first, second] = [encode("a"), encode("b")];
  const kept = [first.slice(), second.slice()];
  assert.notEqual(first.buffer, second.buffer);
  const third = encode("c");
  assert.deepEqual([first, second], kept);
  encoder.release(second);
  encoder.release(second);
  encoder.release(new Uint8Array(second.buffer));
  const later = [encode("d"), encode("e"), encode("f")];
  // The buffer in which "d" was written was chosen before the second batch came back.
  assert.equal(later.filter((bytes) => bytes.buffer === second.buffer).length, 1);
  assert.equal(new Set([first, third, ...later].map((bytes) => bytes.buffer)).size, 5);
  assert.deepEqual(
    later[1],
    createRecordBatchEncoder(shape, "none").encode(
      Array.from({ length: 1500 }, (_, i) => item(`e${i}`.repeat(20))),
      [],
      0,
      Infinity,
      Infinity,
      stamp,
    ).bytes,
  );
});
