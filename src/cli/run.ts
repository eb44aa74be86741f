/**
 * `weir run`: streams until it is told to stop, then drains and leaves. Also the common life of every command that runs the data path:
 * start, wait, drain, sums.
 *
 * @module
 */
import type { App } from "../app.ts";
import type { Settings } from "../config/settings.ts";
import { warningsOf } from "../config/warnings.ts";
import { type Clock, sleep, type Timer } from "../core/clock.ts";
import { exitCodes, messageOf } from "../core/error.ts";
import { type Emit, emitter } from "../core/event.ts";
import { formatCount, formatDuration } from "../core/text.ts";
import { createLog, type Log } from "../ops/log.ts";
import { tellServiceManager } from "../ops/systemd.ts";
import type { Command, CommandContext } from "./command.ts";
import { type LoadedSettings, openSettings } from "./opening.ts";
import { createReload } from "./reload.ts";
import { listenForStop, type StopRequests, watchedStdout } from "./stop.ts";
import { emitSums, openCount } from "./sums.ts";

/** How often the sums are told. */
const sumsEveryMs = 60_000;

/** How long a stop that was told to hurry may take to close what is open. */
const hurryMs = 1000;
/** What streams get to arrive when the program cannot go on. */
const failedDrainMs = 2000;

/** The command. */
export const run: Command = {
  name: "run",
  summary: "read MQTT and dropped files and send one merged flow to Kafka",
  words: "",
  undone: "Nothing was started.",
  examples: [
    "weir run --mqtt-url mqtt://127.0.0.1:1883 --mqtt-topic 'plant/{site}/{device_id}/{metric}' \\",
    "    --files-dir /var/lib/dumps,every=1h --files-cap 500/s \\",
    "    --kafka-brokers 127.0.0.1:9092 --kafka-topic readings",
    "weir run --config /etc/weir/weir.yaml",
    "weir run --files-dir ./dumps --once --dry-run",
  ],
  async run(context) {
    const loaded = openSettings(run, context, { validate: context.complaintsOf });
    if (typeof loaded === "number") return loaded;
    const log = logFor(loaded.settings, context);
    try {
      const emit = emitter(log.take);
      for (const warning of warningsOf(loaded.settings, context.surroundings, context.clock.wallMs())) {
        emit("warn", "settings.warned", warning);
      }
      return await live(loaded, context, log);
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
async function live(loaded: LoadedSettings, context: CommandContext, log: Log): Promise<number> {
  const stop = listenForStop(context);
  try {
    return await serve(loaded, context, log, stop);
  } finally {
    stop.release();
  }
}

async function serve(
  loaded: LoadedSettings,
  context: CommandContext,
  log: Log,
  stop: StopRequests,
): Promise<number> {
  const { clock, dice, version, surroundings: { environment } } = context;
  const { settings } = loaded;
  const emit = emitter(log.take, (event) => manager.take(event));
  const stdout = watchedStdout(context.stdout, () => stop.ask("the reader of the output is gone"));
  const app = context.createApp(settings, { clock, dice, emit, version, stdout });
  const manager = tellServiceManager({ environment, clock, emit: emitter(log.take), status: app.status });
  const reload = createReload(context, app, loaded, emit);
  let started = false;
  // On a terminal the signal means that the terminal is gone, and ends the process as ever.
  const ignoreReloads = context.errors.isTerminal ? () => {} : context.onReloadSignal(() => {
    if (!started) return;
    manager.reloading();
    reload();
    manager.ready();
  });
  try {
    await app.start();
    started = true;
    manager.ready();
    const sums = tellSumsRegularly(app, clock, emit);
    const reasons = settings.once
      ? [stop.first, app.finished().then(() => "everything there is has been read")]
      : [stop.first];
    const reason = await Promise.race([...reasons, app.failed().catch((thrown) => fail(thrown, app, emit))]);
    emit("info", "app.stop_began", `Stopping: ${reason}`);
    sums.cancel();
    started = false;
    manager.stopping(reason);
    return await drain(app, settings, clock, emit, stop.second);
  } finally {
    ignoreReloads();
    await manager.close();
  }
}

/** Something ended the program from inside: streams get a moment to arrive, then it ends with that error. */
async function fail(thrown: unknown, app: App, emit: Emit): Promise<never> {
  emit("error", "app.failed", `Stopping: ${messageOf(thrown)}`);
  await app.stop(failedDrainMs);
  throw thrown;
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
