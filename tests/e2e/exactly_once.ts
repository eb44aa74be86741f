/**
 * A gateway with `--files-exactly-once` at a real Kafka, its dumps, and what a `read_committed` reader (kcat) and the ledger have of them.
 *
 * @module
 */
import assert from "node:assert/strict";
import { dropFile } from "../support/drop_file.ts";
import { runGateway, startGateway } from "../support/gateway.ts";
import type { RunningKafka } from "../support/kafka.ts";
import { eventually, patienceMs } from "../support/servers.ts";

/** Folders and topics of one test. */
export interface ExactlyOnceScene {
  readonly root: string;
  readonly topic: string;
  readonly checkpointTopic: string;
  /** Arguments of the program; more go behind. */
  arguments(...more: readonly string[]): readonly string[];
  start(...more: readonly string[]): ReturnType<typeof startGateway>;
  /** Drops the next dump; returns its good rows so far, in all dumps. */
  drop(rows: number): Promise<void>;
  /** Good, bad and too large rows of all dumps so far. */
  readonly expected: { readonly good: readonly number[]; readonly bad: number; readonly tooLarge: number };
  /** Numbers of the good rows in the topic, sorted: one that came twice stands twice. */
  arrived(): Promise<readonly number[]>;
  /** Ids of the dead letters in the ledger. */
  letters(): Promise<readonly string[]>;
  /** Waits until all dumps are archived and all good rows are there. */
  settled(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** What a record may have at most; the too large rows have more. */
const recordBytesMax = 4000;
const badEvery = 100;
const badAt = 7;
const tooLargeAt = 50;

/** Makes folders and topics. */
export async function exactlyOnceScene(
  kafka: Pick<RunningKafka, "brokers" | "createTopic" | "read">,
  name: string,
  capRows: number | "none" = 1500,
): Promise<ExactlyOnceScene> {
  const root = await Deno.makeTempDir({ prefix: "weir-eos-" });
  const topic = `eos-${name}`;
  const checkpointTopic = `${topic}-checkpoints`;
  await Deno.mkdir(`${root}/drop`);
  await kafka.createTopic(topic, 3, { "max.message.bytes": `${recordBytesMax}` });
  const good: number[] = [];
  const counts = { bad: 0, tooLarge: 0 };
  let dumps = 0;

  const scene: ExactlyOnceScene = {
    root,
    topic,
    checkpointTopic,
    expected: {
      good,
      get bad() {
        return counts.bad;
      },
      get tooLarge() {
        return counts.tooLarge;
      },
    },
    arguments: (...more) => [
      "run",
      ...["--log-level", "debug", "--gateway", `gw-${name}`, "--state-dir", `${root}/state`],
      ...["--files-dir", `${root}/drop`, "--files-ready", "rename", "--files-poll", "1s", "--files-cap", `${capRows}`],
      ...["--kafka-brokers", kafka.brokers.join(","), "--kafka-topic", topic],
      ...["--files-exactly-once", "--files-checkpoint-topic", checkpointTopic],
      ...more,
    ],
    start: (...more) => startGateway(scene.arguments(...more)),
    async drop(rows) {
      const lines = ["device_id,metric,value,ts,note"];
      for (let row = 0; row < rows; row++) {
        const kind = row % badEvery;
        if (kind === badAt) {
          counts.bad += 1;
          lines.push(`press-${row % 10},ragged`);
          continue;
        }
        const number = good.length + counts.tooLarge;
        if (kind === tooLargeAt) counts.tooLarge += 1;
        else good.push(number);
        const note = kind === tooLargeAt ? "x".repeat(recordBytesMax) : "";
        lines.push(`press-${row % 10},count,${number},1767225600000,${note}`);
      }
      await dropFile(`${root}/drop`, `dump-${String(dumps++).padStart(6, "0")}.csv`, `${lines.join("\n")}\n`);
    },
    async arrived() {
      const records = await kafka.read(topic);
      return records.map(({ value }) => Number(JSON.parse(value ?? "{}")["value"])).toSorted((a, b) => a - b);
    },
    async letters() {
      const listed = await runGateway(["dlq", "list", "--json", "--limit", "100000", "--state-dir", `${root}/state`]);
      assert.equal(listed.code, 0, listed.stderr);
      return listed.stdout.split("\n").filter((line) => line !== "").map((line) => String(JSON.parse(line)["id"]));
    },
    async settled() {
      await eventually(
        "all dumps are archived and all good rows are there",
        async () => {
          const left = (await Array.fromAsync(Deno.readDir(`${root}/drop`))).map((entry) => entry.name);
          const arrived = await scene.arrived();
          if (left.join() === "done" && arrived.length >= good.length) return true;
          throw new Error(`${arrived.length} of ${good.length} rows arrived; left: ${left.join()}`);
        },
        patienceMs,
        500,
      );
    },
    async [Symbol.asyncDispose]() {
      await Deno.remove(root, { recursive: true });
    },
  };
  return scene;
}

/** Every good row once, every bad row and every too large row one dead letter, and nothing else. */
export async function assertExactlyOnce(scene: ExactlyOnceScene): Promise<void> {
  // A leader that is new may show less than it has for a while.
  const arrived = await eventually("all good rows are shown", async () => {
    const shown = await scene.arrived();
    return shown.length >= scene.expected.good.length ? shown : null;
  });
  assert.deepEqual(arrived, scene.expected.good, "every good row once");
  const letters = await scene.letters();
  const wanted = scene.expected.bad + scene.expected.tooLarge;
  assert.deepEqual([new Set(letters).size, letters.length], [wanted, wanted], "every other row is one dead letter");
}
