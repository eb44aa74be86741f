/**
 * Tries the broker for `check --connect`: under a client id of its own and with a clean session, so that a running gateway is neither
 * thrown out nor robbed of messages.
 *
 * @module
 */
import type { Clock } from "../../core/clock.ts";
import type { Dice } from "../../core/dice.ts";
import type { Finding } from "../../core/finding.ts";
import { quoted } from "../../core/text.ts";
import type { Connection, Loss, OpenConnection, ProtocolVersion } from "./connection.ts";
import type { MqttSourceOptions, ParsedOptions } from "./options.ts";
import { troubleOf } from "./trouble.ts";

/** How long the broker has to answer all subscriptions. */
const subscribeTimeoutMs = 5_000;

/** What a check needs. */
export interface CheckParts {
  readonly open: OpenConnection;
  readonly clock: Clock;
  readonly dice: Dice;
}

/** Connects, subscribes and leaves. Never throws. */
export async function checkMqtt(
  parsed: ParsedOptions,
  options: MqttSourceOptions,
  parts: CheckParts,
): Promise<readonly Finding[]> {
  const subject = `MQTT broker ${parsed.address}`;
  const clientId = `${parsed.connection.clientId}-check-${Math.floor(parts.dice() * 2 ** 32).toString(16)}`;
  const versions: readonly ProtocolVersion[] = options.version === "auto" ? [5, 4] : [options.version === "5" ? 5 : 4];
  let refused: Finding = { ok: false, subject, result: "not tried" };
  for (const version of versions) {
    const tried = await tryVersion(parsed, parts, clientId, version);
    if (tried.loss === null) {
      const result = `connected, MQTT ${version === 5 ? "5" : "3.1.1"}` +
        (options.username === null ? "" : `, as user ${quoted(options.username)}`);
      return [{ ok: true, subject, result }, ...tried.subscriptions];
    }
    const trouble = troubleOf(tried.loss, { address: parsed.address, clientId, version });
    refused = { ok: false, subject, result: trouble.message, advice: trouble.advice };
    const another = trouble.versionRefused ||
      (tried.loss.reached && tried.loss.kind !== "refused" && tried.loss.tls === undefined);
    if (!another) break;
  }
  return [refused];
}

interface Tried {
  /** Why there was no connection, or null when there was. */
  readonly loss: Loss | null;
  readonly subscriptions: readonly Finding[];
}

function tryVersion(
  parsed: ParsedOptions,
  { open, clock }: CheckParts,
  clientId: string,
  version: ProtocolVersion,
): Promise<Tried> {
  return new Promise((resolve) => {
    // A shared subscription would take messages from those who share it: its topics are tried without.
    const filters = [...new Set(parsed.templates.map((template) => template.topicFilter))];
    const codes = new Map<string, number>();
    let opened = false;
    const timer = clock.after(parsed.connection.connectTimeoutMs + subscribeTimeoutMs, () => connection.close());
    const connection: Connection = open({ ...parsed.connection, clientId, version, clean: true, will: null }, {
      opened: () => void (opened = true),
      ready() {
        for (const filter of filters) {
          connection.subscribe(filter, 0, 2, (code) => {
            codes.set(filter, code);
            if (codes.size === filters.length) connection.close();
          });
        }
      },
      message: () => {},
      closed(loss) {
        timer.cancel();
        const subscriptions = filters.map((filter) => finding(filter, codes.get(filter)));
        resolve({ loss: opened ? null : loss, subscriptions });
      },
    }, clock);
  });
}

function finding(filter: string, code: number | undefined): Finding {
  const subject = `MQTT subscription ${quoted(filter)}`;
  if (code === undefined) {
    return { ok: false, subject, result: "not answered", advice: "See the broker's log" };
  }
  if (code >= 0x80) {
    const advice = "Allow it at the broker, or correct --mqtt-topic";
    return { ok: false, subject, result: `refused with code 0x${code.toString(16)}`, advice };
  }
  return { ok: true, subject, result: "allowed" };
}
