/**
 * One real file of many gigabytes through the real program into a real Kafka, without a cap: every row arrives, in constant memory.
 *
 * @module
 */
import assert from "node:assert/strict";
import { countOf } from "../support/kafka.ts";
import { startGateway } from "../support/gateway.ts";
import { startKafka } from "../support/kafka.ts";
import { say } from "../support/seed.ts";
import { thirdsOf, watchMemory } from "./memory.ts";

/** The most that the program may have, in MiB: it is to run on a gateway with 512. */
const memoryMax = 320;
const rowsAtOnce = 20_000;

/** Runs it with a file of so many gigabytes. */
export async function bigFile(gigabytes: number): Promise<void> {
  // Kafka keeps the last of it only: what is counted are the offsets.
  const properties = {
    "log.segment.bytes": "67108864",
    "log.retention.bytes": "134217728",
    "log.retention.check.interval.ms": "5000",
  };
  const kafka = await startKafka({ properties }, "full");
  const root = await Deno.makeTempDir({ prefix: "weir-big-" });
  try {
    await kafka.createTopic("big", 4);
    await Deno.mkdir(`${root}/drop`);
    const rows = await write(`${root}/drop/big.csv`, gigabytes * 1e9);
    say(`big file: ${rows} rows in ${gigabytes} GB are written`);
    const startedMs = performance.now();
    const gateway = startGateway([
      "run",
      ...["--once", "--gateway", "big", "--state-dir", `${root}/state`],
      ...["--files-dir", `${root}/drop`, "--files-ready", "rename", "--files-cap", "none", "--files-after", "delete"],
      ...["--kafka-brokers", kafka.brokers.join(","), "--kafka-topic", "big"],
    ]);
    const memory = watchMemory(gateway.pid);
    assert.equal(await gateway.ended, 0, gateway.stderr().slice(-4_000));
    await memory.stop();
    const seconds = (performance.now() - startedMs) / 1000;
    assert.equal(await countOf(kafka, "big"), rows, "each row once");
    const most = Math.round(Math.max(...memory.mebibytes));
    say(
      `big file: ${gigabytes} GB, ${rows} rows, each once, in ${seconds.toFixed(0)} s (${
        Math.round(rows / seconds)
      } rows/s); ` +
        `memory by thirds ${thirdsOf(memory.mebibytes).join(", ")} MiB, at most ${most} MiB`,
    );
    assert.ok(most <= memoryMax, `${most} MiB are too much`);
  } finally {
    await kafka.close();
    await Deno.remove(root, { recursive: true });
  }
}

async function write(path: string, bytesMin: number): Promise<number> {
  using file = await Deno.open(path, { write: true, create: true });
  const writer = file.writable.getWriter();
  const encoder = new TextEncoder();
  let rows = 0;
  let bytes = 0;
  await writer.write(encoder.encode("device_id,metric,value,ts\n"));
  while (bytes < bytesMin) {
    const lines = Array.from({ length: rowsAtOnce }, (_, i) => `press-${i % 10},count,${rows + i},1767225600000\n`);
    const text = encoder.encode(lines.join(""));
    await writer.write(text);
    bytes += text.length;
    rows += rowsAtOnce;
  }
  await writer.close();
  return rows;
}
