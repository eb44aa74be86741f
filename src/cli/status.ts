/**
 * `weir status`: what the running gateway does, once.
 *
 * @module
 */
import { options } from "../config/options.ts";
import { exitCodes } from "../core/error.ts";
import { printableJson } from "../core/text.ts";
import { statusText } from "../ops/status_text.ts";
import type { Command } from "./command.ts";
import { openGateway } from "./opening.ts";
import { fetchStatus } from "./status_client.ts";

/** The command. */
export const status: Command = {
  name: "status",
  summary: "show what the running gateway does",
  words: "",
  examples: ["weir status", "weir status --config /etc/weir/weir.yaml", "weir status --json | jq .sums"],
  async run(context) {
    const { output, clock } = context;
    const opened = openGateway(status, context);
    if (typeof opened === "number") return opened;
    const now = await fetchStatus(opened.address, clock);
    if (opened.gathered.value(options.letters.json)) output.write(`${printableJson(JSON.stringify(now))}\n`);
    else output.write(statusText(now, output));
    return exitCodes.ok;
  },
};
