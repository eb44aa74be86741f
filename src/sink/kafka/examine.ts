/**
 * What `doctor` asks a cluster beyond `check`: how its clock stands to ours, and which quotas hold for this gateway. Changes nothing.
 *
 * @module
 */
import type { Clock } from "../../core/clock.ts";
import { messageOf } from "../../core/error.ts";
import type { Finding } from "../../core/finding.ts";
import type { Lane } from "../../core/flow.ts";
import { formatBytes, formatDuration } from "../../core/text.ts";
import { verdictOf } from "./classify.ts";
import type { Connection, OpenConnection } from "./connection.ts";
import { quorumRequest, type Quota, quotasRequest } from "./examine_requests.ts";
import type { ParsedOptions } from "./options.ts";
import { PathError } from "./path_error.ts";
import { quotaFor } from "./quotas.ts";

/** A difference of the clocks up to this is well, in ms. */
const skewMsMax = 2000;
/** The controller is asked so often; the answer that came quickest counts. */
const clockQuestions = 3;
/** Whether this user may ask: CLUSTER_AUTHORIZATION_FAILED. */
const forbidden = 31;

const clockSubject = "Kafka's clock";
const quotaSubject = "Kafka's quotas";
const stepAdvice =
  "Records carry this machine's time: keep both in step (chrony, or systemd-timesyncd), and see it with `timedatectl`";
const throttleAdvice =
  "Whether it throttles, tell `weir status` and weir_sink_throttled_seconds_total while the gateway runs";

type ExamineOptions = Pick<ParsedOptions, "brokers" | "gateway" | "requestTimeoutMs" | "sasl" | "tls">;

/** Asks the first broker that answers; nothing when none does, which `check` tells. Never throws. */
export async function examineKafka(
  options: ExamineOptions,
  open: OpenConnection,
  clock: Clock,
): Promise<readonly Finding[]> {
  // One after the other: a connection on which something was asked that the broker does not speak is gone.
  const clockFinding = await withBroker(options, open, (broker) => examineClock(options, broker, clock));
  if (clockFinding === null) return [];
  const quotaFinding = await withBroker(options, open, (broker) => examineQuotas(options, broker));
  return quotaFinding === null ? [clockFinding] : [clockFinding, quotaFinding];
}

async function withBroker(
  { brokers }: ExamineOptions,
  open: OpenConnection,
  ask: (broker: Connection) => Promise<Finding>,
): Promise<Finding | null> {
  for (const address of brokers) {
    let broker: Connection;
    try {
      broker = await open(address, new AbortController().signal);
    } catch (thrown) {
      if (!(thrown instanceof PathError)) throw thrown;
      continue;
    }
    try {
      return await ask(broker);
    } finally {
      broker.close();
    }
  }
  return null;
}

async function examineClock(
  { requestTimeoutMs }: ExamineOptions,
  broker: Connection,
  clock: Clock,
): Promise<Finding> {
  const unknown = (why: string, how: string): Finding => ({
    ok: true,
    subject: clockSubject,
    result: `not known: ${why}`,
    advice: `${how}. ${stepAdvice}`,
  });
  let best = { tripMs: Infinity, aheadMs: 0 };
  try {
    for (let question = 0; question < clockQuestions; question++) {
      const [sentMs, sentWallMs] = [clock.nowMs(), clock.wallMs()];
      const { code, leaderMs } = await broker.request(quorumRequest(), requestTimeoutMs);
      if (code === forbidden) {
        return unknown(
          "this user may not ask its controllers",
          "Allow Describe on the cluster (kafka-acls --operation Describe --cluster) to have it compared",
        );
      }
      if (code !== 0 || leaderMs === null) {
        return unknown(code === 0 ? "its controllers do not tell" : verdictOf(code).what, "Compare them by hand");
      }
      const tripMs = clock.nowMs() - sentMs;
      if (tripMs < best.tripMs) best = { tripMs, aheadMs: sentWallMs + tripMs / 2 - leaderMs };
    }
  } catch (thrown) {
    return unknown(unansweredBy(thrown, "only Kafka 3.3 and newer, with KRaft, tell the time"), "Compare them by hand");
  }
  return clockFinding(best.aheadMs, best.tripMs);
}

