/**
 * Tests of the tests: a spool that is broken in one place is caught by what is promised of it.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { createPipeline } from "../../src/pipeline.ts";
import { orderHolds } from "./promises.ts";
import { type Plan, play } from "./world.ts";

const source = new URL("../../src/", import.meta.url);

const troubled: Plan = {
  ...{ seed: 3, topics: 6, partitions: 3, perSecond: 200, publishMs: 40_000, receiveMax: 100, bytesMax: 1e9 },
  ...{ whenFull: "block", inFlightRows: 40, sinkPerSecond: 150, givesBack: true, commitMs: 20, diskFails: [] },
  downs: [{ partition: -1, fromMs: 5_000, toMs: 20_000 }, { partition: 1, fromMs: 22_000, toMs: 35_000 }],
  crashesMs: [],
};

const slowSink: Plan = {
  ...{ ...troubled, downs: [], sinkPerSecond: 30 },
  crashesMs: Array.from({ length: 14 }, (_, i) => 2_600 + i * 2_500),
};

const broken = [
  {
    name: "what passed by gets its number after what is newer",
    file: "books.ts",
    from: "enterPassing();\n      return numbered(item, flow);",
    to: "return numbered(item, flow);",
    plan: slowSink,
  },
  {
    name: "new readings of a topic overtake those in the spool",
    file: "spool.ts",
    from: "if (topic !== undefined && (topic.still || topic.queued.size > 0 || topic.stored > 0)) return true;",
    to: "",
    plan: troubled,
  },
  {
    name: "what is in memory of a topic is not written before what is newer",
    file: "spool.ts",
    from: "if (begun.size > 0) cover(begun);",
    to: "",
    plan: slowSink,
  },
  {
    name: "what is held is given back as well, and sent twice",
    file: "sink_watch.ts",
    from: "if (ahead === undefined) {",
    to: "if (ahead === undefined && entry.number % 2 === 0) {",
    plan: troubled,
  },
] as const;

for (const { name, file, from, to, plan } of broken) {
  Deno.test(`a broken spool is caught: ${name}`, async () => {
    const folder = await Deno.makeTempDir({ prefix: "weir-broken-" });
    try {
      const make = await copyOf(folder, file, from, to);
      let caught: unknown = null;
      for (let seed = 1; seed <= 5 && caught === null; seed++) {
        caught = await play({ ...plan, seed }, 20_000, make).then((outcome) => {
          orderHolds(outcome);
          const { size } = new Set(outcome.landed.map(({ topic, n }) => `${topic} ${n}`));
          if (plan.crashesMs.length === 0) assert.equal(outcome.landed.length, size);
          return null;
        }).catch((thrown: unknown) => thrown);
      }
      assert.ok(caught instanceof Error, "nothing shows it");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

/** The pipeline on a copy of the spool that has one edit. */
async function copyOf(folder: string, file: string, from: string, to: string): Promise<typeof createPipeline> {
  for await (const { name } of Deno.readDir(new URL("spool/", source))) {
    let text = await Deno.readTextFile(new URL(`spool/${name}`, source));
    if (name === file) {
      assert.equal(text.split(from).length, 2, `"${from}" must stand once in ${name}`);
      text = text.replace(from, () => to);
    }
    await Deno.writeTextFile(join(folder, name), text.replaceAll(`"../core/`, `"${new URL("core/", source).href}`));
  }
  const pipeline = (await Deno.readTextFile(new URL("pipeline.ts", source)))
    .replaceAll(`"./spool/`, `"${pathToFileURL(folder).href}/`).replaceAll(`"./`, `"${source.href}`);
  await Deno.writeTextFile(join(folder, "pipeline.ts"), pipeline);
  const module: { createPipeline: typeof createPipeline } = await import(
    pathToFileURL(join(folder, "pipeline.ts")).href
  );
  return module.createPipeline;
}
