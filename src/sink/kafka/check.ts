/**
 * What `check --connect` tries of Kafka: each broker (network, TLS, user), then each topic (there, led, how many partitions, how large a
 * record may be). Changes nothing.
 *
 * @module
 */
import type { Finding } from "../../core/finding.ts";
import { current } from "../../core/renewable.ts";
import { formatBytes, printable, quoted } from "../../core/text.ts";
import { pathAdviceOf, verdictOf } from "./classify.ts";
import { checkpointPartitions, checkpointTopicAdvice, checkpointTopicSettings } from "./checkpoint_topic.ts";
import { transactionalIdOf } from "./chunk_sink.ts";
import type { BrokerAddress, Connection, OpenConnection } from "./connection.ts";
import type { ParsedOptions } from "./options.ts";
import { PathError } from "./path_error.ts";
import { createTopicRequest, fetchRequest } from "./read_requests.ts";
import {
  metadataRequest,
  producerIdRequest,
  topicBytesMaxRequest,
  type TopicMetadata,
  topicSettingRequest,
} from "./requests.ts";
import { coordinatorRequest, endTransactionRequest } from "./transaction_requests.ts";

/** Nobody has this producer id: a request with it is judged by its permissions, and does nothing. */
const nobody = { producerId: 2n ** 62n, producerEpoch: 0 } as const;
const unknownId = 49;
const missing = 3;
const offsetOutOfRange = 1;

/** Tries all brokers at once, then the topics at the first one that answers. Never throws. */
export async function checkKafka(options: ParsedOptions, open: OpenConnection): Promise<readonly Finding[]> {
  const connections: Connection[] = [];
  try {
    const ofBrokers = await Promise.all(options.brokers.map(async (address): Promise<Finding> => {
      const subject = `Kafka broker ${printable(`${address.host}:${address.port}`)}`;
      try {
        connections.push(await open(address, new AbortController().signal));
        return { ok: true, subject, result: `connected${howOf(options)}` };
      } catch (thrown) {
        return failed(subject, thrown);
      }
    }));
    const [connection] = connections;
    if (connection === undefined) return ofBrokers;
    return [
      ...ofBrokers,
      ...await checkTopics(options, connection),
      ...await checkTransactions(options, connection, open),
    ];
  } finally {
    for (const connection of connections) connection.close();
  }
}

async function checkTopics(options: ParsedOptions, connection: Connection): Promise<Finding[]> {
  const names = [
    ...(options.topic.fields.length === 0 ? [options.topic.source] : options.topicAllow),
    ...(options.deadLetterTopic === null ? [] : [options.deadLetterTopic]),
  ];
  const ask = <T>(request: Parameters<typeof connection.request<T>>[0]) =>
    connection.request(request, options.requestTimeoutMs);
  try {
    const findings: Finding[] = [];
    const { topics } = await ask(metadataRequest(names));
    for (const topic of topics) {
      const bytesMax = topic.code === 0 ? await ask(topicBytesMaxRequest(topic.topic)) : null;
      findings.push(findingOf(topic, bytesMax));
    }
    const { code } = await ask(producerIdRequest());
    const { what, advice, passing } = verdictOf(code);
    // A Kafka that has just started gives its first producer id a little later.
    if (!passing) {
      findings.push({ ok: false, subject: "Kafka producer id", result: what, advice });
    }
    return findings;
  } catch (thrown) {
    return [failed("Kafka topics", thrown)];
  }
}

/** Whether rows of files can go in transactions. Takes nothing away from a gateway that runs. */
async function checkTransactions(
  options: ParsedOptions,
  connection: Connection,
  open: OpenConnection,
): Promise<readonly Finding[]> {
  const name = options.filesCheckpointTopic;
  if (name === null) return [];
  try {
    return [
      await checkTransactionalId(transactionalIdOf(options.gateway), options, connection, open),
      await checkCheckpointTopic(name, options, connection, open),
    ];
  } catch (thrown) {
    return [failed("Kafka transactions", thrown)];
  }
}

