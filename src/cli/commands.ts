/**
 * Every command, one line each, in the order of the help.
 *
 * @module
 */
import { check } from "./check.ts";
import type { Command } from "./command.ts";
import { demo } from "./demo.ts";
import { dlqCommands } from "./dlq.ts";
import { run } from "./run.ts";
import { servicePrint } from "./service.ts";

/** All commands. */
export const commands: readonly Command[] = [run, demo, check, ...dlqCommands, servicePrint];
