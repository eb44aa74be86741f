import assert from "node:assert/strict";
import { type DumpFormat, dumpTexts, writeDump } from "./bench_data.ts";

const linesOf = (...args: Parameters<typeof dumpTexts>) => [...dumpTexts(...args)].join("").trimEnd().split("\n");

Deno.test("the formats hold the same rows, the same on every run", () => {
  const [header, ...csv] = linesOf(1000, "csv");
  assert.equal(header, "device_id,metric,value,ts,unit");
  const ndjson = linesOf(1000, "ndjson").map((line) => Object.values(JSON.parse(line)).map(String));
  assert.deepEqual(csv.map((line) => line.split(",").map((cell, i) => i === 2 ? String(Number(cell)) : cell)), ndjson);
  assert.deepEqual(linesOf(1000, "csv").slice(1), csv);
  assert.notDeepEqual(linesOf(1000, "csv", { seed: 2 }).slice(1), csv);
});

Deno.test("one row in a hundred is bad where that is asked for", () => {
  const bad = linesOf(1000, "csv", { badEvery: 100 }).filter((line) => line.includes("broken"));
  assert.equal(bad.length, 10);
});

Deno.test("a file holds the text, packed or not", async () => {
  const folder = await Deno.makeTempDir({ prefix: "weir-bench-data-" });
  const expected = [...dumpTexts(30_000, "csv")].join("");
  const read = async (format: DumpFormat, unpack: (file: Deno.FsFile) => ReadableStream<Uint8Array<ArrayBuffer>>) => {
    await writeDump(`${folder}/dump.${format}`, 30_000, format);
    return await new Response(unpack(await Deno.open(`${folder}/dump.${format}`))).text();
  };
  assert.equal(await read("csv", (file) => file.readable), expected);
  assert.equal(await read("csv.gz", (file) => file.readable.pipeThrough(new DecompressionStream("gzip"))), expected);
  await Deno.remove(folder, { recursive: true });
});
