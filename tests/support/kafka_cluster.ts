/**
 * A Kafka of two brokers and a controller apart from them, in KRaft mode on free ports of 127.0.0.1: topics have a replica on each broker,
 * and leadership moves between the two when a broker dies or when a test asks for it.
 *
 * @module
 */
import { kafkaArchive } from "./kafka_archive.ts";
import { java, kafkaClusterId, kafkaLibs, quickJit } from "./kafka_jars.ts";
import { type KafkaProcess, kafkaProcess } from "./kafka_process.ts";
import { readToEnds } from "./kafka_reader.ts";
import { existingKafka, type RunningKafka } from "./kafka_tools.ts";
import { eventually, freePort } from "./servers.ts";

/** Numbers of the brokers. */
export const brokerNodes = [1, 2] as const;
export type BrokerNode = typeof brokerNodes[number];

/** The cluster. Topics made by it have a replica on each broker. */
export interface KafkaCluster
  extends Pick<RunningKafka, "adminBrokers" | "createTopic" | "admin" | "read" | "first">, AsyncDisposable {
  /** Node that leads each partition, by index. */
  leaders(topic: string): Promise<readonly number[]>;
  /** Moves the leadership of all partitions of a topic to a node, and waits until it is there. */
  lead(topic: string, node: BrokerNode): Promise<void>;
  /** Waits until each partition of a topic is on both brokers: until then the death of one may lose what was acknowledged. */
  inSync(topic: string): Promise<void>;
  /** Stops a broker and keeps its data; the other one leads on. */
  stop(node: BrokerNode, signal: "SIGTERM" | "SIGKILL"): Promise<void>;
  /** Starts it again. */
  start(node: BrokerNode): Promise<void>;
}

const controllerNode = 100;

/** Starts one. */
export async function startKafkaCluster(): Promise<KafkaCluster> {
  const libs = await kafkaLibs();
  const dir = await Deno.makeTempDir({ prefix: "weir-kafkas-" });
  const ports: Readonly<Record<BrokerNode | "controller", number>> = {
    1: freePort(),
    2: freePort(),
    controller: freePort(),
  };
  const brokers = brokerNodes.map((node) => `127.0.0.1:${ports[node]}`);
  const tools = existingKafka(brokers, brokerNodes.length);

  const archive = await kafkaArchive(libs);

  async function server(node: number, role: string, listener: string): Promise<KafkaProcess> {
    const home = `${dir}/${node}`;
    await Deno.mkdir(`${home}/data`, { recursive: true });
    const lines = {
      ...common,
      "process.roles": role,
      "node.id": `${node}`,
      "listeners": listener,
      "log.dirs": `${home}/data`,
      "controller.quorum.voters": `${controllerNode}@127.0.0.1:${ports.controller}`,
    };
    const text = Object.entries(lines).map(([name, value]) => `${name}=${value}\n`).join("");
    await Deno.writeTextFile(`${home}/server.properties`, text);
    const jvm = ["-Xmx256m", `-XX:SharedArchiveFile=${archive}`, quickJit];
    return await kafkaProcess({
      libs,
      dir: home,
      jvm,
      brokers: role === "broker" ? [listener.replace("CLIENT://", "")] : [],
    });
  }

  async function broker(node: BrokerNode): Promise<KafkaProcess> {
    const process = await server(node, "broker", `CLIENT://127.0.0.1:${ports[node]}`);
    // A broker needs no more than this; only the controller's folder holds the first records of the cluster.
    const meta = `version=1\ncluster.id=${kafkaClusterId}\nnode.id=${node}\n`;
    await Deno.writeTextFile(`${dir}/${node}/data/meta.properties`, meta);
    return process;
  }

  const processes = { 1: await broker(1), 2: await broker(2) } as const;
  const controller = await server(controllerNode, "controller", `CONTROLLER://127.0.0.1:${ports.controller}`);
  const home = `${dir}/${controllerNode}`;
  await java(libs, home, [
    "kafka.tools.StorageTool",
    "format",
    "-t",
    kafkaClusterId,
    "-c",
    `${home}/server.properties`,
  ]);
  await Promise.all([controller, processes[1], processes[2]].map((process) => process.start()));
  await eventually(
    "both brokers are there",
    async () => (await tools.admin((admin) => admin.describeCluster())).brokers.length === 2,
  );

  async function partitionsOf(topic: string) {
    const { topics } = await tools.admin((admin) => admin.fetchTopicMetadata({ topics: [topic] }));
    return (topics[0]?.partitions ?? []).toSorted((a, b) => a.partitionId - b.partitionId);
  }

  const cluster: KafkaCluster = {
    adminBrokers: brokers,
    createTopic: tools.createTopic,
    admin: tools.admin,
    read: (topic) =>
      readToEnds(topic, {
        async ends() {
          const offsets = await tools.admin((admin) => admin.fetchTopicOffsets(topic));
          return offsets.map(({ partition, high }) => ({ partition, end: Number(high) }));
        },
        read: () => tools.read(topic),
      }),
    first: tools.first,
    leaders: async (topic) => (await partitionsOf(topic)).map(({ leader }) => leader),
    async lead(topic, node) {
      const replicas = [node, ...brokerNodes.filter((other) => other !== node)];
      const partitionAssignment = (await partitionsOf(topic)).map(({ partitionId }) => ({
        partition: partitionId,
        replicas,
      }));
      await tools.admin((admin) => admin.alterPartitionReassignments({ topics: [{ topic, partitionAssignment }] }));
      // The first replica is the preferred one; the controller elects it within a second (see `common`).
      await eventually(
        `node ${node} leads ${topic}`,
        async () => (await cluster.leaders(topic)).every((leader) => leader === node),
      );
    },
    async inSync(topic) {
      await eventually(
        `${topic} is on both brokers`,
        async () => (await partitionsOf(topic)).every(({ isr }) => isr.length === brokerNodes.length),
      );
    },
    stop: (node, signal) => processes[node].stop(signal),
    start: (node) => processes[node].start(),
    async [Symbol.asyncDispose]() {
      await Promise.all([controller, processes[1], processes[2]].map((process) => process.stop("SIGKILL")));
      await Deno.remove(dir, { recursive: true });
    },
  };
  return cluster;
}

const common: Readonly<Record<string, string>> = {
  "listener.security.protocol.map": "CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT",
  "inter.broker.listener.name": "CLIENT",
  "controller.listener.names": "CONTROLLER",
  "default.replication.factor": "2",
  "offsets.topic.replication.factor": "2",
  "offsets.topic.num.partitions": "1",
  "transaction.state.log.replication.factor": "2",
  "transaction.state.log.min.isr": "1",
  "transaction.state.log.num.partitions": "1",
  "auto.create.topics.enable": "false",
  // A dead broker is given up soon, and a preferred leader is elected soon; but not so soon that a machine which stands still for a few
  // seconds has a dead broker, or a follower that lags: then the other one alone would have what was acknowledged.
  "broker.session.timeout.ms": "6000",
  "broker.heartbeat.interval.ms": "500",
  "leader.imbalance.check.interval.seconds": "1",
  "leader.imbalance.per.broker.percentage": "0",
  "replica.lag.time.max.ms": "10000",
  "replica.fetch.wait.max.ms": "100",
};
