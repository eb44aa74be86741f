/**
 * Which topic a reading goes to: a fixed one, or one by a template, which only gives what is on the list of allowed topics.
 *
 * @module
 */
import type { Reading } from "../../core/reading.ts";
import { quoted } from "../../core/text.ts";
import { isTopicName, type ParsedOptions } from "./options.ts";

/** The topic of a reading, or why it has none. */
export type TopicOf = (
  reading: Reading,
) => { readonly ok: true; readonly name: string } | { readonly ok: false; readonly detail: string };

/** Makes a {@linkcode TopicOf}. */
export function createTopicOf(options: ParsedOptions): TopicOf {
  const { topic } = options;
  const fixed = { ok: true, name: topic.source } as const;
  if (topic.fields.length === 0) return () => fixed;
  const allowed = new Map(options.topicAllow.map((name) => [name, { ok: true, name } as const]));
  return (reading) => {
    // Of a packed reading they are made at each call.
    const { fields } = reading;
    const missing = topic.missing(fields);
    if (missing.length > 0) {
      const names = missing.map((name) => quoted(name)).join(", ");
      return {
        ok: false,
        detail: `The topic template ${quoted(topic.source)} needs ${names}, which the reading has not`,
      };
    }
    const name = topic.render(fields) ?? "";
    const verdict = allowed.get(name);
    if (verdict !== undefined) return verdict;
    const why = isTopicName(name) ? "is not on the list of allowed topics" : "cannot be the name of a Kafka topic";
    return { ok: false, detail: `The topic ${quoted(name)} ${why}` };
  };
}
