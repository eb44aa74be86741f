/** @module */
import assert from "node:assert/strict";
import { createMemberWriter, memberOf } from "../../src/decode/member_writer.ts";
import { planRowEnd } from "../../src/decode/row_end.ts";
import { createRules } from "../../src/decode/rules.ts";
import { anyType } from "../../src/decode/schema.ts";
import { createTimeReader } from "../../src/decode/time.ts";
import { bytesOf } from "./drain.ts";

Deno.test("rules see the number that was written, however it is written", () => {
  const members = createMemberWriter(createTimeReader({ timeZone: "UTC", timeFormat: "epoch" }));
  const field = { name: "n", types: anyType, required: false, check: null };
  const rules = createRules({ sets: [{ field: "m", expression: "n" }], filter: null, names: ["n"], open: true });
  for (const number of ["1e3", "-2E-5", "0.5", "123456789012345678", "7"]) {
    const end = planRowEnd({ list: [memberOf({ field, column: 0, key: '"n":' })], members, rules });
    const row = bytesOf(`{"n":${number},`);
    const page = new Uint8Array(row.length + end.extraBytes + 200);
    page.set(row);
    end.starts.set([1, row.length]);
    const stop = end.put(page, row.length);
    assert.equal(new TextDecoder().decode(page.subarray(0, stop)), `{"n":${number},"m":${Number(number)},`);
  }
});
