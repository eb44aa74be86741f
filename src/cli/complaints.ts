/**
 * Mistakes that only the parts can find, in templates, patterns, the schema and the rules: asked one by one, so that all are told at once
 * and each where it was written.
 *
 * @module
 */
import type { Complaint } from "../config/problem.ts";
import type { ReadingsSettings, Settings } from "../config/settings.ts";
import { WeirError } from "../core/error.ts";
import { normalizerOf } from "../registry.ts";
import { parseTemplate } from "../sink/kafka/template.ts";
import { globTest } from "../source/files/glob.ts";
import { parseTopicTemplate } from "../source/mqtt/topic_template.ts";

/** What the parts have against the settings. */
export function complaintsOf(settings: Settings): readonly Complaint[] {
  const { mqtt, files, sink, readings } = settings;
  return [
    ...each("mqtt-topic", mqtt?.subscriptions ?? [], ({ template }) => parseTopicTemplate(template)),
    ...each("files-pattern", files?.patterns ?? [], (pattern) => globTest([pattern])),
    ...ruleComplaints(readings),
    ...(sink.kind === "kafka"
      ? each("kafka-topic", [sink.topic], (topic) => parseTemplate(topic, "topic template"))
      : []),
    ...(sink.kind === "kafka" ? each("kafka-key", [sink.key], (key) => parseTemplate(key, "key template")) : []),
  ];
}

/** Rules may use what the ones before them set, so each is tried behind those that are right. */
function ruleComplaints(readings: ReadingsSettings): readonly Complaint[] {
  const bare = { ...readings, aliases: {}, set: [], filter: null };
  const schema = each("schema", [bare], (only) => normalizerOf({ readings: only }));
  if (schema.length > 0) return schema;
  const named = { ...bare, aliases: readings.aliases };
  const aliases = each("alias", [named], (only) => normalizerOf({ readings: only }));
  if (aliases.length > 0) return aliases;
  let right: ReadingsSettings["set"] = [];
  const sets = each("set", readings.set, (rule) => {
    normalizerOf({ readings: { ...named, set: [...right, rule] } });
    right = [...right, rule];
  });
  const filters = readings.filter === null ? [] : [readings.filter];
  return [
    ...sets,
    ...each("filter", filters, (filter) => normalizerOf({ readings: { ...named, set: right, filter } })),
  ];
}

/** Tries each value of a setting. Anything but a {@linkcode WeirError} is a defect and goes on. */
function each<T>(setting: string, values: readonly T[], attempt: (value: T) => unknown): readonly Complaint[] {
  return values.flatMap((value, index) => {
    try {
      attempt(value);
      return [];
    } catch (thrown) {
      if (!(thrown instanceof WeirError) || thrown.code !== "configuration") throw thrown;
      const advice = thrown.advice === undefined ? "" : `. ${thrown.advice}`;
      return [{ setting, index, message: `${thrown.message}${advice}` }];
    }
  });
}
