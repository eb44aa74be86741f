import assert from "node:assert/strict";
import fc from "fast-check";
import { readCommitted } from "../../../src/sink/kafka/committed_records.ts";
import { PathError } from "../../../src/sink/kafka/path_error.ts";
import { type Compression, createRecordBatchEncoder } from "../../../src/sink/kafka/record_batch.ts";

interface Written {
  readonly key: string | null;
  readonly value: string | null;
}

/** A batch of a producer at an offset. */
function batch(
  baseOffset: bigint,
  records: readonly Written[],
  { producerId = 1n, transactional = true, compression = "none" }: {
    readonly producerId?: bigint;
    readonly transactional?: boolean;
    readonly compression?: Compression;
  } = {},
): Uint8Array {
  const encoder = createRecordBatchEncoder<Written>({
    value: ({ value }) => value,
    valueBytes: ({ value }) => new TextEncoder().encode(value ?? "").length,
    headers: [{ name: "h", text: () => "x" }],
  }, compression);
  const stamp = { producerId, producerEpoch: 0, sequence: 0, timestampMs: 1, transactional };
  const { bytes } = encoder.encode(records, records.map(({ key }) => key), 0, records.length, 1 << 20, stamp);
  new DataView(bytes.buffer).setBigInt64(0, baseOffset);
  return bytes;
}

/** The marker that ends a transaction. */
function marker(baseOffset: bigint, producerId: bigint): Uint8Array {
  const bytes = batch(baseOffset, [{ key: "\0\0\0\0", value: "\0" }], { producerId });
  const view = new DataView(bytes.buffer);
  view.setInt16(21, view.getInt16(21) | 0x20);
  return bytes;
}

function log(...batches: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(batches.flatMap((bytes) => [...bytes]));
}

function read(batches: Uint8Array, from = 0n, aborted: readonly { producerId: bigint; firstOffset: bigint }[] = []) {
  const seen: string[] = [];
  const next = readCommitted({ batches, aborted }, from, (key, value) => seen.push(`${key}=${value}`));
  return { seen, next };
}

const one = (key: string, value: string | null = "v"): readonly Written[] => [{ key, value }];

Deno.test("records are given with key and value, whatever the compression; null is null", () => {
  for (const compression of ["none", "gzip", "zstd"] as const) {
    const records = [{ key: "k", value: "v \u{1f321}" }, { key: null, value: null }, { key: "", value: "" }];
    assert.deepEqual(read(batch(5n, records, { compression }), 5n), {
      seen: ["k=v \u{1f321}", "null=null", "="],
      next: 8n,
    });
  }
});

Deno.test("aborted transactions and the markers are left out, and what the same producer wrote later is not", () => {
  const bytes = log(
    batch(0n, one("a"), { producerId: 1n }),
    batch(1n, one("b"), { producerId: 2n }),
    marker(2n, 1n),
    batch(3n, one("c"), { producerId: 1n }),
    marker(4n, 2n),
    batch(5n, one("d"), { producerId: 1n, transactional: false }),
    marker(6n, 1n),
  );
  assert.deepEqual(read(bytes, 0n, [{ producerId: 1n, firstOffset: 0n }]), { seen: ["b=v", "c=v", "d=v"], next: 7n });
  const twice = [{ producerId: 1n, firstOffset: 3n }, { producerId: 1n, firstOffset: 0n }];
  assert.deepEqual(read(bytes, 0n, twice).seen, ["b=v", "d=v"]);
});

Deno.test("records before the offset, and a batch that is cut, are not given", () => {
  const bytes = log(batch(0n, [...one("a"), ...one("b")]), batch(2n, one("c")));
  assert.deepEqual(read(bytes, 1n), { seen: ["b=v", "c=v"], next: 3n });
  assert.deepEqual(read(bytes.subarray(0, bytes.length - 1), 0n), { seen: ["a=v", "b=v"], next: 2n });
  assert.deepEqual(read(bytes.subarray(0, 20), 0n), { seen: [], next: 0n });
});

Deno.test("a compression that is not known is told, with what to do", () => {
  const bytes = batch(0n, one("a"));
  const view = new DataView(bytes.buffer);
  view.setInt16(21, view.getInt16(21) | 3);
  assert.throws(
    () => read(bytes),
    (thrown) => thrown instanceof PathError && /compression.type/.test(thrown.advice ?? ""),
  );
});

Deno.test("whatever the bytes are, reading ends well or as garbled", () => {
  const whole = log(batch(0n, one("a")), batch(1n, one("b"), { compression: "gzip" }), marker(2n, 1n));
  const mutation = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 5 });
  fc.assert(fc.property(mutation, (changes) => {
    const bytes = whole.slice();
    for (const [at, value] of changes) bytes[at] = value;
    try {
      read(bytes);
    } catch (thrown) {
      assert.ok(thrown instanceof PathError && ["garbled", "unsupported"].includes(thrown.failure), String(thrown));
    }
  }));
});
