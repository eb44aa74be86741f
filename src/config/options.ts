/**
 * The one table of settings. Types, checks, flags, environment variables, keys of the config file, `--help`, the reference page and the
 * JSON Schema all come from here.
 *
 * @module
 */
import { files } from "./options_files.ts";
import { general, letters, limits, thisRun } from "./options_general.ts";
import { mqtt } from "./options_mqtt.ts";
import { readings } from "./options_readings.ts";
import { sink } from "./options_sink.ts";
import { status } from "./options_status.ts";
import { terminal } from "./options_terminal.ts";
import type { Option } from "./option.ts";

/** All settings, by group. */
export const options = { general, mqtt, files, readings, sink, limits, status, thisRun, letters, terminal };

/** All settings in the order of the help. */
export const optionList: readonly Option<unknown>[] = Object.values(options).flatMap((group) =>
  Object.values<Option<unknown>>(group)
);

/** All settings by name. */
export const optionByName: ReadonlyMap<string, Option<unknown>> = new Map(optionList.map((one) => [one.name, one]));

/** Secrets that may also come from the environment or as a systemd credential; never as the value of a flag. */
export const secretNames = ["mqtt-password", "mqtt-key", "kafka-password", "kafka-key", "status-token"] as const;

export type SecretName = typeof secretNames[number];

/** Settings that belong into a config file and have an environment variable. */
export function isEverywhere(option: Option<unknown>): boolean {
  return option.flagOnly !== true;
}
