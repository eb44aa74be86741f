/**
 * Topic templates: an MQTT topic filter whose wildcards may have names, so that the levels of a topic become fields of its readings.
 *
 *     plant/{site}/{device_id}/{metric}      subscribes to plant/+/+/+ and names the three levels
 *     plant/{site}/{rest#}                   subscribes to plant/+/#; `rest` is all that follows, slashes included
 *     plant/+/#                              plain wildcards match without naming anything
 *     $share/gateways/plant/{site}/#         a shared subscription; topics are matched against what follows the group
 *
 * Source: MQTT 5.0, section 4.7 (topic names and filters) and 4.8.2 (shared subscriptions).
 *
 * @module
 */
import { WeirError } from "../../core/error.ts";
import { quoted } from "../../core/text.ts";

/** Longest topic or filter, in bytes of UTF-8 (MQTT 5.0, 1.5.4). */
const topicBytesMax = 65_535;

/** A parsed template. */
export interface TopicTemplate {
  /** As it was written. */
  readonly text: string;
  /** What to subscribe to, `$share/...` included. */
  readonly filter: string;
  /** What topics are matched against: the filter without `$share/<group>/`. */
  readonly topicFilter: string;
  readonly fieldNames: readonly string[];
  /** The named fields of a topic, or null when it does not fit. A named level must not be empty; what `{rest#}` names may be. */
  match(topic: string): Readonly<Record<string, string>> | null;
}

/** One level of a template. A `rest` can only be the last. */
type Level =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "one"; readonly field: string | null }
  | { readonly kind: "rest"; readonly field: string | null };

/**
 * Parses a template.
 *
 * @throws {WeirError} `configuration`, saying what is wrong and what would do.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * const template = parseTopicTemplate("plant/{site}/{device_id}/{metric}");
 * assert.equal(template.filter, "plant/+/+/+");
 * assert.deepEqual({ ...template.match("plant/hamburg/press-7/temp") }, { site: "hamburg", device_id: "press-7", metric: "temp" });
 * assert.equal(template.match("plant/hamburg"), null);
 * ```
 */
export function parseTopicTemplate(text: string): TopicTemplate {
  const refuse = (what: string, advice: string): never => {
    throw new WeirError("configuration", `MQTT topic template ${quoted(text)} ${what}`, { advice });
  };
  if (text === "") refuse("is empty", "Write a topic such as plant/{site}/{device_id}/{metric}, or # for all topics");
  if (/\p{Cc}/u.test(text)) refuse("has a control character", "Remove it; topics must not contain control characters");
  if (!text.isWellFormed()) refuse("is not valid Unicode", "Write it in UTF-8");
  const { share, rest } = splitShare(text, refuse);
  const parts = rest.split("/");
  const levels = parts.map((part, index) => parseLevel(part, index === parts.length - 1, refuse));
  const fieldNames = levels.flatMap((level) => level.kind !== "literal" && level.field !== null ? [level.field] : []);
  const twice = fieldNames.find((name, index) => fieldNames.indexOf(name) !== index);
  if (twice !== undefined) {
    refuse(`names the field ${quoted(twice)} twice`, "Give each wildcard its own name, or write + for one of them");
  }
  const topicFilter = levels.map((level) => level.kind === "literal" ? level.text : level.kind === "one" ? "+" : "#")
    .join("/");
  const filter = share + topicFilter;
  if (new TextEncoder().encode(filter).length > topicBytesMax) {
    refuse(`is longer than ${topicBytesMax} bytes`, "MQTT allows no longer topic");
  }
  return { text, filter, topicFilter, fieldNames, match: (topic) => matchLevels(levels, topic) };
}

function splitShare(text: string, refuse: (what: string, advice: string) => never): { share: string; rest: string } {
  if (text !== "$share" && !text.startsWith("$share/")) return { share: "", rest: text };
  const end = text.indexOf("/", "$share/".length);
  const group = end < 0 ? "" : text.slice("$share/".length, end);
  const rest = end < 0 ? "" : text.slice(end + 1);
  if (group === "" || rest === "" || /[+#{}]/.test(group)) {
    refuse(
      "is not a complete shared subscription",
      "Write $share/<group>/<topic>, the group without wildcards: $share/gateways/plant/{site}/#",
    );
  }
  return { share: `$share/${group}/`, rest };
}

function parseLevel(part: string, last: boolean, refuse: (what: string, advice: string) => never): Level {
  if (part === "+") return { kind: "one", field: null };
  const named = /^\{([A-Za-z_][A-Za-z0-9_-]*)(#?)\}$/.exec(part);
  if (part === "#" || named?.[2] === "#") {
    if (!last) {
      refuse(`has ${quoted(part)} before its end`, "What matches all remaining levels can only be the last level");
    }
    return { kind: "rest", field: named?.[1] ?? null };
  }
  if (named?.[1] !== undefined) return { kind: "one", field: named[1] };
  if (/[{}]/.test(part)) {
    refuse(
      `has the level ${quoted(part)}`,
      "A named level is a whole level in braces, its name of letters, digits, _ and -: {device_id}, or {rest#} at the end",
    );
  }
  if (/[+#]/.test(part)) refuse(`has the level ${quoted(part)}`, "A wildcard stands for a whole level: a/+/b, a/#");
  return { kind: "literal", text: part };
}

function matchLevels(levels: readonly Level[], topic: string): Readonly<Record<string, string>> | null {
  // Topics that begin with $ (such as $SYS/...) are not matched by a wildcard in the first level: MQTT 5.0, 4.7.2.
  if (topic.startsWith("$") && levels[0]?.kind !== "literal") return null;
  const fields: Record<string, string> = Object.create(null);
  const parts = topic.split("/");
  for (const [index, level] of levels.entries()) {
    const part = parts[index];
    if (level.kind === "rest") {
      // "a/#" matches "a" too: the remainder is then empty.
      if (level.field !== null) fields[level.field] = parts.slice(index).join("/");
      return fields;
    }
    if (part === undefined) return null;
    if (level.kind === "literal") {
      if (part !== level.text) return null;
    } else if (level.field !== null) {
      if (part === "") return null;
      fields[level.field] = part;
    }
  }
  return parts.length === levels.length ? fields : null;
}
