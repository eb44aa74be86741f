/**
 * Settings of the readings: one schema, the same rules for streams and files.
 *
 * @module
 */
import { type Kind, kind, refuse } from "./kind.ts";
import { oneOf, path } from "./kinds.ts";
import { anyText } from "./options_general.ts";
import { type About, defaulted, optional, repeatable } from "./option.ts";

const here: Pick<About, "group" | "commands"> = { group: "Readings", commands: ["run", "check", "demo"] };

const alias: Kind<{ readonly field: string; readonly names: readonly string[] }> = kind({
  placeholder: "FIELD=NAME[,NAME...]",
  allowed: "a field and its other names, like device_id=dev,deviceId",
  parse(value) {
    const { field, rest } = assignment(value);
    const names = rest.split(",").map((name) => name.trim());
    return field === "" || names.includes("") ? refuse() : { field, names };
  },
});

const set: Kind<{ readonly field: string; readonly expression: string }> = kind({
  placeholder: "FIELD=EXPR",
  allowed: "a field and an expression, like value=(value-32.0)/1.8",
  parse(value) {
    const { field, rest } = assignment(value);
    return field === "" || rest === "" ? refuse() : { field, expression: rest };
  },
});

/** Settings of the readings. */
export const readings = {
  schema: optional("schema", path, {
    ...here,
    help: "JSON Schema (2020-12) of a reading",
    placeholder: "FILE",
    defaultText: "device_id, metric, value, ts, unit",
    more:
      "The built-in schema: `device_id` and `metric` text, `value` a number, text, true/false or null, `ts` a time (the arrival when absent), `unit` text, optional.",
  }),
  alias: repeatable("alias", alias, "line", {
    ...here,
    help: "other names that a field may come under",
    example: "device_id=dev,deviceId",
  }),
  extra: defaulted(
    "extra",
    oneOf("keep", "drop", "rescue", "reject"),
    "keep",
    {
      ...here,
      help: "fields that the schema does not know; rescue: into _rescued, reject: dead letter",
    },
  ),
  set: repeatable("set", set, "line", {
    ...here,
    help: "set a field to the value of a CEL expression; in the order given",
    example: "'value=unit == \"F\" ? (value - 32) / 1.8 : value'",
  }),
  filter: optional("filter", anyText("a CEL expression", "EXPR"), {
    ...here,
    help: "forward only readings for which this CEL expression is true",
    example: "'value != null && value < 1000'",
  }),
  timeFormat: defaulted("time-format", oneOf("ms", "iso"), "ms", {
    ...here,
    help: "how times leave: epoch milliseconds, or ISO 8601 in UTC",
  }),
};

/** Parts a text at its first `=`. A `==` cannot be meant: it would be a comparison. */
function assignment(value: string): { readonly field: string; readonly rest: string } {
  const at = value.indexOf("=");
  if (at < 1 || value[at + 1] === "=") return { field: "", rest: "" };
  return { field: value.slice(0, at).trim(), rest: value.slice(at + 1).trim() };
}