async function checkTransactionalId(
  id: string,
  options: ParsedOptions,
  connection: Connection,
  open: OpenConnection,
): Promise<Finding> {
  const subject = `Kafka transactional id ${quoted(id)}`;
  const found = await connection.request(coordinatorRequest(id), options.requestTimeoutMs);
  // Kafka makes its topic of transactions when it is first asked for a coordinator.
  if (found.code === 15) return { ok: true, subject, result: "permitted; Kafka is making its topic of transactions" };
  const answer = found.code !== 0 ? found : await at(
    found.address,
    open,
    (coordinator) => coordinator.request(endTransactionRequest(id, nobody, false), options.requestTimeoutMs),
  );
  if (answer.code === 0 || answer.code === unknownId) return { ok: true, subject, result: "permitted" };
  const { what, advice, passing } = verdictOf(answer.code);
  return { ok: passing, subject, result: what, advice };
}

async function checkCheckpointTopic(
  name: string,
  options: ParsedOptions,
  connection: Connection,
  open: OpenConnection,
): Promise<Finding> {
  const subject = `Kafka topic ${quoted(name)}`;
  const ask = <T>(request: Parameters<typeof connection.request<T>>[0]) =>
    connection.request(request, options.requestTimeoutMs);
  const { topics: [topic], nodes } = await ask(metadataRequest([name]));
  if (topic?.code === missing) {
    const trial = createTopicRequest(
      name,
      checkpointPartitions,
      checkpointTopicSettings,
      options.requestTimeoutMs,
      true,
    );
    const { code } = await ask(trial);
    // Where there is no KRaft only the controller may make topics: then it is found out at the start.
    if (code === 0 || code === 41) return { ok: true, subject, result: "missing; it will be made at the start" };
    const { what } = verdictOf(code);
    return { ok: false, subject, result: `missing, and cannot be made: ${what}`, advice: checkpointTopicAdvice };
  }
  const code = topic?.code ?? -1;
  if (code !== 0) return { ok: false, subject, result: verdictOf(code).what, advice: checkpointTopicAdvice };
  const policy = await ask(topicSettingRequest(name, "cleanup.policy"));
  if (policy !== null && policy !== "compact") {
    const result = `cleanup.policy=${policy}: checkpoints would be deleted by age`;
    return { ok: false, subject, result, advice: "Set cleanup.policy=compact" };
  }
  const leader = nodes.find(({ node }) => node === topic?.leaders[0]);
  if (leader === undefined) return { ok: false, subject, result: "no leader", advice: verdictOf(5).advice };
  const read = await at(leader, open, (one) => one.request(fetchRequest(name, 0, 0n, 0), options.requestTimeoutMs));
  if (read.code === 0 || read.code === offsetOutOfRange) return { ok: true, subject, result: "compacted, may be read" };
  const result = read.code === 29 ? "this user has no permission to read it" : verdictOf(read.code).what;
  return { ok: false, subject, result, advice: checkpointTopicAdvice };
}

/** Asks another broker. */
async function at<T>(
  address: BrokerAddress,
  open: OpenConnection,
  ask: (broker: Connection) => Promise<T>,
): Promise<T> {
  const broker = await open({ host: address.host, port: address.port }, new AbortController().signal);
  try {
    return await ask(broker);
  } finally {
    broker.close();
  }
}

function findingOf(topic: TopicMetadata, bytesMax: number | null): Finding {
  const subject = `Kafka topic ${quoted(topic.topic)}`;
  if (topic.code !== 0) {
    const { what, advice } = verdictOf(topic.code);
    return { ok: false, subject, result: what, advice };
  }
  const leaderless = topic.leaders.filter((leader) => leader < 0).length;
  const size = bytesMax === null ? "" : `, batches up to ${formatBytes(bytesMax)}`;
  const count = topic.leaders.length;
  const result = `${count} partition${count === 1 ? "" : "s"}${size}`;
  if (leaderless === 0) return { ok: true, subject, result };
  return { ok: false, subject, result: `${result}; ${leaderless} without a leader`, advice: verdictOf(5).advice };
}

function failed(subject: string, thrown: unknown): Finding {
  if (!(thrown instanceof PathError)) throw thrown;
  // Most begin with the broker, as the subject does.
  const result = thrown.message.startsWith(`${subject} `) ? thrown.message.slice(subject.length + 1) : thrown.message;
  return { ok: false, subject, result, advice: pathAdviceOf(thrown) };
}

function howOf(options: ParsedOptions): string {
  const identity = options.tls === null ? null : current(options.tls).identity ?? null;
  const tls = options.tls === null ? "" : identity === null ? ", TLS" : ", TLS with a client certificate";
  const sasl = options.sasl === null
    ? ""
    : `, ${options.sasl.mechanism.toUpperCase()} as ${quoted(options.sasl.username)}`;
  return tls + sasl;
}
