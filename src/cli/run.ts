/**
 * `weir run`: streams until it is told to stop, then drains and leaves. Also the common life of every command that runs the data path:
 * start, wait, drain, sums.
 *
 * @module
 */
import type { App } from "../app.ts";
import { loadSettings } from "../config/load.ts";
import type { Settings } from "../config/settings.ts";
import { warningsOf } from "../config/warnings.ts";
import { type Clock, sleep, type Timer } from "../core/clock.ts";
import { exitCodes } from "../core/error.ts";
import { type Emit, emitter } from "../core/event.ts";
import { formatCount, formatDuration } from "../core/text.ts";
import { createLog, type Log } from "../ops/log.ts";
import type { Command, CommandContext } from "./command.ts";
import { commandHelp } from "./help.ts";
import { sayProblems } from "./mistakes.ts";
import { listenForStop, watchedStdout } from "./stop.ts";
import { emitSums, openCount } from "./sums.ts";

/** How often the sums are told. */
const sumsEveryMs = 60_000;

/** How long a stop that was told to hurry may take to close what is open. */
const hurryMs = 1000;

/** The command. */
export const run: Command = {
  name: "run",
  summary: "read MQTT and dropped files and send one merged flow to Kafka",
  words: "",
  examples: [
    "weir run --mqtt-url mqtt://127.0.0.1:1883 --mqtt-topic 'plant/{site}/{device_id}/{metric}' \\",
    "    --files-dir /var/lib/dumps,every=1h --files-cap 500/s \\",
    "    --kafka-brokers 127.0.0.1:9092 --kafka-topic readings",
    "weir run --config /etc/weir/weir.yaml",
    "weir run --files-dir ./dumps --once --dry-run",
  ],
  async run(context) {
    const loaded = loadSettings("run", context.args, context.surroundings, { validate: context.complaintsOf });
    if (loaded.kind === "help") {
      context.output.write(commandHelp(run, context.output.columns));
      return exitCodes.ok;
    }
    if (loaded.kind === "problems") return sayProblems(context, loaded.problems);
    const log = logFor(loaded.settings, context);
    try {
      const emit = emitter(log.take);
      for (const warning of warningsOf(loaded.settings, context.surroundings, context.clock.wallMs())) {
        emit("warn", "settings.warned", warning);
      }
      return await live(loaded.settings, context, emit);
    } finally {
      log.flush();
    }
  },
};

/** The log that the settings ask for, on the error stream. */
export function logFor(settings: Settings, context: CommandContext): Log {
  // systemd sets JOURNAL_STREAM where the error stream goes to the journal (systemd.exec(5)).
  const underJournal = (context.surroundings.environment["JOURNAL_STREAM"] ?? "") !== "" && !context.errors.isTerminal;
  const { level, format } = settings.log;
  return createLog({
    level,
    format: format === "auto" ? underJournal ? "journal" : "text" : format,
    colour: context.errors.colour,
    clock: context.clock,
    write: (line) => context.errors.write(line),
  });
}

/** Runs the app until there is nothing more to do or a signal comes, then drains it. */
async function live(settings: Settings, context: CommandContext, emit: Emit): Promise<number> {
  const { clock, dice, version } = context;
  const stop = listenForStop(context);
  try {
    const stdout = watchedStdout(context.stdout, () => stop.ask("the reader of the output is gone"));
    const app = context.createApp(settings, { clock, dice, emit, version, stdout });
    await app.start();
    const sums = tellSumsRegularly(app, clock, emit);
    const reasons = settings.once
      ? [stop.first, app.finished().then(() => "everything there is has been read")]
      : [stop.first];
    emit("info", "app.stop_began", `Stopping: ${await Promise.race(reasons)}`);
    sums.cancel();
    return await drain(app, settings, clock, emit, stop.second);
  } finally {
    stop.release();
  }
}

/** Waits for what is on its way, within the time it has, and tells how it ended. */
async function drain(app: App, settings: Settings, clock: Clock, emit: Emit, hurry: Promise<void>): Promise<number> {
  // Told to hurry, it gives up what is open and still closes the ledger; if even that hangs, it leaves without.
  const hurried = hurry.then(async () => {
    app.abort();
    await sleep(clock, hurryMs);
    return false;
  });
  const drained = await Promise.race([app.stop(settings.drainTimeoutMs), hurried]);
  const status = app.status();
  emitSums(status, emit);
  if (drained) {
    emit("info", "app.stopped", `Stopped after ${formatDuration(status.upMs)}: nothing is left on its way`);
    return exitCodes.ok;
  }
  const open = openCount(status);
  emit(
    "warn",
    "app.stopped",
    `Stopped with ${formatCount(open)} readings on their way: they come again after the next start`,
    { open },
  );
  return exitCodes.tryAgain;
}

function tellSumsRegularly(app: App, clock: Clock, emit: Emit): Timer {
  let timer = clock.after(sumsEveryMs, tell);
  function tell(): void {
    emitSums(app.status(), emit);
    timer = clock.after(sumsEveryMs, tell);
  }
  return { cancel: () => timer.cancel() };
}
