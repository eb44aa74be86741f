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
import type { Connection, OpenConnection } from "./connection.ts";
import type { ParsedOptions } from "./options.ts";
import { PathError } from "./path_error.ts";
import { metadataRequest, producerIdRequest, topicBytesMaxRequest, type TopicMetadata } from "./requests.ts";

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
    return connection === undefined ? ofBrokers : [...ofBrokers, ...await checkTopics(options, connection)];
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
  return { ok: false, subject, result: thrown.message, advice: pathAdviceOf(thrown) };
}

function howOf(options: ParsedOptions): string {
  const identity = options.tls === null ? null : current(options.tls).identity ?? null;
  const tls = options.tls === null ? "" : identity === null ? ", TLS" : ", TLS with a client certificate";
  const sasl = options.sasl === null
    ? ""
    : `, ${options.sasl.mechanism.toUpperCase()} as ${quoted(options.sasl.username)}`;
  return tls + sasl;
}
