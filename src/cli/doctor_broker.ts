/**
 * What `doctor` finds out about the broker's queues. MQTT has no words for their limits; Mosquitto tells its version and what it dropped
 * under `$SYS/` (mosquitto(8), "Broker Status").
 *
 * @module
 */
import type { Settings } from "../config/settings.ts";
import type { Finding } from "../core/finding.ts";
import { createTally } from "../core/tally.ts";
import { printable } from "../core/text.ts";
import { buildParts } from "../registry.ts";
import { loadOpenConnection, type OpenConnection } from "../source/mqtt/connection.ts";
import { memoryLedger } from "../store/memory_ledger.ts";
import type { CommandContext } from "./command.ts";

const topics = { version: "$SYS/broker/version", dropped: "$SYS/broker/publish/messages/dropped" } as const;
/** What is kept of a value that a broker tells. */
const valueCharsMax = 100;

/** Asks the broker. Empty when it cannot be reached, which `check` tells. */
export async function brokerFindings(settings: Settings, context: CommandContext): Promise<readonly Finding[]> {
  if (settings.mqtt === null) return [];
  const told = new Map<string, string>();
  const { clock, dice } = context;
  const { sources } = buildParts({ ...settings, files: null, sink: { kind: "stdout" } }, {
    clock,
    dice,
    emit: () => {},
    ledger: memoryLedger({ clock, deadLetterBytesMax: settings.limits.deadLetterBytesMax }),
    tally: createTally(),
    forecast: () => ({ etaMs: null, verdict: "none", needRows: null, capNeededRows: null }),
    boot: "doctor",
    stdout: context.stdout,
    onStdoutClosed: () => {},
    open: listeningTo(told, await loadOpenConnection()),
  });
  const findings = await Promise.all(sources.map((source) => source.check()));
  return findings.flat()[0]?.ok === true ? [queueFinding(told)] : [];
}

/** A connection that also listens to what the broker tells of itself: asked first, so that it has answered when the rest has. */
function listeningTo(told: Map<string, string>, open: OpenConnection): OpenConnection {
  return (options, events, clock) => {
    const connection = open(options, {
      ...events,
      ready() {
        for (const topic of Object.values(topics)) connection.subscribe(topic, 0, 0, () => {});
        events.ready();
      },
      message(topic, payload, ...rest) {
        if (topic.startsWith("$SYS/")) told.set(topic, new TextDecoder().decode(payload.slice(0, valueCharsMax)));
        else events.message(topic, payload, ...rest);
      },
    }, clock);
    return connection;
  };
}

/** What is known of the queues, and what to see to. */
export function queueFinding(told: ReadonlyMap<string, string>): Finding {
  const subject = "Broker's queues";
  const version = told.get(topics.version) ?? "";
  const dropped = Number(told.get(topics.dropped) ?? 0);
  if (!/mosquitto/i.test(version)) {
    const advice = "See that it queues enough for a client that is away, and does not drop what it has acknowledged";
    return { ok: true, subject, result: "the broker does not tell their limits", advice };
  }
  const count = dropped > 0 ? `; it dropped ${dropped} messages since it started` : "";
  return {
    ok: true,
    subject,
    result: `${printable(version)} does not tell their limits${count}`,
    advice:
      "By default Mosquitto queues 1000 messages for a client and drops what comes then, after it was acknowledged: " +
      "set max_queued_messages to what may come while the gateway is away, max_inflight_messages to --mqtt-receive-max, " +
      "and for a kill or a power cut persistence true with autosave_on_changes true",
  };
}
