import assert from "node:assert/strict";
import { readToEnds, type TopicReader } from "./kafka_reader.ts";
import type { ConsumedRecord } from "./kafka_tools.ts";

Deno.test("a topic is read to where its leaders say that it ends, once they know", async () => {
  const asked: string[] = [];
  const answers = [[2, 0], [3, 0], [3, 1]] as const;
  const reader: TopicReader = {
    ends() {
      asked.push("ends");
      if (asked.length === 1) return Promise.reject(new Error("There is no leader for this topic-partition"));
      return Promise.resolve([{ partition: 0, end: 3 }, { partition: 1, end: 1 }, { partition: 2, end: 0 }]);
    },
    read() {
      const counts = answers[asked.filter((what) => what === "read").length] ?? [3, 1];
      asked.push("read");
      return Promise.resolve(counts.flatMap((count, partition) => recordsOf(partition, count)));
    },
  };
  assert.deepEqual(await readToEnds("t", reader), [...recordsOf(0, 3), ...recordsOf(1, 1)]);
  assert.deepEqual(asked, ["ends", "ends", "read", "read", "read"]);
});

Deno.test("records that are in no log are not waited for", async () => {
  let reads = 0;
  const reader: TopicReader = {
    ends: () => Promise.resolve([{ partition: 0, end: 3 }]),
    read() {
      reads += 1;
      return Promise.resolve(recordsOf(0, 3));
    },
  };
  assert.equal((await readToEnds("t", reader)).length, 3);
  assert.equal(reads, 1);
});

function recordsOf(partition: number, count: number): readonly ConsumedRecord[] {
  return Array.from(
    { length: count },
    (_, offset) => ({ partition, offset, timestampMs: 0, key: null, value: null, headers: {} }),
  );
}
