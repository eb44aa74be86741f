/**
 * A real Kafka for tests: one node in KRaft mode on free ports of 127.0.0.1, in a directory of its own that goes with it. It has two
 * listeners: `admin`, plain and all-powerful, for the test itself, and `client`, secured as the test asks, for what is tested.
 *
 * The jars are those in `WEIR_TEST_KAFKA_LIBS`, or those kept in `~/.cache/weir-test/`, which Maven fills once. With
 * `WEIR_TEST_KAFKA_BROKERS` an existing Kafka is used where a test needs no control over the server.
 *
 * @module
 */
import { type Admin, Kafka, logLevel } from "kafkajs";
import { eventually, freePort } from "./servers.ts";

const version = "4.1.0";
const artifacts = ["kafka_2.13", "kafka-tools"];

/** How the server is to be. */
export interface KafkaOptions {
  /** TLS on the client listener; `clientCa`: clients must show a certificate of this CA (PEM). Default: off. */
  readonly tls?: { readonly keyAndCertificatePem: string; readonly clientCa?: string };
  /** More TLS listeners, without users and client certificates: their keys with certificates. */
  readonly tlsBeside?: readonly string[];
  /** SASL on the client listener: these users, by every mechanism. Default: off. */
  readonly users?: Readonly<Record<string, string>>;
  /** Permissions are needed: nobody on the client listener may do what is not allowed with `admin`. Default: off. */
  readonly acl?: boolean;
  /** Port that clients are sent to instead of the client listener's own: a proxy's. The listener's is then {@linkcode RunningKafka.ownPort}. */
  readonly advertisedPort?: number;
  /** More lines of server.properties. */
  readonly properties?: Readonly<Record<string, string>>;
}

/** A Kafka that runs. */
export interface RunningKafka {
  /** `host:port` of the client listener. */
  readonly brokers: readonly string[];
  /** `host:port` of the listeners of `tlsBeside`. */
  readonly besideBrokers: readonly string[];
  /** `host:port` of the admin listener: no TLS, no user. */
  readonly adminBrokers: readonly string[];
  /** Port that the client listener really has; null when the server is not ours. */
  readonly ownPort: number | null;
  /** Where its logs and data are; null when it is not ours. */
  readonly dir: string | null;
  createTopic(topic: string, partitions: number, config?: Readonly<Record<string, string>>): Promise<void>;
  /** Anything else that the admin API can do. */
  admin<T>(act: (admin: Admin) => Promise<T>): Promise<T>;
  /** What kcat reads of a topic, from the beginning to the end, checksums checked. */
  read(topic: string): Promise<readonly ConsumedRecord[]>;
  /** What Kafka's own DumpLogSegments says of a partition's log, record by record. */
  dumpLog(topic: string, partition: number): Promise<string>;
  /** Stops the server (SIGTERM, or SIGKILL) and keeps its data. */
  stop(signal?: "SIGTERM" | "SIGKILL"): Promise<void>;
  /** Starts it again on the same ports with the same data. */
  start(): Promise<void>;
  /** Stops it and removes its directory. */
  close(): Promise<void>;
}