/** What is said of a clock of ours that is `aheadMs` ahead of Kafka's, as far as a question of `tripMs` can tell. */
export function clockFinding(aheadMs: number, tripMs: number): Finding {
  const doubtMs = Math.ceil(tripMs / 2);
  const off = Math.abs(aheadMs);
  if (off <= skewMsMax + doubtMs) {
    const result = `within ${formatDuration(Math.max(1, Math.ceil(off + doubtMs)))} of this machine's`;
    return { ok: true, subject: clockSubject, result };
  }
  const where = aheadMs > 0 ? "ahead of" : "behind";
  return {
    ok: false,
    subject: clockSubject,
    result: `this machine is ${formatDuration(Math.round(off))} ${where} Kafka's controller`,
    advice:
      `${stepAdvice}. Kafka refuses records that are ahead by more than message.timestamp.after.max.ms, and deletes by their time`,
  };
}

async function examineQuotas(options: ExamineOptions, broker: Connection): Promise<Finding> {
  const finding = (result: string, advice: string): Finding => ({ ok: true, subject: quotaSubject, result, advice });
  try {
    const { code, quotas } = await broker.request(quotasRequest(), options.requestTimeoutMs);
    if (code === forbidden) {
      return finding(
        "not known: this user may not ask for them",
        "Allow DescribeConfigs on the cluster (kafka-acls --operation DescribeConfigs --cluster) to have them told. " +
          throttleAdvice,
      );
    }
    if (code !== 0) return finding(`not known: ${verdictOf(code).what}`, throttleAdvice);
    return quotaFinding(options, quotas);
  } catch (thrown) {
    return finding(`not known: ${unansweredBy(thrown, "only Kafka 2.6 and newer tell them")}`, throttleAdvice);
  }
}

/** What is said of the quotas of this gateway's producers. */
export function quotaFinding(
  { gateway, sasl, tls }: Pick<ExamineOptions, "gateway" | "sasl" | "tls">,
  quotas: readonly Quota[],
): Finding {
  // The user of a certificate is what the broker makes of its name.
  const user = sasl?.username ?? (tls === null ? "ANONYMOUS" : null);
  const lanes: readonly Lane[] = ["stream", "files"];
  const told = lanes.flatMap((lane) => {
    const client = { user, clientId: `${gateway}-${lane}` };
    const bytes = quotaFor(client, "producer_byte_rate", quotas);
    const percent = quotaFor(client, "request_percentage", quotas);
    const limits = [
      ...(bytes === null ? [] : [`${formatBytes(bytes)}/s`]),
      ...(percent === null ? [] : [`${percent} % of a broker's request threads`]),
    ];
    return limits.length === 0 ? [] : [`${client.clientId}: ${limits.join(" and ")}`];
  });
  const beside = user === null && quotas.some(({ entity }) => typeof entity.get("user") === "string")
    ? "; one for the certificate's user may hold instead"
    : "";
  if (told.length === 0) {
    return { ok: true, subject: quotaSubject, result: `none for this gateway's producers${beside}` };
  }
  return {
    ok: true,
    subject: quotaSubject,
    result: `at each broker ${told.join(", ")}${beside}`,
    advice: `Kafka slows down what is above: let --files-cap stay below, or ask for more. ${throttleAdvice}`,
  };
}

/** Why there is no answer. */
function unansweredBy(thrown: unknown, unsupported: string): string {
  if (!(thrown instanceof PathError)) throw thrown;
  return thrown.failure === "unsupported" ? unsupported : messageOf(thrown);
}
