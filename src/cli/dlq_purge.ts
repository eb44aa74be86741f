/**
 * `weir dlq purge`: deletes dead letters, also while the gateway runs.
 *
 * @module
 */
import type { Gathered } from "../config/gather.ts";
import { stateDirOf } from "../config/load.ts";
import { options } from "../config/options.ts";
import type { Problem } from "../config/problem.ts";
import { exitCodes } from "../core/error.ts";
import { formatBytes, formatCount } from "../core/text.ts";
import type { Command } from "./command.ts";
import { filterOf } from "./letter_filter.ts";
import { openFlags } from "./opening.ts";

/** Letters that go in one transaction: the gateway waits no longer than that. */
const purgedAtOnceMax = 500;

/** The command. */
export const dlqPurge: Command = {
  name: "dlq purge",
  summary: "delete dead letters",
  words: "",
  undone: "Nothing was deleted.",
  examples: ["weir dlq purge --reason bad_csv --until 7d", "weir dlq purge --all --yes"],
  async run(context) {
    const { output } = context;
    const gathered = openFlags(dlqPurge, context, unclearAim);
    if (typeof gathered === "number") return gathered;
    const filter = filterOf(gathered, context.clock.wallMs());
    const desk = await context.openLetterDesk(stateDirOf(gathered, context.surroundings));
    try {
      const { letters, bytes } = await desk.letterCount(filter);
      if (letters === 0) {
        output.write("No dead letters match.\n");
        return exitCodes.ok;
      }
      const what = `${lettersText(letters)} (${formatBytes(bytes)})`;
      const answer = gathered.value(options.letters.yes) ? "yes" : context.ask(`Delete ${what} for good? Type yes:`);
      if (answer !== null && !/^y(es)?$/i.test(answer.trim())) {
        output.write("Nothing was deleted.\n");
        return exitCodes.ok;
      }
      // What comes in meanwhile is not what was asked about.
      let gone = 0;
      while (gone < letters) {
        const now = await desk.removeLetters(filter, Math.min(purgedAtOnceMax, letters - gone));
        if (now === 0) break;
        gone += now;
      }
      output.write(`${lettersText(gone)} deleted.\n`);
      return exitCodes.ok;
    } finally {
      await desk.close();
    }
  },
};

function lettersText(count: number): string {
  return count === 1 ? "1 dead letter" : `${formatCount(count)} dead letters`;
}

/** Either a filter or all of them must be meant. */
function unclearAim(gathered: Gathered): readonly Problem[] {
  const filtered = Object.keys(filterOf(gathered, 0)).length > 0;
  // A filter that is wrong was meant: it is told already.
  const { reason, origin, source, since, until } = options.letters;
  if (![reason, origin, source, since, until].every(gathered.isRight)) return [];
  if (filtered !== gathered.value(options.letters.all)) return [];
  const message = filtered
    ? "Has no use beside a filter"
    : "Missing: without a filter (--reason, --origin, --source, --since, --until) all letters would go";
  return [{ where: "--all", seen: null, message }];
}