/** A record as kcat shows it. */
export interface ConsumedRecord {
  readonly partition: number;
  readonly offset: number;
  /** Wall-clock ms. */
  readonly timestampMs: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** Why there can be no Kafka here, or null. `ownServer`: an existing one will not do. */
export async function kafkaAvailability(ownServer = false): Promise<string | null> {
  if (!await runs("kcat", "-V")) return "there is no kcat on PATH (Debian package kafkacat)";
  if (!ownServer && Deno.env.get("WEIR_TEST_KAFKA_BROKERS")) return null;
  if (!await runs("java", "-version")) return "there is no java on PATH (Java 17 or newer)";
  if (await findLibs() !== null) return null;
  if (await runs("mvn", "-version")) return null;
  return "there are no Kafka jars: name their folder in WEIR_TEST_KAFKA_LIBS, or have mvn on PATH to fetch them";
}

/** Starts a Kafka, or gives the existing one when nothing special is asked of it. */
export async function startKafka(options: KafkaOptions = {}): Promise<RunningKafka> {
  const existing = Deno.env.get("WEIR_TEST_KAFKA_BROKERS");
  if (existing !== undefined && existing !== "" && Object.keys(options).length === 0) {
    return existingKafka(existing.split(","));
  }
  const libs = await findLibs() ?? await fetchLibs();
  const dir = await Deno.makeTempDir({ prefix: "weir-kafka-" });
  const ports = {
    admin: freePort(),
    client: freePort(),
    controller: freePort(),
    beside: (options.tlsBeside ?? []).map(freePort),
  };
  await Deno.writeTextFile(`${dir}/server.properties`, await serverProperties(dir, ports, options));
  await Deno.writeTextFile(`${dir}/log4j2.yaml`, loggingYaml);
  const scram = Object.entries(options.users ?? {}).flatMap(([name, password]) =>
    ["SCRAM-SHA-256", "SCRAM-SHA-512"].flatMap((
      mechanism,
    ) => ["--add-scram", `${mechanism}=[name=${name},password=${password}]`])
  );
  const clusterId = "weirTestWeirTestWeirTw";
  await java(libs, dir, [
    "kafka.tools.StorageTool",
    "format",
    "-t",
    clusterId,
    "-c",
    `${dir}/server.properties`,
    ...scram,
  ]);

  const adminBrokers = [`127.0.0.1:${ports.admin}`];
  let child: Deno.ChildProcess | null = null;
  const kafka: RunningKafka = {
    ...existingKafka(adminBrokers),
    brokers: [`127.0.0.1:${options.advertisedPort ?? ports.client}`],
    ownPort: ports.client,
    besideBrokers: ports.beside.map((port) => `127.0.0.1:${port}`),
    dir,
    dumpLog(topic, partition) {
      const file = `${dir}/data/${topic}-${partition}/00000000000000000000.log`;
      return java(libs, dir, ["kafka.tools.DumpLogSegments", "--deep-iteration", "--print-data-log", "--files", file]);
    },
    async start() {
      const log = await Deno.open(`${dir}/server.log`, { write: true, create: true, append: true });
      child = new Deno.Command("java", {
        args: [...jvmOptions(libs, dir), "-Xmx512m", "kafka.Kafka", `${dir}/server.properties`],
        stdin: "null",
        stdout: "piped",
        stderr: "null",
      }).spawn();
      void child.stdout.pipeTo(log.writable).catch(() => {});
      let exited = false;
      void child.status.then(() => exited = true);
      await eventually(
        "Kafka listens",
        async () => {
          if (exited) {
            throw new Error(
              `Kafka did not start:\n${(await Deno.readTextFile(`${dir}/server.log`)).slice(-3000)}`,
            );
          }
          // The controller may still be electing itself while the port is open: ask for something.
          return await runs("kcat", "-b", adminBrokers.join(","), "-m", "5", "-L");
        },
        60_000,
        200,
      );
    },
    async stop(signal = "SIGTERM") {
      if (child === null) return;
      const stopping = child;
      child = null;
      stopping.kill(signal);
      const killer = setTimeout(() => stopping.kill("SIGKILL"), 20_000);
      await stopping.status;
      clearTimeout(killer);
    },
    async close() {
      await kafka.stop("SIGKILL");
      await Deno.remove(dir, { recursive: true });
    },
  };
  await kafka.start();
  return kafka;
}

/** A Kafka that is not ours: what needs control over the server fails. */
function existingKafka(brokers: readonly string[]): RunningKafka {
  const notOurs = () =>
    Promise.reject(new Error("This Kafka was not started by the test: it cannot be stopped or looked into"));
  const kafka: RunningKafka = {
    brokers,
    besideBrokers: [],
    adminBrokers: brokers,
    ownPort: null,
    dir: null,
    async createTopic(topic, partitions, config = {}) {
      const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
      const topics = [{ topic, numPartitions: partitions, replicationFactor: 1, configEntries }];
      await kafka.admin(async (admin) => {
        // It would wait for leaders by itself, but gives up when the broker does not know the new topic at once.
        await admin.createTopics({ topics, waitForLeaders: false });
        await eventually(`${topic} has its leaders`, async () => {
          const { topics: [made] } = await admin.fetchTopicMetadata({ topics: [topic] });
          return made?.partitions.length === partitions && made.partitions.every(({ leader }) => leader >= 0);
        }, 20_000);
      });
    },
    async admin(act) {
      const admin = new Kafka({ clientId: "weir-test", brokers: [...brokers], logLevel: logLevel.NOTHING }).admin();
      await admin.connect();
      try {
        return await act(admin);
      } finally {
        await admin.disconnect();
      }
    },
    async read(topic) {
      const lines = await output("kcat", [
        ...["-b", brokers.join(","), "-C", "-t", topic],
        ...["-e", "-q", "-J", "-X", "check.crcs=true"],
      ]);
      return lines.split("\n").filter((line) => line !== "").map(recordOf);
    },
    dumpLog: notOurs,
    stop: notOurs,
    start: notOurs,
    close: () => Promise.resolve(),
  };
  return kafka;
}

function recordOf(line: string): ConsumedRecord {
  const json: {
    readonly partition: number;
    readonly offset: number;
    readonly ts: number;
    readonly key: string | null;
    readonly payload: string | null;
    readonly headers?: readonly string[];
  } = JSON.parse(line);
  const headers: Record<string, string> = {};
  for (let i = 0; i + 1 < (json.headers?.length ?? 0); i += 2) {
    headers[json.headers?.[i] ?? ""] = json.headers?.[i + 1] ?? "";
  }
  return {
    partition: json.partition,
    offset: json.offset,
    timestampMs: json.ts,
    key: json.key,
    value: json.payload,
    headers,
  };
}

async function serverProperties(
  dir: string,
  ports: {
    readonly admin: number;
    readonly client: number;
    readonly controller: number;
    readonly beside: readonly number[];
  },
  options: KafkaOptions,
): Promise<string> {
  const users = Object.entries(options.users ?? {});
  const protocol = `${users.length > 0 ? "SASL_" : ""}${options.tls ? "SSL" : "PLAINTEXT"}`.replace(
    "SASL_PLAINTEXT",
    "SASL_PLAINTEXT",
  );
  const lines: Record<string, string> = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.quorum.voters": `1@127.0.0.1:${ports.controller}`,
    "listeners":
      `ADMIN://127.0.0.1:${ports.admin},CLIENT://127.0.0.1:${ports.client},CONTROLLER://127.0.0.1:${ports.controller}`,
    "advertised.listeners": `ADMIN://127.0.0.1:${ports.admin},CLIENT://127.0.0.1:${
      options.advertisedPort ?? ports.client
    }`,
    "listener.security.protocol.map": `ADMIN:PLAINTEXT,CLIENT:${protocol},CONTROLLER:PLAINTEXT`,
    "inter.broker.listener.name": "ADMIN",
    "controller.listener.names": "CONTROLLER",
    "log.dirs": `${dir}/data`,
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    "auto.create.topics.enable": "false",
    // After a kill the controller waits for the old session to end before the node may come back.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
  };
  if (users.length > 0) {
    const plain = users.map(([name, password]) => `user_${name}="${password}"`).join(" ");
    lines["listener.name.client.sasl.enabled.mechanisms"] = "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512";
    lines["listener.name.client.plain.sasl.jaas.config"] =
      `org.apache.kafka.common.security.plain.PlainLoginModule required ${plain};`;
    for (const mechanism of ["scram-sha-256", "scram-sha-512"]) {
      lines[`listener.name.client.${mechanism}.sasl.jaas.config`] =
        "org.apache.kafka.common.security.scram.ScramLoginModule required;";
    }
  }
  if (options.tls) {
    await Deno.writeTextFile(`${dir}/server.pem`, options.tls.keyAndCertificatePem);
    lines["listener.name.client.ssl.keystore.type"] = "PEM";
    lines["listener.name.client.ssl.keystore.location"] = `${dir}/server.pem`;
  }
  if (options.tls?.clientCa !== undefined) {
    await Deno.writeTextFile(`${dir}/clients.pem`, options.tls.clientCa);
    lines["listener.name.client.ssl.client.auth"] = "required";
    lines["listener.name.client.ssl.truststore.type"] = "PEM";
    lines["listener.name.client.ssl.truststore.location"] = `${dir}/clients.pem`;
  }
  for (const [index, pem] of (options.tlsBeside ?? []).entries()) {
    await Deno.writeTextFile(`${dir}/beside${index}.pem`, pem);
    lines["listeners"] += `,BESIDE${index}://127.0.0.1:${ports.beside[index]}`;
    lines["advertised.listeners"] += `,BESIDE${index}://127.0.0.1:${ports.beside[index]}`;
    lines["listener.security.protocol.map"] += `,BESIDE${index}:SSL`;
    lines[`listener.name.beside${index}.ssl.keystore.type`] = "PEM";
    lines[`listener.name.beside${index}.ssl.keystore.location`] = `${dir}/beside${index}.pem`;
  }
  if (options.acl) {
    lines["authorizer.class.name"] = "org.apache.kafka.metadata.authorizer.StandardAuthorizer";
    lines["super.users"] = "User:ANONYMOUS";
  }
  return Object.entries({ ...lines, ...options.properties }).map(([name, value]) => `${name}=${value}\n`).join("");
}

