/**
 * Every command, one line each, in the order of the help.
 *
 * @module
 */
import { check } from "./check.ts";
import { completionsOf } from "./completions.ts";
import type { Command } from "./command.ts";
import { demo } from "./demo.ts";
import { dlqCommands } from "./dlq.ts";
import { doctor } from "./doctor.ts";
import { plan } from "./plan.ts";
import { run } from "./run.ts";
import { schema } from "./schema.ts";
import { status } from "./status.ts";
import { top } from "./top.ts";

/** All commands. */
export const commands: readonly Command[] = [
  run,
  demo,
  check,
  plan,
  status,
  top,
  ...dlqCommands,
  schema,
  doctor,
  completionsOf(() => commands),
];
