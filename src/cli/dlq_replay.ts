/**
 * `weir dlq replay`: asks the running gateway, through the ledger, to try dead letters again, and watches it until it is done. The gateway
 * does the work: whoever stops watching stops nothing.
 *
 * @module
 */
import { stateDirOf } from "../config/load.ts";
import { options } from "../config/options.ts";
import { sleep } from "../core/clock.ts";
import { exitCodes, WeirError } from "../core/error.ts";
import type { ReplayRequest, ReplayWish } from "../core/replay.ts";
import { formatCount, quoted } from "../core/text.ts";
import type { LetterDesk } from "../store/letter_desk.ts";
import type { Command, CommandContext, Output } from "./command.ts";
import { filterOf } from "./letter_filter.ts";
import { openFlags } from "./opening.ts";

/** How often the ledger is asked how far it is. */
const lookMs = 500;
/** How often it is looked whether the gateway still runs. */
const runsMs = 3000;
/** How often a line is printed where there is no terminal. */
const lineMs = 5000;

/** The command. */
export const dlqReplay: Command = {
  name: "dlq replay",
  summary: "have the running gateway try dead letters again, under its rules of now",
  words: "",
  undone: "No letter was touched.",
  examples: ["weir dlq replay --reason missing_field --since 2h", "weir dlq replay --rate 500/s"],
  async run(context) {
    const { output, clock } = context;
    const gathered = openFlags(dlqReplay, context);
    if (typeof gathered === "number") return gathered;
    const filter = filterOf(gathered, clock.wallMs());
    const stateDir = stateDirOf(gathered, context.surroundings);
    const desk = await context.openLetterDesk(stateDir);
    try {
      if (!await desk.gatewayRuns()) throw noGateway(stateDir);
      if ((await desk.letterCount(filter)).letters === 0) {
        output.write("No dead letters match.\n");
        return exitCodes.ok;
      }
      const ratePerSecond = gathered.value(options.letters.rate);
      return await askAndWatch({ filter, ratePerSecond }, desk, context);
    } finally {
      await desk.close();
    }
  },
};

async function askAndWatch(wish: ReplayWish, desk: LetterDesk, context: CommandContext): Promise<number> {
  const { clock, output } = context;
  const left = new AbortController();
  // From before it is asked: once it is, whoever stops us is told that the gateway goes on.
  const release = context.onStopSignal(() => left.abort());
  const progress = createProgress(output);
  let sinceRunsMs = 0;
  let sinceLineMs = 0;
  try {
    const { number, total } = await desk.askReplay(wish, clock.wallMs());
    output.write(`Asked the gateway to replay ${formatCount(total)} dead letters, ${wish.ratePerSecond}/s at most.\n`);
    for (;;) {
      const request = await looked(desk, number);
      if (request?.done === true) {
        progress.end();
        output.write(endText(request));
        return exitCodes.ok;
      }
      if (request !== null && (output.isTerminal || sinceLineMs >= lineMs)) {
        sinceLineMs = 0;
        progress.show(request);
      }
      await sleep(clock, lookMs, left.signal);
      sinceRunsMs += lookMs;
      sinceLineMs += lookMs;
      if (left.signal.aborted) {
        progress.end();
        output.write("The gateway goes on with the replay; nobody needs to watch it.\n");
        return exitCodes.ok;
      }
      if (sinceRunsMs < runsMs) continue;
      sinceRunsMs = 0;
      if (await desk.gatewayRuns()) continue;
      progress.end();
      context.errors.write("weir: The gateway has ended; it goes on with the replay when it is started again\n");
      return exitCodes.unavailable;
    }
  } finally {
    release();
  }
}

/** Null also when the file is busy for too long: it is looked at again. */
async function looked(desk: LetterDesk, number: number): Promise<ReplayRequest | null> {
  try {
    return await desk.replay(number);
  } catch (thrown) {
    if (thrown instanceof WeirError && thrown.retriable) return null;
    throw thrown;
  }
}

/** On a terminal one line that changes, elsewhere lines. */
function createProgress(output: Output): { show(request: ReplayRequest): void; end(): void } {
  let shown = false;
  return {
    show(request) {
      output.write(output.isTerminal ? `\r\u001b[K${progressText(request)}` : `${progressText(request)}\n`);
      shown = output.isTerminal;
    },
    end() {
      if (shown) output.write("\r\u001b[K");
      shown = false;
    },
  };
}

function progressText({ total, delivered, filtered, failed }: ReplayRequest): string {
  const replayed = delivered + filtered + failed;
  return `${formatCount(replayed)} of ${formatCount(total)} replayed: ${sumsText({ delivered, filtered, failed })}`;
}

function endText({ delivered, filtered, failed }: ReplayRequest): string {
  const rest = failed === 0 ? "" : " Those that failed stay, with their new reason: weir dlq list";
  return `${formatCount(delivered + filtered + failed)} replayed: ${
    sumsText({ delivered, filtered, failed })
  }.${rest}\n`;
}

function sumsText({ delivered, filtered, failed }: Pick<ReplayRequest, "delivered" | "filtered" | "failed">): string {
  return `${formatCount(delivered)} delivered again, ${formatCount(filtered)} filtered, ${
    formatCount(failed)
  } failed again`;
}

function noGateway(stateDir: string): WeirError {
  return new WeirError("unavailable", `No gateway runs on the state folder ${quoted(stateDir)}, so nobody can replay`, {
    advice: `Start it (weir run with --state-dir ${quoted(stateDir)}), then ask again; or name another --state-dir`,
  });
}
