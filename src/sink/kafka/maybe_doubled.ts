/**
 * Says that records may be in Kafka twice: a producer id was lost while an attempt to send them was in doubt.
 *
 * @module
 */
import type { Emit } from "../../core/event.ts";
import { quoted } from "../../core/text.ts";
import type { Partition } from "./partition.ts";

/** Says so of `records` of a partition, and gives their number back. */
export function tellMaybeDoubled(emit: Emit, { topic, index }: Partition, records: number): number {
  const message = `Kafka lost track of an attempt to send ${records} records to topic ${quoted(topic)}; ` +
    "they may be there twice, with the same weir.id";
  emit("warn", "kafka.maybe_doubled", message, { topic, partition: index, records });
  return records;
}
