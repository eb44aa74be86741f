/**
 * Settings of the commands that look at a gateway from the terminal.
 *
 * @module
 */
import { type Kind, kind, refuse } from "./kind.ts";
import { path, text } from "./kinds.ts";
import { optional, repeatable } from "./option.ts";

const httpUrl: Kind<string> = kind({
  placeholder: "URL",
  allowed: "an address like http://127.0.0.1:9464/status.json, without user and password",
  parse(value) {
    if (!URL.canParse(value)) return refuse();
    const url = new URL(value);
    return /^https?:$/.test(url.protocol) && url.username === "" && url.password === "" ? url.href : refuse();
  },
});

/** Where to look, and at what. */
export const terminal = {
  statusUrl: optional("status-url", httpUrl, {
    group: "General",
    commands: ["status", "top", "doctor"],
    help: "where the running gateway tells its status",
    defaultText: "http:// and --status-listen and /status.json",
    example: "http://127.0.0.1:9464/status.json",
    more: "The token of `status-token-file` is sent there.",
  }),
  whatIf: repeatable(
    "what-if",
    text("NAME=VALUE", "the name of a setting, an equals sign and its value, like files-cap=800", /^[a-z][a-z-]*=./s),
    "line",
    {
      group: "This run",
      commands: ["plan"],
      help: "also plan with this setting instead; several stand together",
      example: "files-cap=800/s",
      flagOnly: true,
    },
  ),
  sample: optional("sample", path, {
    group: "This run",
    commands: ["schema"],
    help: "say how this file would be read: columns, types, first reading, problems",
    placeholder: "FILE",
    flagOnly: true,
  }),
};