const loggingYaml = `Configuration:
  Appenders:
    Console:
      name: stdout
      PatternLayout: { pattern: "%d %p %c{1} %m%n" }
  Loggers:
    Root:
      level: WARN
      AppenderRef: { ref: stdout }
`;

function jvmOptions(libs: string, dir: string): string[] {
  return [
    `-Dlog4j2.configurationFile=${dir}/log4j2.yaml`,
    `-Dkafka.logs.dir=${dir}`,
    "-XX:+UseSerialGC",
    "-cp",
    `${libs}/*`,
  ];
}

function java(libs: string, dir: string, args: readonly string[]): Promise<string> {
  return output("java", [...jvmOptions(libs, dir), "-Xmx256m", "-XX:TieredStopAtLevel=1", ...args]);
}

async function output(command: string, args: readonly string[]): Promise<string> {
  const result = await new Deno.Command(command, { args: [...args], stdin: "null" }).output();
  const text = new TextDecoder().decode(result.stdout);
  if (!result.success) throw new Error(`${command} failed: ${new TextDecoder().decode(result.stderr)}${text}`);
  return text;
}

async function runs(command: string, ...args: readonly string[]): Promise<boolean> {
  try {
    return (await new Deno.Command(command, { args: [...args], stdin: "null" }).output()).success;
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return false;
    throw thrown;
  }
}

