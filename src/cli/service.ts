/**
 * `weir service print`: the files that make Weir a systemd service, out of the program itself, so that a machine that has the program has
 * all of them. It prints and changes nothing: where they go is said in their first lines and in docs/operations.md.
 *
 * @module
 */
import { exitCodes } from "../core/error.ts";
import { quoted } from "../core/text.ts";
import type { Command } from "./command.ts";
import { commandHelp } from "./help.ts";
import { textInside } from "./inside.ts";

/** What can be printed, and the file that it is. */
const files = {
  unit: "systemd/weir.service",
  env: "systemd/weir.env.example",
  sysusers: "systemd/weir.sysusers",
  tmpfiles: "systemd/weir.tmpfiles",
  guide: "docs/operations.md",
} as const;

const names = Object.keys(files).join("|");

function isName(word: string): word is keyof typeof files {
  return Object.hasOwn(files, word);
}

/** The command. */
export const servicePrint: Command = {
  name: "service print",
  summary: "print the systemd unit, the files that go with it, the guide",
  words: `[${names}]`,
  examples: [
    "weir service print > /etc/systemd/system/weir.service",
    "weir service print env > /etc/weir/weir.env",
    "weir service print sysusers > /etc/sysusers.d/weir.conf",
    "weir service print tmpfiles > /etc/tmpfiles.d/weir.conf",
    "weir service print guide | less",
  ],
  run(context) {
    const { args, output, errors } = context;
    const [word = "unit", ...rest] = args;
    if (word === "--help" || word === "-h") {
      output.write(commandHelp(servicePrint, output.columns));
      return Promise.resolve(exitCodes.ok);
    }
    if (!isName(word) || rest.length > 0) {
      errors.write(
        `weir: Cannot print ${quoted([word, ...rest].join(" "))}\n  There is ${names}; nothing means unit\n`,
      );
      return Promise.resolve(exitCodes.configuration);
    }
    output.write(textInside(files[word]));
    return Promise.resolve(exitCodes.ok);
  },
};
