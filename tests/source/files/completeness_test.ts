import assert from "node:assert/strict";
import { createCompleteness } from "../../../src/source/files/completeness.ts";
import type { Listing } from "../../../src/source/files/folder.ts";

function listing(sizeBytes: number, mtimeMs = 1, inode = 1): Listing {
  const facts = { kind: "file", device: 1, inode, sizeBytes, mtimeMs, arrivedMs: null } as const;
  return {
    files: [{ path: "a.csv", fullPath: "/a.csv", facts, mtimeMs }],
    markers: new Map(),
    links: [],
    truncated: false,
  };
}

Deno.test("quiet: any change of size, mtime or inode begins the time again", () => {
  for (const change of [listing(2), listing(1, 2), listing(1, 1, 2)]) {
    const completeness = createCompleteness({ ready: "quiet", quietMs: 100 });
    const look = (what: Listing, nowMs: number) => completeness.observe(what, nowMs, () => false).length;
    assert.equal(look(listing(1), 0), 0);
    assert.equal(look(listing(1), 99), 0);
    assert.equal(completeness.nextDueMs(), 100);
    assert.equal(look(change, 99.5), 0);
    assert.equal(look(change, 199), 0);
    assert.deepEqual(completeness.unripe, ["a.csv"]);
    assert.equal(look(change, 199.5), 1);
    assert.deepEqual(completeness.unripe, []);
    assert.equal(completeness.nextDueMs(), null);
  }
});
