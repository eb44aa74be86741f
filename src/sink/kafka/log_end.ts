/**
 * Notices when a partition's log is shorter than what Kafka acknowledged in it before: the topic was deleted and made again, or a leader
 * was elected that has not all records. Nothing of it is ours to mend; but somebody should know that records are gone.
 *
 * @module
 */
import type { Clock } from "../../core/clock.ts";
import type { Emit } from "../../core/event.ts";
import { quoted } from "../../core/text.ts";
import type { Partition } from "./partition.ts";

/** The partitions of a topic go together: they are one piece of news for so long, in ms. */
const oneNewsMs = 60_000;

/** Takes in that `records` were acknowledged from `baseOffset` on; -1: Kafka did not tell where. */
export type FollowLogEnd = (partition: Partition, baseOffset: number, records: number) => void;

/** Makes a {@linkcode FollowLogEnd}. */
export function logEndWatch({ clock, emit }: { readonly clock: Clock; readonly emit: Emit }): FollowLogEnd {
  const toldMs = new Map<string, number>();
  return (partition, baseOffset, records) => {
    if (baseOffset < 0) return;
    const before = partition.logEnd;
    partition.logEnd = baseOffset + records;
    if (baseOffset >= before) return;
    const { topic, index } = partition;
    const nowMs = clock.nowMs();
    if (nowMs - (toldMs.get(topic) ?? -Infinity) < oneNewsMs) return;
    toldMs.set(topic, nowMs);
    const message =
      `Kafka topic ${quoted(topic)} goes on at offset ${baseOffset} of partition ${index}, and had acknowledged all ` +
      `before ${before}: it was deleted and made again, or a leader without all records was elected. ` +
      "What was acknowledged before may be gone; what is sent from now on arrives";
    emit("warn", "kafka.log_shorter", message, { topic, partition: index, offset: baseOffset, before });
  };
}
