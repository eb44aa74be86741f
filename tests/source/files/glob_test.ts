import assert from "node:assert/strict";
import { globTest } from "../../../src/source/files/glob.ts";
import { filesDefaults } from "../../../src/source/files/options.ts";

Deno.test("the default pattern takes the known endings and their compressed forms, in any letter case", () => {
  const fits = globTest(filesDefaults.pattern);
  for (const name of ["a.csv", "a.CSV", "a.tsv.gz", "a.json.zst", "a.ndjson", "a.jsonl.GZ"]) {
    assert.ok(fits(name), name);
  }
  for (const name of ["a.txt", "csv", "a.csv.bak", "a.csv.gz.tmp", "a.csvx", "a.gz"]) assert.ok(!fits(name), name);
});

Deno.test("a glob takes brackets, and odd characters as they are", () => {
  assert.deepEqual(["a1.csv", "ab.csv", "a-.csv"].map(globTest(["a[!a-z].csv"])), [true, false, true]);
  assert.deepEqual(["a(1)+.csv", "a1.csv"].map(globTest(["a(1)+.csv"])), [true, false]);
  assert.deepEqual(["a{.csv", "a.csv"].map(globTest(["a{.csv"])), [true, false]);
  assert.deepEqual(["a\nb.csv"].map(globTest(["*.csv"])), [true]);
});
