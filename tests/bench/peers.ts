/**
 * Other forwarders to measure beside Weir, on the same data into the same Kafka: those whose programs are named in `BENCH_TELEGRAF` and
 * `BENCH_BENTHOS`. They run to the last record and are ended then; what they cost until then counts.
 *
 * @module
 */
import { systemClock } from "../../src/core/clock.ts";
import { eventually } from "../support/servers.ts";
import { type MeasuredProcess, startMeasured } from "./measured_process.ts";
import { benthosFromFile, benthosFromMqtt, telegrafFromFile, telegrafFromMqtt } from "./peer_settings.ts";
import type { Run } from "./runs.ts";
import { type Scene, topicEnd, withTopic } from "./scene.ts";

/** Another forwarder. */
export interface Peer {
  readonly name: string;
  readonly program: string;
  /** File that its settings are written into: their format goes by its ending. */
  readonly settingsFile: string;
  readonly fromFile: (job: FileJob) => string;
  readonly fromMqtt: (job: MqttJob) => string;
  arguments(settingsPath: string): readonly string[];
}

/** Where both kinds of work lead. */
interface Job {
  readonly brokers: readonly string[];
  readonly topic: string;
}

/** A file to forward. */
export interface FileJob extends Job {
  readonly format: "csv" | "ndjson";
  readonly path: string;
}

/** A subscription to forward: messages come at `<prefix>/<device>/<metric>`. */
export interface MqttJob extends Job {
  readonly host: string;
  readonly port: number;
  readonly prefix: string;
}

const telegraf: Omit<Peer, "program"> = {
  name: "Telegraf",
  settingsFile: "telegraf.conf",
  fromFile: telegrafFromFile,
  fromMqtt: telegrafFromMqtt,
  arguments: (settingsPath) => ["--config", settingsPath],
};

const benthos: Omit<Peer, "program"> = {
  name: "Benthos",
  settingsFile: "benthos.yaml",
  fromFile: benthosFromFile,
  fromMqtt: benthosFromMqtt,
  arguments: (settingsPath) => ["-c", settingsPath],
};

/** A forwarder may lose records, or hang: it is waited for so long after the last record came. */
const stillMs = 10_000;

/** Those that the environment names. */
export function findPeers(environment: Pick<Deno.Env, "get"> = Deno.env): readonly Peer[] {
  return [["BENCH_TELEGRAF", telegraf], ["BENCH_BENTHOS", benthos]].flatMap(([variable, peer]) => {
    const program = typeof variable === "string" ? environment.get(variable) : undefined;
    return program === undefined || program === "" || typeof peer !== "object" ? [] : [{ ...peer, program }];
  });
}

/** The first line that a forwarder says of its version. */
export async function versionOf({ name, program }: Peer): Promise<string> {
  const { stdout } = await new Deno.Command(program, { args: ["--version"], stdin: "null", stderr: "null" }).output();
  const line = new TextDecoder().decode(stdout).split("\n")[0] ?? "";
  return `${name} ${/v?\d[\w.-]*/.exec(line)?.[0] ?? "of unknown version"}`;
}

/** Has it forward a copy of a dump. */
export async function forwardFile(
  scene: Scene,
  peer: Peer,
  dump: {
    readonly dump: string;
    readonly format: "csv" | "ndjson";
    readonly rows: number;
    readonly partitions: number;
  },
): Promise<Run> {
  return await withTopic(scene, "peer", dump.partitions, async ({ topic, folder }) => {
    const path = `${folder}/dump.${dump.format}`;
    await Deno.copyFile(dump.dump, path);
    const startedMs = systemClock.nowMs();
    const started = await startPeer(
      peer,
      folder,
      peer.fromFile({ brokers: scene.kafka.brokers, topic, format: dump.format, path }),
    );
    const { arrived, lastMs } = await arrivals(scene, topic, dump.rows);
    const cpuMs = started.cpuMs();
    started.signal("SIGTERM");
    const { peakRssBytes, stderr } = await started.ended;
    if (arrived === 0) throw new Error(`${peer.name} forwards nothing:\n${stderr.slice(-2000)}`);
    return {
      perSecond: arrived * 1000 / (lastMs - startedMs),
      cpuUs: cpuMs * 1000 / arrived,
      peakRssBytes,
      arrived,
    };
  });
}

/** Starts a forwarder with settings in a folder. */
export async function startPeer(peer: Peer, folder: string, settings: string): Promise<MeasuredProcess> {
  const path = `${folder}/${peer.settingsFile}`;
  await Deno.writeTextFile(path, settings);
  return startMeasured(peer.program, peer.arguments(path));
}

/** Waits until so many have come, or no more come; tells how many, and when the last was seen. */
export async function arrivals(
  scene: Scene,
  topic: string,
  records: number,
): Promise<{ readonly arrived: number; readonly lastMs: number }> {
  let arrived = 0;
  let lastMs = systemClock.nowMs();
  await eventually(
    "no more come",
    async () => {
      const now = await topicEnd(scene, topic);
      if (now > arrived) [arrived, lastMs] = [now, systemClock.nowMs()];
      return arrived >= records || systemClock.nowMs() - lastMs > stillMs;
    },
    600_000,
    50,
  );
  return { arrived, lastMs };
}
