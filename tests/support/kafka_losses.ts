/**
 * What is missing of a flood, told so that the cause can be seen: a tail that was not read, a batch that Kafka took for a duplicate (what
 * was sent before and after it stands side by side), or a log that was cut (it is shorter than what was acknowledged: the sink says so).
 *
 * @module
 */
import type { ConsumedRecord } from "./kafka_tools.ts";

/** Where a number has to be. */
export interface Home {
  readonly partition: number;
  /** The records of a line are in order. */
  readonly line: string;
}

/** Of each partition, so many are told one by one. */
const toldMax = 20;

/** Tells which numbers below `sent` are in no record, of which partition, and at which offset their line goes on; empty: all are there. */
export function lossesTold(
  records: readonly ConsumedRecord[],
  sent: number,
  numberOf: (record: ConsumedRecord) => number,
  homeOf: (n: number) => Home,
): string {
  const offsetOf = new Map(records.map((record) => [numberOf(record), record.offset]));
  const lost = new Map<number, string[]>();
  const goesOnAt = new Map<string, number>();
  // From the end, so that what stands behind a lost one is known when it is met.
  for (let n = sent - 1; n >= 0; n--) {
    const { partition, line } = homeOf(n);
    const offset = offsetOf.get(n);
    if (offset !== undefined) {
      goesOnAt.set(line, offset);
      continue;
    }
    const behind = goesOnAt.get(line);
    const where = behind === undefined ? "the end of its line" : `its line goes on at offset ${behind}`;
    const told = lost.get(partition) ?? [];
    lost.set(partition, told);
    told.push(`  ${n} (${line}): ${where}`);
  }
  return [...lost].toSorted(([a], [b]) => a - b).flatMap(([partition, told]) => [
    `partition ${partition}: ${told.length} lost; ${offsetsTold(records, partition)}`,
    ...told.toReversed().slice(0, toldMax),
  ]).join("\n");
}

function offsetsTold(records: readonly ConsumedRecord[], partition: number): string {
  const offsets = records.filter((record) => record.partition === partition).map(({ offset }) => offset);
  const gaps: string[] = [];
  let last = -1;
  for (const offset of offsets.toSorted((a, b) => a - b)) {
    if (offset > last + 1) gaps.push(`${last} to ${offset}`);
    last = offset;
  }
  return `${offsets.length} records read, the last at offset ${last}, gaps in the offsets: ${
    gaps.join(", ") || "none"
  }`;
}
