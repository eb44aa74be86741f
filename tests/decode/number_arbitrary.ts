/**
 * Numbers as they are written in JSON, short and long.
 *
 * @module
 */
import fc from "fast-check";

const digits = (max: number): fc.Arbitrary<string> =>
  fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: max }).map((list) => list.join(""));

const whole = digits(24).map((text) => text.replace(/^0+(?=\d)/, ""));

/** Any number by JSON's grammar whose double is finite. */
export const numberText: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom("", "-"),
    fc.oneof(whole, fc.constantFrom("0", "9007199254740993", "1700000000123456", "21")),
    fc.oneof(fc.constant(""), digits(20).map((text) => `.${text}`)),
    fc.oneof({ weight: 4, arbitrary: fc.constant("") }, {
      weight: 1,
      arbitrary: fc.tuple(fc.constantFrom("e", "E"), fc.constantFrom("", "+", "-"), fc.integer({ min: 0, max: 200 }))
        .map((parts) => parts.join("")),
    }, { weight: 1, arbitrary: fc.constantFrom("e-400", "E-330") }),
  )
  .map((parts) => parts.join(""));
