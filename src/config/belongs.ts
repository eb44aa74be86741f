/**
 * Which settings a command takes: its own, and those of the gateway that it looks at.
 *
 * @module
 */
import type { CommandName, Option } from "./option.ts";

type About = Pick<Option<unknown>, "name" | "commands" | "group">;

/** All that a gateway would run with, but what `check` does besides. */
const ofGateway = (option: About): boolean => option.commands.includes("check") && option.group !== "This run";
/** What tells where a running gateway is, and the word that opens it. */
const ofStatus = (option: About): boolean => option.name === "config" || option.group === "Status";

/** Commands that look at a gateway take its settings, so that the same config file or command line serves them. */
const borrowed: Readonly<Partial<Record<CommandName, (option: About) => boolean>>> = {
  plan: ofGateway,
  doctor: ofGateway,
  schema: ofGateway,
  status: ofStatus,
  top: ofStatus,
};

/** Whether a command takes a setting. */
export function belongsTo(option: About, command: CommandName): boolean {
  return option.commands.includes(command) || (borrowed[command]?.(option) ?? false);
}
