import assert from "node:assert/strict";
import { lossesTold } from "./kafka_losses.ts";
import type { ConsumedRecord } from "./kafka_tools.ts";

const numberOf = ({ value }: ConsumedRecord) => Number(value);
const homeOf = (n: number) => ({ partition: n % 2, line: `line ${n % 2}` });

Deno.test("what is missing is told with its partition and with what stands around it", () => {
  const records = [[0, 0, 0], [0, 1, 4], [0, 3, 6], [1, 0, 1], [1, 1, 3]] as const;
  const told = lossesTold(records.map(([partition, offset, n]) => recordOf(partition, offset, n)), 8, numberOf, homeOf);
  assert.equal(
    told,
    [
      "partition 0: 1 lost; 3 records read, the last at offset 3, gaps in the offsets: 1 to 3",
      "  2 (line 0): its line goes on at offset 1",
      "partition 1: 2 lost; 2 records read, the last at offset 1, gaps in the offsets: none",
      "  5 (line 1): the end of its line",
      "  7 (line 1): the end of its line",
    ].join("\n"),
  );
});

Deno.test("nothing is told when nothing is missing", () => {
  assert.equal(lossesTold([recordOf(0, 0, 0), recordOf(1, 0, 1)], 2, numberOf, homeOf), "");
});

function recordOf(partition: number, offset: number, n: number): ConsumedRecord {
  return { partition, offset, timestampMs: 0, key: null, value: String(n), headers: {} };
}
