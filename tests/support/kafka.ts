/**
 * A real Kafka for tests: one node in KRaft mode on free ports of 127.0.0.1, in a directory of its own that goes with it. It has two
 * listeners: `admin`, plain and all-powerful, for the test itself, and `client`, secured as the test asks, for what is tested.
 *
 * The jars are those in `WEIR_TEST_KAFKA_LIBS`, or those kept in `~/.cache/weir-test/`, which Maven fills once. With
 * `WEIR_TEST_KAFKA_BROKERS` an existing Kafka is used where a test needs no control over the server.
 *
 * @module
 */
import { kafkaArchive } from "./kafka_archive.ts";
import { java, kafkaClusterId, kafkaLibs, quickJit } from "./kafka_jars.ts";
import { kafkaProcess } from "./kafka_process.ts";
import { existingKafka, type RunningKafka } from "./kafka_tools.ts";
import { freePort } from "./servers.ts";

export { kafkaAvailability } from "./kafka_jars.ts";
export { countOf } from "./kafka_tools.ts";
export type { ConsumedRecord, RunningKafka } from "./kafka_tools.ts";

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

/**
 * Starts a Kafka, or gives the existing one when nothing special is asked of it.
 *
 * @param jit `full`: for measurements; `quick`: the JVM compiles less, and the server starts with less CPU
 */
export async function startKafka(options: KafkaOptions = {}, jit: "quick" | "full" = "quick"): Promise<RunningKafka> {
  const existing = Deno.env.get("WEIR_TEST_KAFKA_BROKERS");
  if (existing !== undefined && existing !== "" && Object.keys(options).length === 0) {
    return existingKafka(existing.split(","));
  }
  const libs = await kafkaLibs();
  const dir = await Deno.makeTempDir({ prefix: "weir-kafka-" });
  const ports = {
    admin: freePort(),
    client: freePort(),
    controller: freePort(),
    beside: (options.tlsBeside ?? []).map(freePort),
  };
  await Deno.writeTextFile(`${dir}/server.properties`, await serverProperties(dir, ports, options));
  const adminBrokers = [`127.0.0.1:${ports.admin}`];
  const jvm = ["-Xmx512m", `-XX:SharedArchiveFile=${await kafkaArchive(libs)}`, ...(jit === "quick" ? [quickJit] : [])];
  const process = await kafkaProcess({ libs, dir, jvm, brokers: adminBrokers });
  const scram = Object.entries(options.users ?? {}).flatMap(([name, password]) =>
    ["SCRAM-SHA-256", "SCRAM-SHA-512"].flatMap((
      mechanism,
    ) => ["--add-scram", `${mechanism}=[name=${name},password=${password}]`])
  );
  await java(libs, dir, [
    "kafka.tools.StorageTool",
    "format",
    "-t",
    kafkaClusterId,
    "-c",
    `${dir}/server.properties`,
    ...scram,
  ]);

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
    start: () => process.start(),
    stop: (signal) => process.stop(signal),
    pause: () => process.pause(),
    resume: () => process.resume(),
    async close() {
      await kafka.stop("SIGKILL");
      await Deno.remove(dir, { recursive: true });
    },
  };
  await kafka.start();
  return kafka;
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
