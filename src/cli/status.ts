/**
 * `weir status`: what the running gateway does, once.
 *
 * @module
 */
import { gather } from "../config/gather.ts";
import { options } from "../config/options.ts";
import { exitCodes } from "../core/error.ts";
import { printableJson } from "../core/text.ts";
import { statusText } from "../ops/status_text.ts";
import type { Command } from "./command.ts";
import { commandHelp } from "./help.ts";
import { sayProblems, strayWord } from "./mistakes.ts";
import { fetchStatus } from "./status_client.ts";

/** The command. */
export const status: Command = {
  name: "status",
  summary: "show what the running gateway does",
  words: "",
  examples: ["weir status", "weir status --json | jq .sums"],
  async run(context) {
    const { output, clock } = context;
    const gathered = gather("status", context.args, context.surroundings);
    if (gathered.help) {
      output.write(commandHelp(status, output.columns));
      return exitCodes.ok;
    }
    const problems = [...gathered.problems, ...gathered.words.map(strayWord)];
    if (problems.length > 0) return sayProblems(context, problems);
    const now = await fetchStatus(gathered.value(options.terminal.statusUrl), clock);
    if (gathered.value(options.letters.json)) output.write(`${printableJson(JSON.stringify(now))}\n`);
    else output.write(statusText(now, output));
    return exitCodes.ok;
  },
};
