import assert from "node:assert/strict";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { WeirError } from "../../../src/core/error.ts";
import { compressionOf, createInflate, freeInflatedBytes } from "../../../src/source/files/inflate.ts";

const text = new TextEncoder().encode(
  Array.from({ length: 60_000 }, (_, i) => `sensor${i % 97},${i * 7919 % 10007}\n`).join(""),
);
const compress = { gzip: (bytes: Uint8Array) => gzipSync(bytes), zstd: (bytes: Uint8Array) => zstdCompressSync(bytes) };

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** Feeds in pieces; gives what came out and what was thrown. */
async function inflate(
  bytes: Uint8Array,
  pieceBytes = 65_536,
): Promise<{ out: Uint8Array; error: unknown; most: number }> {
  const out: Uint8Array[] = [];
  let most = 0;
  const stream = createInflate(bytes.subarray(0, pieceBytes), 200);
  try {
    for (let at = 0; at <= bytes.length; at += pieceBytes) {
      if (at < bytes.length) stream.give(bytes.subarray(at, at + pieceBytes));
      else stream.end();
      for (let piece = await stream.take(); piece !== null; piece = await stream.take()) {
        most = Math.max(most, piece.length);
        out.push(piece.slice());
      }
    }
    if (bytes.length % pieceBytes !== 0) {
      stream.end();
      for (let piece = await stream.take(); piece !== null; piece = await stream.take()) out.push(piece.slice());
    }
    return { out: joined(out), error: null, most };
  } catch (error) {
    return { out: joined(out), error, most };
  } finally {
    stream.close();
  }
}

for (const format of ["gzip", "zstd"] as const) {
  Deno.test(`${format}: several members after each other are one stream, however the bytes are cut`, async () => {
    const members = [text.subarray(0, 100_000), new Uint8Array(0), text.subarray(100_000)];
    const bytes = joined(members.map((member) => compress[format](member)));
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 16, max: 100_000 }), async (pieceBytes) => {
        const { out, error } = await inflate(bytes, pieceBytes);
        assert.equal(error, null);
        assert.ok(Buffer.from(out).equals(text));
      }),
      { numRuns: 8 },
    );
  });

  Deno.test(`${format}: a stream cut anywhere gives what is whole and then says that it is cut`, async () => {
    const bytes = joined([compress[format](text.subarray(0, 50_000)), compress[format](text)]);
    const first = compress[format](text.subarray(0, 50_000)).length;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 10, max: bytes.length - 1 }), async (length) => {
        const { out, error } = await inflate(bytes.subarray(0, length));
        const expected = joined([text.subarray(0, 50_000), text]).subarray(0, out.length);
        assert.ok(Buffer.from(out).equals(expected));
        // A cut between two frames cannot be seen; the library ends what it writes with a frame of nothing.
        const betweenFrames = length === first || (format === "zstd" && out.length === 50_000 + text.length);
        if (betweenFrames && error === null) return;
        assert.ok(
          error instanceof WeirError && error.code === "bad_file" && error.message.includes("cut"),
          String(error),
        );
        assert.ok(length <= first || out.length >= 50_000, "the first member is given out whole");
      }),
      { numRuns: 30, examples: [[bytes.length - 1], [bytes.length - 9], [first], [first + 3]] },
    );
  });
}

Deno.test("gzip: all that a cut stream holds is given out before it is refused", async () => {
  const bytes = compress.gzip(text);
  const { out } = await inflate(bytes.subarray(0, bytes.length - 4));
  assert.equal(out.length, text.length);
});

Deno.test("damaged bytes are refused, as is rubbish after the stream", async () => {
  for (const format of ["gzip", "zstd"] as const) {
    const { error } = await inflate(joined([compress[format](text), new TextEncoder().encode("rubbish at the end")]));
    assert.ok(error instanceof WeirError && error.code === "bad_file", `${format}: ${error}`);
  }
  const damaged = new Uint8Array(compress.gzip(text));
  damaged[damaged.length >> 1] = (damaged[damaged.length >> 1] ?? 0) ^ 0xff;
  const { error } = await inflate(damaged);
  assert.ok(error instanceof WeirError && error.message.includes("damaged"), String(error));
});

Deno.test("a skippable zstd frame is passed over", async () => {
  const skippable = new Uint8Array([0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
  const { out, error } = await inflate(joined([skippable, compress.zstd(text), skippable]));
  assert.equal(error, null);
  assert.equal(out.length, text.length);
});

Deno.test("a file that inflates beyond the limit is refused before it fills anything", async () => {
  const bytes = gzipSync(new Uint8Array(freeInflatedBytes + 16 * 1024 ** 2));
  const { out, error, most } = await inflate(bytes);
  assert.ok(error instanceof WeirError && error.message.includes("200 times"), String(error));
  assert.ok(out.length <= freeInflatedBytes + 1024 ** 2);
  assert.ok(most <= 64 * 1024, "it comes in small pieces");
});

Deno.test("compression is known by the first bytes, not by the name", () => {
  assert.equal(compressionOf(compress.gzip(text)), "gzip");
  assert.equal(compressionOf(compress.zstd(text)), "zstd");
  assert.equal(compressionOf(text), "none");
  assert.equal(compressionOf(new Uint8Array(0)), "none");
});
