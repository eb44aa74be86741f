/**
 * `weir demo`: the whole program on a plant of its own. An MQTT broker, sensors that publish to it and systems that drop dumps live inside
 * this process; between them and the sink runs the very pipeline of `run`.
 *
 * @module
 */
import { tmpdir } from "node:os";
import type { App } from "../app.ts";
import { gather, type Presets } from "../config/gather.ts";
import { options } from "../config/options.ts";
import type { Settings, SinkSettings } from "../config/settings.ts";
import { type Clock, sleep } from "../core/clock.ts";
import { exitCodes } from "../core/error.ts";
import { emitter, type Event } from "../core/event.ts";
import type { AppStatus, DelayStatus, FilesStatus } from "../core/status.ts";
import { type Broker, startBroker } from "../demo/broker.ts";
import { dumpAliases } from "../demo/dump.ts";
import { planDumps } from "../demo/dump_plan.ts";
import { type Dropper, startDropper } from "../demo/dropper.ts";
import { readOutput, sizeOf } from "../demo/output_file.ts";
import { type Sensors, sensorTopicTemplate, startSensors } from "../demo/sensors.ts";
import { findGaps, renderSummary } from "../demo/summary.ts";
import { leftFiles, makeWorkspace, planWorkspace, removeWorkspace, type Workspace } from "../demo/workspace.ts";
import { createLiveViewer } from "../ops/live.ts";
import { createLog } from "../ops/log.ts";
import { terminalOf } from "../ops/terminal.ts";
import type { Command, CommandContext } from "./command.ts";
import { programWords } from "./inside.ts";
import { openSettings } from "./opening.ts";
import { listenForStop, type StopRequests, watchedStdout } from "./stop.ts";

/** How long the gateway may take to read what the broker still holds when the sensors fall silent. */
const catchUpMs = 5000;
const catchUpPollMs = 20;

/** What the demo sets unless the user does. */
const ownSettings = {
  "gateway": "demo",
  "log-level": "warn",
  "drain-timeout": "10s",
  "for": "30s",
  "files-cap": "500/s",
  "kafka-topic": "weir-demo",
  "alias": Object.entries(dumpAliases).map(([field, names]) => `${field}=${names.join(",")}`),
} as const;

/** The command. */
export const demo: Command = {
  name: "demo",
  summary: "play the main job with simulated sensors and dumps; needs no server",
  words: "",
  defaults: {
    ...ownSettings,
    alias: ownSettings.alias.join(" "),
    sink: "a file of JSON lines in a temporary folder, or kafka when --kafka-brokers is given",
  },
  undone: "Nothing was started.",
  examples: [
    "weir demo",
    "weir demo --for 2m --files-cap 2000/s --sink ndjson:readings.ndjson",
    "weir demo --kafka-brokers 127.0.0.1:9092",
  ],
  async run(context) {
    const workspace = planWorkspace(tmpdir(), context.clock.wallMs(), context.dice);
    const loaded = openSettings(demo, context, {
      presets: presets(workspace, context),
      validate: context.complaintsOf,
    });
    if (typeof loaded === "number") return loaded;
    const stop = listenForStop(context);
    const broker = await startBroker();
    try {
      await makeWorkspace(workspace);
      return await play(withBroker(loaded.settings, broker), workspace, broker, stop, context);
    } finally {
      await broker.close();
      stop.release();
    }
  },
};

/** Those settings, and where everything lies. */
function presets(workspace: Workspace, context: CommandContext): Presets {
  // By flag only: brokers in the environment are those of the gateway, which must not be given readings of a plant that does not exist.
  const toKafka = gather("demo", context.args, context.surroundings).given(options.sink.brokers)
    .some((one) => one.place.from === "flag");
  return {
    ...ownSettings,
    "state-dir": workspace.state,
    // Replaced by the address of the embedded broker, which has its port only once it runs.
    "mqtt-url": "mqtt://127.0.0.1:1883",
    "mqtt-topic": sensorTopicTemplate,
    "files-dir": Object.values(workspace.folders),
    "files-ready": "rename",
    "files-poll": "1s",
    "sink": toKafka ? "kafka" : `ndjson:${workspace.output}`,
  };
}

function withBroker(settings: Settings, broker: Broker): Settings {
  return settings.mqtt === null ? settings : { ...settings, mqtt: { ...settings.mqtt, url: broker.url } };
}

