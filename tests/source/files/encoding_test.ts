/** @module */
import assert from "node:assert/strict";
import fc from "fast-check";
import { WeirError } from "../../../src/core/error.ts";
import { encodingOf, type EncodingSetting } from "../../../src/source/files/encoding.ts";
import { written } from "./encodings.ts";

const settings: readonly EncodingSetting[] = ["auto", "utf-8", "utf-16", "latin1", "windows-1252"];
const csv = "device_id;value\na;1\n";

Deno.test("a byte order mark decides, but where everything is to be taken as UTF-8", () => {
  for (const setting of settings) {
    for (const encoding of ["utf-8", "utf-16le", "utf-16be"] as const) {
      const found = encodingOf(written(`\ufeff${csv}`, encoding), setting);
      assert.equal(found, setting === "utf-8" ? "utf-8" : encoding);
    }
  }
});

Deno.test("a file without a byte order mark is what the setting says; auto: UTF-8", () => {
  const bytes = written(csv, "latin1");
  assert.equal(encodingOf(bytes, "auto"), "utf-8");
  for (const setting of ["utf-8", "latin1", "windows-1252"] as const) assert.equal(encodingOf(bytes, setting), setting);
});

Deno.test("without a byte order mark the bytes of zero tell which end of UTF-16 comes first", () => {
  const unit = fc.oneof(
    { weight: 1, arbitrary: fc.constantFrom("\u3000", "\u0100", "\u6e29") },
    { weight: 2, arbitrary: fc.constantFrom("a", ";", "1") },
  );
  fc.assert(fc.property(fc.array(unit, { maxLength: 20 }), (letters) => {
    const text = letters.join("") + csv + csv;
    for (const encoding of ["utf-16le", "utf-16be"] as const) {
      assert.equal(encodingOf(written(text, encoding), "utf-16"), encoding);
    }
  }));
});

Deno.test("what is to be UTF-16 and has no byte of zero is refused with advice", () => {
  assert.throws(
    () => encodingOf(written(csv, "utf-8"), "utf-16"),
    (error) => error instanceof WeirError && error.code === "bad_file" && /not UTF-16/.test(error.message),
  );
});
