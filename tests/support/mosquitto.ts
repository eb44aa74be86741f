/**
 * A real Mosquitto for tests: on a free port of 127.0.0.1, with a folder of its own, started and ended by the test that needs it.
 *
 * @module
 */
import { eventually, freePort, leftOut } from "./servers.ts";

/** A broker that runs. */
export interface Mosquitto {
  readonly host: string;
  readonly port: number;
  /** `mqtt://127.0.0.1:port` */
  readonly url: string;
  /** Folder with its configuration and state. */
  readonly folder: string;
  /** Ends it; `SIGKILL` without a chance to save its sessions. */
  stop(signal?: "SIGTERM" | "SIGKILL"): Promise<void>;
  /** Has it write its sessions to its folder (SIGUSR1), which it does a moment later. */
  save(): void;
  /** Starts it again on the same port with the same state. */
  start(): Promise<void>;
  /** What it has logged so far. */
  log(): string;
  /** Ends it and removes its folder. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Options of {@linkcode startMosquitto}. */
export interface MosquittoOptions {
  /** What it logs. Default: `all`; a benchmark wants `error`. */
  readonly logType?: "all" | "error";
  /** Further lines of its configuration. `{folder}` in them stands for its folder. */
  readonly config?: readonly string[];
  /** Files to write into its folder before it starts: name to text. */
  readonly files?: Readonly<Record<string, string>>;
  /** Does its work after the folder is made and before the broker starts: certificates, password files. */
  readonly prepare?: (folder: string) => Promise<void>;
  /** Whether anybody may connect. Default: true. */
  readonly anonymous?: boolean;
  /** Leave it off at first: `start` starts it. */
  readonly off?: boolean;
}

/** Where Debian and others put it; it is often not on a user's PATH. */
const places = ["mosquitto", "/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto", "/opt/homebrew/sbin/mosquitto"];

/** What {@linkcode findMosquitto} gives when `WEIR_TEST_MQTT_URL` names a broker that runs already. */
const existing = "the broker of WEIR_TEST_MQTT_URL";

/**
 * What to give to {@linkcode startMosquitto}: the broker that `WEIR_TEST_MQTT_URL` names, else the program, or null when there is none;
 * says so, for the suite, then.
 */
export function findMosquitto(suite: string): string | null {
  return Deno.env.has("WEIR_TEST_MQTT_URL") ? existing : findMosquittoProgram(suite);
}

/** The same for suites that must start, configure and end their brokers themselves. */
export function findMosquittoProgram(suite: string): string | null {
  for (const program of places) {
    try {
      new Deno.Command(program, { args: ["-h"], stdout: "null", stderr: "null" }).outputSync();
      return program;
    } catch (thrown) {
      if (!(thrown instanceof Deno.errors.NotFound)) throw thrown;
    }
  }
  leftOut(suite, "no mosquitto found; install Debian's package mosquitto");
  return null;
}

/** The broker of `WEIR_TEST_MQTT_URL`: it is not ours to end. */
function existingBroker(options: MosquittoOptions): Mosquitto {
  if (Object.keys(options).length > 0) throw new Error(`${existing} cannot be configured by a test`);
  const url = new URL(Deno.env.get("WEIR_TEST_MQTT_URL") ?? "");
  const notOurs = () => Promise.reject(new Error(`${existing} cannot be started or stopped by a test`));
  return {
    host: url.hostname,
    port: Number(url.port || "1883"),
    url: url.href.replace(/\/$/, ""),
    folder: "",
    stop: notOurs,
    save() {
      throw new Error(`${existing} cannot be told to save by a test`);
    },
    start: notOurs,
    log: () => "",
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** Starts a broker and waits until it accepts connections. */
export async function startMosquitto(program: string, options: MosquittoOptions = {}): Promise<Mosquitto> {
  if (program === existing) return existingBroker(options);
  const folder = await Deno.makeTempDir({ prefix: "weir-mosquitto-" });
  const host = "127.0.0.1";
  const port = freePort();
  const user = Deno.uid() === 0 ? ["user root"] : [];
  const lines = [
    // Mosquitto, started by root, would otherwise change its user and then not be allowed to read the folder.
    ...user,
    `listener ${port} ${host}`,
    `allow_anonymous ${options.anonymous ?? true}`,
    "persistence true",
    `persistence_location ${folder}/`,
    "log_dest stderr",
    `log_type ${options.logType ?? "all"}`,
    ...(options.config ?? []).map((line) => line.replaceAll("{folder}", folder)),
  ];
  await Deno.writeTextFile(`${folder}/mosquitto.conf`, lines.join("\n") + "\n");
  for (const [name, text] of Object.entries(options.files ?? {})) await Deno.writeTextFile(`${folder}/${name}`, text);
  await options.prepare?.(folder);

  let process: Deno.ChildProcess | null = null;
  let reading = Promise.resolve();
  // A broker that logs everything writes megabytes: pieces are put together when somebody asks.
  const log: string[] = [];

  async function start(): Promise<void> {
    const child = new Deno.Command(program, {
      args: ["-c", `${folder}/mosquitto.conf`],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    process = child;
    reading = (async () => {
      for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) log.push(text);
    })();
    await eventually(`mosquitto listens on ${port}`, async () => {
      const connection = await Deno.connect({ hostname: host, port });
      connection.close();
      return true;
    }).catch((error) => {
      throw new Error(`Mosquitto did not start:\n${log.join("")}`, { cause: error });
    });
  }

  async function stop(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
    if (process === null) return;
    const child = process;
    process = null;
    child.kill(signal);
    await child.status;
    await reading;
  }

  if (options.off !== true) await start();
  return {
    host,
    port,
    url: `mqtt://${host}:${port}`,
    folder,
    start,
    stop,
    save: () => process?.kill("SIGUSR1"),
    log() {
      // What was put together once is one piece.
      log.splice(0, Infinity, log.join(""));
      return log[0] ?? "";
    },
    async [Symbol.asyncDispose]() {
      await stop();
      await Deno.remove(folder, { recursive: true });
    },
  };
}
