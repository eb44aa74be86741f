import assert from "node:assert/strict";
import { contentHash, contentOf, fileIdOf, headBytes } from "../../../src/source/files/identity.ts";

Deno.test("an id goes by the content after the header, the size and the mtime, and never by the header alone", () => {
  const header = "device_id,metric,value,ts\n";
  const bytes = (text: string) => new TextEncoder().encode(text);
  const a = contentHash(bytes(header + "a,1,2,3\n"));
  assert.notEqual(a, contentHash(bytes(header + "b,1,2,3\n")));
  const long = "x".repeat(headBytes - 1);
  assert.notEqual(contentHash(bytes(header + long + "a")), contentHash(bytes(header + long + "b")));
  const ids = [fileIdOf(a, 1, 1), fileIdOf(a, 2, 1), fileIdOf(a, 1, 2), fileIdOf(a, 1, 1, 1)];
  assert.equal(new Set(ids).size, 4);
  for (const id of ids) assert.equal(contentOf(id), a);
});
