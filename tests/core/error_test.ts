import assert from "node:assert/strict";
import { messageOf, WeirError } from "../../src/core/error.ts";

Deno.test("a message looks through wrappers to the first cause and says nothing twice", () => {
  const cause = new Error("ECONNREFUSED 127.0.0.1:1");
  assert.equal(messageOf(new Error("Cannot connect", { cause })), "Cannot connect: ECONNREFUSED 127.0.0.1:1");
  assert.equal(messageOf(new Error(`Cannot connect: ${cause.message}`, { cause })), `Cannot connect: ${cause.message}`);
  assert.equal(messageOf("text"), "text");
});

Deno.test("exit codes follow sysexits", () => {
  const exits = (["configuration", "unavailable", "permission", "locked", "storage"] as const)
    .map((code) => new WeirError(code, "x").exitCode);
  assert.deepEqual(exits, [78, 69, 77, 75, 75]);
});
