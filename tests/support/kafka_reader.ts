/**
 * Reading a topic whose leaders have just changed. A new leader has every record, but shows readers no more than it knows to be on its
 * followers too, and for that it must hear of them first: until then it says "the end" before the end, and what is behind that looks lost.
 *
 * @module
 */
import type { ConsumedRecord } from "./kafka_tools.ts";
import { eventually } from "./servers.ts";

/** Where a partition ends: the offset behind its last record. */
export interface PartitionEnd {
  readonly partition: number;
  readonly end: number;
}

/** What reading works with. */
export interface TopicReader {
  /** The ends as the leaders tell them. A leader that cannot know yet refuses (KIP-207), and so does this. */
  ends(): Promise<readonly PartitionEnd[]>;
  /** All records that the leaders show at the moment. */
  read(): Promise<readonly ConsumedRecord[]>;
}

/**
 * Reads a topic that nobody writes to any more, as far as its leaders say that it goes. It waits for them and not for records: records that
 * are in no log are not waited for.
 *
 * @throws {Error} when the leaders do not tell, or do not show all, in time
 */
export async function readToEnds(topic: string, reader: TopicReader): Promise<readonly ConsumedRecord[]> {
  const ends = await eventually(`the leaders know where ${topic} ends`, () => reader.ends());
  return await eventually(`all of ${topic} is shown`, async () => {
    const records = await reader.read();
    const read = new Map<number, number>();
    for (const { partition, offset } of records) read.set(partition, Math.max(read.get(partition) ?? 0, offset + 1));
    const short = ends.filter(({ partition, end }) => (read.get(partition) ?? 0) < end);
    if (short.length === 0) return records;
    const told = short.map(({ partition, end }) =>
      `partition ${partition} up to ${read.get(partition) ?? 0} of ${end}`
    );
    throw new Error(`Only read: ${told.join(", ")}`);
  });
}
