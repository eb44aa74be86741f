/**
 * Damaged and hostile compressed bytes: an inflater gives bytes or says that the file is bad, in bounded pieces, and never hangs.
 *
 * @module
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { constants, gunzipSync, gzipSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { WeirError } from "../../../src/core/error.ts";
import { compressionOf, createInflate } from "../../../src/source/files/inflate.ts";

const plain = fc.oneof(
  fc.uint8Array({ maxLength: 400 }),
  fc.nat(300_000).map((length) => new Uint8Array(length).fill(0x41)),
  fc.array(fc.constantFrom("a,1\n", "sensor,2.5\n"), { maxLength: 300 }).map((lines) =>
    new TextEncoder().encode(lines.join(""))
  ),
);
const damage = fc.array(fc.record({ at: fc.nat(), kind: fc.constantFrom("set", "cut", "insert"), byte: fc.nat(255) }), {
  maxLength: 3,
});

const skippable = fc.uint8Array({ maxLength: 20 }).map((content) =>
  Uint8Array.from([0x5a, 0x2a, 0x4d, 0x18, content.length, 0, 0, 0, ...content])
);

interface Member {
  readonly plain: Uint8Array;
  readonly packed: Uint8Array;
}

const members: Readonly<Record<"gzip" | "zstd", fc.Arbitrary<Member>>> = {
  gzip: plain.map((bytes) => ({ plain: bytes, packed: gzipSync(bytes) })),
  zstd: fc.oneof(
    {
      weight: 5,
      arbitrary: fc.tuple(plain, fc.nat(1), fc.constantFrom(-5, 1, 3)).map(([bytes, checksumFlag, level]) => {
        const params = {
          [constants.ZSTD_c_checksumFlag]: checksumFlag,
          [constants.ZSTD_c_compressionLevel]: level,
        };
        return { plain: bytes, packed: zstdCompressSync(bytes, { params }) };
      }),
    },
    { weight: 1, arbitrary: skippable.map((packed) => ({ plain: new Uint8Array(0), packed })) },
  ),
};
const magic = { gzip: [0x1f, 0x8b, 0x08], zstd: [0x28, 0xb5, 0x2f, 0xfd] } as const;

/** Whole members, mutated; or rubbish that begins as a member does. */
function hostile(format: "gzip" | "zstd"): fc.Arbitrary<Uint8Array> {
  return fc.oneof(
    {
      weight: 4,
      arbitrary: fc.tuple(fc.array(members[format], { minLength: 1, maxLength: 3 }), damage).map(([parts, damages]) => {
        const bytes = [...Buffer.concat(parts.map((part) => part.packed))];
        for (const { at, kind, byte } of damages) {
          const place = at % (bytes.length + 1);
          if (kind === "set") bytes[place] = byte;
          else if (kind === "cut") bytes.length = place;
          else bytes.splice(place, 0, byte);
        }
        return Uint8Array.from(bytes);
      }),
    },
    {
      weight: 1,
      arbitrary: fc.uint8Array({ maxLength: 300 }).map((rubbish) => Uint8Array.from([...magic[format], ...rubbish])),
    },
  );
}

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

for (const format of ["gzip", "zstd"] as const) {
  Deno.test(`${format}: whatever the bytes, they are inflated or refused, the same however they are cut`, async () => {
    await fc.assert(
      fc.asyncProperty(hostile(format), fc.integer({ min: 1, max: 200 }), async (bytes, pieceBytes) => {
        const whole = await inflated(bytes, Math.max(1, bytes.length));
        const cut = await inflated(bytes, Math.max(pieceBytes, bytes.length >> 6));
        assert.ok(cut === null || whole === null ? cut === whole : Buffer.from(whole).equals(cut));
        if (whole !== null && bytes[0] === 0x1f && bytes[1] === 0x8b) {
          assert.ok(Buffer.from(whole).equals(gunzipSync(bytes)));
        }
      }),
      { numRuns: 300 },
    );
  });

  Deno.test(`${format}: undamaged members give what was packed`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(members[format], { minLength: 1, maxLength: 4 }), fc.nat(200), async (parts, piece) => {
        const bytes = new Uint8Array(Buffer.concat(parts.map((part) => part.packed)));
        const out = await inflated(bytes, Math.max(piece, bytes.length >> 6, 1));
        assert.ok(out !== null && Buffer.from(out).equals(Buffer.concat(parts.map((part) => part.plain))));
      }),
      { numRuns: 100 },
    );
  });
}

// The library throws some errors from its own next tick, where no listener hears them: such a file would end the program.
Deno.test("zstd: damage after the first piece is told to the reader, wherever it is", async () => {
  const params = { [constants.ZSTD_c_checksumFlag]: 1 };
  const plain = Buffer.alloc(300_000, 0x41);
  const packed = zstdCompressSync(plain, { params });
  for (let at = 0; at < packed.length; at++) {
    for (const mask of [0x01, 0x80]) {
      const damaged = Uint8Array.from(packed);
      damaged[at] = (damaged[at] ?? 0) ^ mask;
      if (compressionOf(damaged) !== "zstd") continue;
      const out = await inflated(damaged, damaged.length);
      // The window's size may be another one: nothing is lost with that.
      assert.ok(out === null || plain.equals(out), `byte ${at}`);
    }
  }
});
