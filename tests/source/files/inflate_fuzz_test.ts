/**
 * Damaged and hostile compressed bytes: an inflater gives bytes or says that the file is bad, in bounded pieces, and never hangs.
 *
 * @module
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { WeirError } from "../../../src/core/error.ts";
import { createInflate } from "../../../src/source/files/inflate.ts";

const magic = [0x1f, 0x8b, 0x08] as const;
const plain = fc.oneof(
  fc.uint8Array({ maxLength: 400 }),
  fc.nat(200_000).map((length) => new Uint8Array(length).fill(0x41)),
  fc.array(fc.constantFrom("a,1\n", "sensor,2.5\n"), { maxLength: 300 }).map((lines) =>
    new TextEncoder().encode(lines.join(""))
  ),
);
const damage = fc.array(fc.record({ at: fc.nat(), kind: fc.constantFrom("set", "cut", "insert"), byte: fc.nat(255) }), {
  maxLength: 3,
});

/** Whole members, mutated; or rubbish that begins as a member does. */
const hostile: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.tuple(fc.array(plain, { minLength: 1, maxLength: 3 }), damage).map(([parts, damages]) => {
    const bytes = [...Buffer.concat(parts.map((part) => gzipSync(part)))];
    for (const { at, kind, byte } of damages) {
      const place = at % (bytes.length + 1);
      if (kind === "set") bytes[place] = byte;
      else if (kind === "cut") bytes.length = place;
      else bytes.splice(place, 0, byte);
    }
    return Uint8Array.from(bytes);
  }),
  fc.uint8Array({ maxLength: 300 }).map((rubbish) => Uint8Array.from([...magic, ...rubbish])),
);

/** What comes out of bytes that come in pieces; null where they were refused. */
async function inflated(bytes: Uint8Array, pieceBytes: number): Promise<Uint8Array | null> {
  const stream = createInflate(bytes, 200);
  const out: Uint8Array[] = [];
  const takeAll = async () => {
    for (let piece = await stream.take(); piece !== null; piece = await stream.take()) {
      assert.ok(piece.length <= 64 * 1024 || stream.compression === "none", "pieces are small");
      out.push(piece.slice());
    }
  };
  try {
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      stream.give(bytes.subarray(at, at + pieceBytes));
      await takeAll();
    }
    stream.end();
    await takeAll();
    return new Uint8Array(Buffer.concat(out));
  } catch (error) {
    assert.ok(error instanceof WeirError && error.code === "bad_file", String(error));
    return null;
  } finally {
    stream.close();
  }
}

Deno.test("gzip: whatever the bytes, they are inflated or refused, the same however they are cut", async () => {
  await fc.assert(
    fc.asyncProperty(hostile, fc.integer({ min: 1, max: 200 }), async (bytes, pieceBytes) => {
      const whole = await inflated(bytes, Math.max(1, bytes.length));
      const cut = await inflated(bytes, Math.max(pieceBytes, bytes.length >> 6));
      assert.deepEqual(cut === null ? null : Buffer.from(cut), whole === null ? null : Buffer.from(whole));
      if (whole !== null && bytes[0] === 0x1f && bytes[1] === 0x8b) {
        assert.ok(Buffer.from(whole).equals(gunzipSync(bytes)));
      }
    }),
    { numRuns: 300 },
  );
});
