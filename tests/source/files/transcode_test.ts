/** @module */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import type { FileEncoding } from "../../../src/core/decoder.ts";
import { createTranscode } from "../../../src/source/files/transcode.ts";
import { askPython, havePython } from "../../support/python.ts";
import { printedSeed } from "../../support/seed.ts";
import { leftOut } from "../../support/servers.ts";
import { canBeWritten, encodings, written } from "./encodings.ts";

/** All that comes out of bytes that come in pieces of these lengths, used in turn. Neither side may hold on to an array. */
function transcoded(bytes: Uint8Array, encoding: FileEncoding, sizes: readonly number[] = [1 << 16]): Uint8Array {
  const transcode = createTranscode(encoding);
  const out: Uint8Array[] = [];
  const reused = new Uint8Array(Math.max(1, ...sizes));
  let at = 0;
  for (let turn = 0; at < bytes.length; turn++) {
    const piece = bytes.subarray(at, at + (sizes[turn % sizes.length] ?? 1));
    reused.set(piece);
    out.push(transcode.push(reused.subarray(0, piece.length)).slice());
    reused.fill(0x21);
    at += piece.length;
  }
  out.push(transcode.end().slice());
  return new Uint8Array(Buffer.concat(out));
}

function isValidUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });
/** Letters of one, two, three and four bytes, and what windows-1252 has and latin1 has not. */
const letter = fc.oneof(
  fc.constantFrom("a", ";", "\n", "\u00b0", "\u00e4", "\u0000", "\u0100", "\u20ac", "\u0160", "\ufeff", "\u{1f321}"),
  fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
);
const text = fc.array(letter, { maxLength: 30 }).map((letters) => letters.join(""));
/** UTF-16 units, of which some are halves of pairs. */
const units = fc.array(
  fc.oneof(fc.constantFrom(0x61, 0x0a, 0xe9), fc.integer({ min: 0xd7fe, max: 0xe001 })),
  { maxLength: 12 },
).map((list) => String.fromCharCode(...list));

for (const encoding of encodings) {
  Deno.test(`${encoding}: any text comes out as the same text in UTF-8, however its bytes are cut`, () => {
    fc.assert(
      fc.property(text, sizes, (any, cut) => {
        const writable = Array.from(any).filter((one) => canBeWritten(one, encoding)).join("");
        const out = transcoded(written(writable, encoding), encoding, cut);
        assert.deepEqual(out, new TextEncoder().encode(writable));
      }),
      { numRuns: 500 },
    );
  });

  Deno.test(`${encoding}: any bytes at all give the same, however they are cut`, () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), sizes, (bytes, cut) => {
        assert.deepEqual(transcoded(bytes, encoding, cut), transcoded(bytes, encoding));
      }),
      { numRuns: 500 },
    );
  });
}

for (const encoding of ["utf-16le", "utf-16be"] as const) {
  Deno.test(`${encoding}: a line with half of a pair is not valid UTF-8, and every other line is`, () => {
    fc.assert(
      fc.property(units, sizes, (any, cut) => {
        const out = Buffer.from(transcoded(written(any, encoding), encoding, cut)).toString("latin1").split("\n");
        const lines = any.split("\n");
        assert.equal(out.length, lines.length);
        lines.forEach((line, i) => {
          const bytes = new Uint8Array(Buffer.from(out[i] ?? "", "latin1"));
          assert.equal(isValidUtf8(bytes), line.isWellFormed());
          if (line.isWellFormed()) assert.equal(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes), line);
        });
      }),
      { numRuns: 1000 },
    );
  });

  Deno.test(`${encoding}: half a unit at the end spoils the last line only`, () => {
    const bytes = new Uint8Array([...written("good\nbad", encoding), 0x41]);
    const out = transcoded(bytes, encoding, [3]);
    assert.deepEqual(out, new Uint8Array([...new TextEncoder().encode("good\nbad"), 0xff]));
  });
}

Deno.test("the five bytes that windows-1252 leaves out are no UTF-8", () => {
  const refused = Array.from({ length: 256 }, (_, byte) => byte)
    .filter((byte) => !isValidUtf8(transcoded(Uint8Array.of(0xe4, byte, 0x61), "windows-1252")));
  assert.deepEqual(refused, [0x81, 0x8d, 0x8f, 0x90, 0x9d]);
});

Deno.test("UTF-8 passes without a copy, and so does ASCII in the encodings of one byte a character", () => {
  const ascii = new TextEncoder().encode("device_id,value\n");
  for (const encoding of ["utf-8", "latin1", "windows-1252"] as const) {
    assert.equal(createTranscode(encoding).push(ascii), ascii);
  }
  const anything = Uint8Array.of(0xff, 0xc3, 0xa9);
  assert.equal(createTranscode("utf-8").push(anything), anything);
});

const seed = printedSeed("transcoding");
const pythonNames = {
  "utf-8": "utf-8",
  "utf-16le": "utf-16-le",
  "utf-16be": "utf-16-be",
  latin1: "latin-1",
  "windows-1252": "cp1252",
} as const;

if (await havePython()) {
  Deno.test("Python decodes every encoding to the same, and refuses what we make invalid", async () => {
    const questions = encodings.flatMap((encoding) => {
      const texts = fc.sample(text, { seed, numRuns: 200 });
      const bytes = encoding.startsWith("utf-16")
        ? fc.sample(units, { seed, numRuns: 300 }).map((one) => written(one, encoding))
        : fc.sample(fc.uint8Array({ maxLength: 30 }), { seed, numRuns: 300 });
      const all = [
        ...texts.map((one) => written(one, encoding)),
        ...bytes,
        Uint8Array.from({ length: 256 }, (_, i) => i),
      ];
      return all.map((one) => ({ encoding, bytes: one, hex: Buffer.from(one).toString("hex") }));
    });
    const program = `
def decoded(question):
    encoding, hex = question
    raw = bytes.fromhex(hex)
    passing = raw.decode(encoding, 'surrogatepass').encode('utf-8', 'surrogatepass').hex() if encoding.startswith('utf-16') and len(raw) % 2 == 0 else None
    try:
        return [raw.decode(encoding).encode('utf-8').hex(), passing]
    except UnicodeError:
        return [None, passing]
print(json.dumps([decoded(q) for q in json.load(sys.stdin)]))`;
    const answers = await askPython(program, questions.map(({ encoding, hex }) => [pythonNames[encoding], hex]));
    let refused = 0;
    questions.forEach(({ encoding, bytes, hex }, i) => {
      const answer = answers[i];
      assert.ok(Array.isArray(answer));
      const [strict, passing] = answer;
      const ours = transcoded(bytes, encoding, [5]);
      const oursHex = Buffer.from(ours).toString("hex");
      assert.equal(isValidUtf8(ours) ? oursHex : null, strict, `${encoding} ${hex}`);
      if (passing !== null) assert.equal(oursHex, passing, `${encoding} ${hex}`);
      if (strict === null) refused += 1;
    });
    assert.ok(refused > 200, `only ${refused} refusals to compare`);
  });
} else {
  leftOut("The second opinion on encodings", "no python3 on PATH; install Python 3");
}
