/**
 * JSON files for property tests: whole, and broken in places.
 *
 * @module
 */
import fc from "fast-check";

const encoder = new TextEncoder();

/** JSON texts of objects, arrays and scalars, and things that are nearly JSON but balanced. */
export const element: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.dictionary(fc.string({ maxLength: 4 }), fc.jsonValue({ maxDepth: 2 })).map((o) => JSON.stringify(o)),
  },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 1 }).map((value) => JSON.stringify(value)) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      '{"a":1,}',
      "{a:1}",
      "{,}",
      '{"a":"\\""}',
      '{"a":"]}"}',
      "nope",
      '{"\u20ac":"\ud83d\ude00"}',
    ),
  },
);

const space = fc.constantFrom("", " ", "\n", "\r\n\t ");

/** A file with one array. */
export const arrayFile: fc.Arbitrary<Uint8Array> = fc
  .array(fc.tuple(space, element, space), { maxLength: 8 })
  .map((elements) => encoder.encode(`[${elements.map((parts) => parts.join("")).join(",")}]\n`));

/** A file with one value a line. */
export const linesFile: fc.Arbitrary<Uint8Array> = fc
  .array(
    fc.oneof({ weight: 5, arbitrary: element }, { weight: 1, arbitrary: fc.constantFrom("", '{"a":', "]", " ") }),
    { maxLength: 8 },
  )
  .chain((lines) => fc.constantFrom("\n", "\r\n").map((ending) => encoder.encode(lines.join(ending))));

/** A file as before, with one byte of it changed now and then. */
export function damaged(file: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  return fc.tuple(file, fc.option(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })))).map(([bytes, damage]) => {
    if (damage === null || bytes.length === 0) return bytes;
    const copy = bytes.slice();
    copy[damage[0] % copy.length] = damage[1];
    return copy;
  });
}