function cacheDir(): string {
  return `${Deno.env.get("HOME") ?? "."}/.cache/weir-test/kafka-libs-${version}`;
}

async function findLibs(): Promise<string | null> {
  const libs = Deno.env.get("WEIR_TEST_KAFKA_LIBS") ?? cacheDir();
  try {
    const names = (await Array.fromAsync(Deno.readDir(libs))).map(({ name }) => name);
    return artifacts.every((artifact) => names.some((name) => name.startsWith(`${artifact}-`))) ? libs : null;
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return null;
    throw thrown;
  }
}

/** Has Maven fetch the jars into the cache. Beside it first: several test files may do this at once. */
async function fetchLibs(): Promise<string> {
  const dir = await Deno.makeTempDir({ prefix: "weir-kafka-pom-" });
  const dependencies = artifacts.map((artifact) =>
    `<dependency><groupId>org.apache.kafka</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`
  );
  await Deno.writeTextFile(
    `${dir}/pom.xml`,
    `<project><modelVersion>4.0.0</modelVersion><groupId>weir</groupId><artifactId>test</artifactId><version>1</version>
<dependencies>${dependencies.join("")}</dependencies></project>`,
  );
  await output("mvn", [
    "-q",
    "-B",
    "-f",
    `${dir}/pom.xml`,
    "dependency:copy-dependencies",
    `-DoutputDirectory=${dir}/libs`,
  ]);
  await Deno.mkdir(cacheDir().replace(/\/[^/]*$/, ""), { recursive: true });
  await Deno.rename(`${dir}/libs`, cacheDir()).catch(async (thrown) => {
    // Another test file was faster, or the cache is on another file system.
    if (await findLibs() !== null) return;
    if (!(thrown instanceof Error) || !thrown.message.includes("cross-device")) throw thrown;
    await output("cp", ["-r", `${dir}/libs`, cacheDir()]);
  });
  await Deno.remove(dir, { recursive: true });
  return cacheDir();
}