async function play(
  settings: Settings,
  workspace: Workspace,
  broker: Broker,
  stop: StopRequests,
  context: CommandContext,
): Promise<number> {
  const { clock, dice, version, surroundings } = context;
  const outputStart = settings.sink.kind === "ndjson" ? await sizeOf(settings.sink.path) : 0;
  // Records on stdout leave no room for anything else there.
  const output = settings.sink.kind === "stdout" ? context.errors : context.output;
  const terminal = terminalOf(output, surroundings.environment);
  const log = createLog({
    format: "text",
    level: settings.log.level,
    colour: terminal.colour,
    clock,
    write: (line) => viewer.print(line),
  });
  const tellPage = (event: Event) => event.name === "status.listening" && viewer.print(`${event.message}\n`);
  const stdout = watchedStdout(context.stdout, () => stop.ask("the reader of the output is gone"));
  const app = context.createApp(settings, { clock, dice, emit: emitter(log.take, tellPage), version, stdout });
  // Connections that are closed on purpose at the end are no news: from then on the sources are shown as they were.
  let sourcesAtEnd: AppStatus["sources"] | null = null;
  const status = (): AppStatus => ({ ...app.status(), ...(sourcesAtEnd === null ? {} : { sources: sourcesAtEnd }) });
  const viewer = createLiveViewer({ terminal, clock, status, endsAtMs: settings.forMs });

  try {
    await app.start();
  } catch (thrown) {
    await removeWorkspace(workspace);
    throw thrown;
  }

  const delays = watchDelay(app, clock);
  let ended = false;
  try {
    const startedMs = clock.nowMs();
    const sensors = await startSensors({ host: broker.host, port: broker.port, clock, dice });
    const { capRows } = app.status();
    const plan = planDumps({ forMs: settings.forMs, capRows, startedAtMs: clock.wallMs() });
    const dropper = startDropper({ plan, folders: workspace.folders, clock, dice });
    const hurry = stop.second.then(() => app.abort());

    viewer.start();
    await untilOver(settings.forMs, clock, stop);
    const playedMs = clock.nowMs() - startedMs;
    await Promise.race([silence(app, sensors, dropper, clock), hurry]);
    sourcesAtEnd = app.status().sources;
    ended = true;
    const drained = await app.stop(settings.drainTimeoutMs);
    log.flush();
    viewer.stop();

    const facts = {
      playedMs,
      drained,
      sums: app.status().sums,
      sensors: sensors.count,
      sent: sensors.sent(),
      dropped: dropper.dropped(),
      doneFiles: filesOf(app.status())?.doneFiles ?? 0,
      leftFiles: await leftFiles(workspace, filesOf(status())?.active ?? []),
      capRows,
      delay: delays.worst(),
      sink: sinkText(settings.sink),
      output: settings.sink.kind === "ndjson" ? await readOutput(settings.sink.path, outputStart) : null,
      next: whatNext(workspace),
    };
    output.write(renderSummary(facts));
    if (!drained) return exitCodes.tryAgain;
    return findGaps(facts).length === 0 ? exitCodes.ok : exitCodes.internal;
  } finally {
    delays.stop();
    viewer.stop();
    if (!ended) {
      app.abort();
      await app.stop(0);
    }
  }
}

/** Resolves when the time is over or somebody wants to stop. */
async function untilOver(forMs: number | null, clock: Clock, stop: StopRequests): Promise<void> {
  const early = new AbortController();
  const stopped = stop.first.then(() => early.abort());
  await (forMs === null ? stopped : Promise.race([sleep(clock, forMs, early.signal), stopped]));
  early.abort();
}

/** Sensors and dumps end; what the broker still holds is read. */
async function silence(app: App, sensors: Sensors, dropper: Dropper, clock: Clock): Promise<void> {
  await Promise.all([sensors.stop(), dropper.stop()]);
  const untilMs = clock.nowMs() + catchUpMs;
  while (app.status().sums.real_time.read < sensors.sent().readings && clock.nowMs() < untilMs) {
    await sleep(clock, catchUpPollMs);
  }
}

/** Keeps the delay of the ten seconds in which it was worst, so that the summary does not praise the calm end. */
function watchDelay(app: App, clock: Clock): { worst(): DelayStatus; stop(): void } {
  let worst: DelayStatus = app.status().streamDelay;
  let timer = clock.after(1000, look);
  function look(): void {
    const now = app.status().streamDelay;
    if (now.p99Ms > worst.p99Ms) worst = now;
    timer = clock.after(1000, look);
  }
  return { worst: () => worst, stop: () => timer.cancel() };
}

function filesOf(status: AppStatus): FilesStatus | null {
  return status.sources.find((source): source is FilesStatus => source.kind === "files") ?? null;
}

function sinkText(sink: SinkSettings): string {
  if (sink.kind === "kafka") return `Kafka at ${sink.brokers.join(",")}, topic ${sink.topic}`;
  return sink.kind === "ndjson" ? sink.path : "standard output";
}

function whatNext(workspace: Workspace): readonly { readonly command: string; readonly what: string }[] {
  const program = programWords();
  return [
    {
      command: `${program} dlq list --state-dir ${workspace.state}`,
      what: "the bad rows and payloads, each with its reason and place",
    },
    {
      command: `${program} demo --files-cap none`,
      what: "the same without a cap: see what it does to the delay of the streams",
    },
    {
      command: `${program} run --help`,
      what: "the settings for your own broker, folders and Kafka",
    },
    { command: `rm -r ${workspace.root}`, what: "away with all that this demo wrote" },
  ];
}
