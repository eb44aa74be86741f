/**
 * The MQTT source: one connection, several subscriptions, a persistent session. A message of QoS 1 is acknowledged (PUBACK) only after
 * all its readings have a durable home; until then the broker's session keeps it, through restarts of both.
 *
 *     connector -- message --> pending? adopt -> PUBACK in its turn
 *                      +- new -> bounds -> intake -> inbox -> (scheduler) -> settle -> PUBACK in its turn
 *
 * Bounds: `receiveMax` unsettled messages and `inboxBytesMax` bytes. MQTT 5 brokers are told the first in CONNECT and keep to it. Where
 * one sends more all the same, or bytes run out, the source leaves, and comes back when half is settled: the session holds the rest.
 *
 * @module
 */
import type { Clock, Timer } from "../../core/clock.ts";
import type { DecodePayload, Normalizer } from "../../core/decoder.ts";
import type { Dice } from "../../core/dice.ts";
import type { Emit } from "../../core/event.ts";
import type { Source } from "../../core/source.ts";
import { formatBytes, formatCount, quoted } from "../../core/text.ts";
import { checkMqtt } from "./check.ts";
import { type Connection, type OpenConnection, openConnection, type ProtocolVersion } from "./connection.ts";
import { type ConnectorEvents, createConnector } from "./connector.ts";
import { createInbox } from "./inbox.ts";
import { createIntake } from "./intake.ts";
import { type MqttSourceOptions, parseMqttOptions } from "./options.ts";
import { createPending, fingerprint } from "./pending.ts";

/** With `--once`: nothing has come for so long, so the session's queue is empty. */
const quietMs = 2_000;

/** In a resumed session the broker sends at once what it has no PUBACK for. What it has not sent after so long, it will not. */
const redeliveryWaitMs = 10_000;

/** An inbox that fills again within this time is still the same burst or backlog. */
const sameFillingMs = 60_000;

/** Drops are told at most so often. */
const tellDropsMs = 5_000;

/** What the source needs from the rest of the program. */
export interface MqttSourceParts {
  readonly clock: Clock;
  readonly dice: Dice;
  readonly emit: Emit;
  readonly decodePayload: DecodePayload;
  readonly normalizer: Normalizer;
  /** First part of readings' ids, and the client id unless one is set. */
  readonly gateway: string;
  /** Second part of readings' ids: different for each run of the program. */
  readonly boot: string;
  /** Counts messages of QoS 0 that found no room. */
  readonly dropped?: (count: number) => void;
  /** Opens connections; by default with npm:mqtt. */
  readonly open?: OpenConnection;
}

/**
 * Makes the MQTT source.
 *
 * @throws {WeirError} `configuration` when an option is wrong.
 */
export function createMqttSource(options: MqttSourceOptions, parts: MqttSourceParts): Source {
  const { clock, emit } = parts;
  const open = parts.open ?? openConnection;
  const parsed = parseMqttOptions(options, parts.gateway);
  const { templates, filters, connection: connectionOptions, address } = parsed;
  const retainHandling = { all: 0, once: 1, none: 2 } as const;

  let wake = () => {};
  let stopping = false;
  let paused = false;
  let lastFilledMs = -Infinity;
  let session: { connection: Connection; version: ProtocolVersion; resumed: boolean } | null = null;
  let everConnected = false;
  const accepted = new Set<string>();
  let unansweredSubscriptions = filters.length;
  let lastArrivalMs = clock.nowMs();
  let redeliveryWait: Timer | null = null;
  const drops = createDropCounter(clock, emit, parts.dropped ?? (() => {}));
  const drainWaiters: (() => void)[] = [];

  const pending = createPending(settled);
  const inbox = createInbox(
    options.subscriptions.map(({ template, weight }) => ({ name: `mqtt ${template}`, weight })),
    () => wake(),
  );
  const intake = createIntake({ ...parts, templates, inbox, pending });
  const events: ConnectorEvents = { opened, ready, message, closed };
  const connector = createConnector(
    { ...parts, open, options: connectionOptions, version: options.version, address },
    events,
  );

  function opened(
    connection: Connection,
    { sessionPresent }: { sessionPresent: boolean },
    version: ProtocolVersion,
  ): void {
    session = { connection, version, resumed: sessionPresent };
    lastArrivalMs = clock.nowMs();
    const abandoned = pending.connected(sessionPresent, (packetId) => connection.acknowledge(packetId));
    if (!sessionPresent) {
      accepted.clear();
      if (everConnected) tellSessionLost(abandoned);
    } else {
      redeliveryWait = clock.after(redeliveryWaitMs, abandonUnclaimed);
    }
    everConnected = true;
  }

  function ready(connection: Connection, version: ProtocolVersion): void {
    const wanted = filters.filter((filter) => !accepted.has(filter));
    unansweredSubscriptions = wanted.length;
    for (const filter of wanted) {
      connection.subscribe(filter, options.qos, retainHandling[options.retained], (code) => {
        unansweredSubscriptions -= 1;
        lastArrivalMs = clock.nowMs();
        if (code < 0x80) accepted.add(filter);
        tellSubscription(filter, code);
      });
    }
    if (options.statusTopic === null) return;
    const topic = options.statusTopic;
    connection.publish({ topic, text: "online" }, (trouble) => {
      if (trouble === null || session?.connection !== connection) return;
      const message = `The broker ${address} does not take "online" on the status topic ${quoted(topic)}: ${trouble}`;
      emit("warn", "mqtt.status_refused", `${message}. Allow it there, or set another --mqtt-status-topic`, {
        version,
      });
    });
  }

  function message(topic: string, payload: Uint8Array, packetId: number, dup: boolean, retained: boolean): void {
    if (session === null) return;
    lastArrivalMs = clock.nowMs();
    if (packetId !== 0) {
      const arrived = { topic, packetId, fingerprint: dup ? fingerprint(payload) : 0 };
      if (pending.adopt(arrived, dup)) return;
    }
    // What comes now stays with the broker: neither decoded nor acknowledged.
    if (stopping) return;
    if (retained && options.retained === "none" && session.version === 4) {
      // 3.1.1 has no Retain Handling: the broker sends what is retained whether we want it or not.
      pending.begin({ topic, packetId, fingerprint: 0 }, 0, 0);
      return;
    }
    const bytes = intake.bytesOf(topic, payload);
    if (packetId === 0) {
      if (!fits(bytes, options.qos === 0 ? options.inboxBytesMax : options.inboxBytesMax / 2)) return drops.add();
    } else if (pending.unsettled >= options.receiveMax || !fits(bytes, options.inboxBytesMax)) {
      return pause();
    }
    intake.take(topic, payload, packetId, dup);
  }

  /** One message always fits, however large. */
  function fits(bytes: number, bytesMax: number): boolean {
    return pending.bytes === 0 || pending.bytes + bytes <= bytesMax;
  }

  function pause(): void {
    paused = true;
    // Some brokers do not keep to the receive maximum (Mosquitto 2.0.11 sends a whole window for each PUBACK while its queue is long):
    // a backlog then comes in many such rounds, which are one thing to tell.
    const again = clock.nowMs() - lastFilledMs < sameFillingMs;
    lastFilledMs = clock.nowMs();
    emit(
      again ? "debug" : "info",
      "mqtt.inbox_filled",
      `The MQTT inbox is full (${formatCount(pending.unsettled)} messages, ${
        formatBytes(pending.bytes)
      } not yet safe): ` +
        "disconnected until half of it is; the broker's session holds the rest",
      { messages: pending.unsettled, bytes: pending.bytes },
    );
    leave();
  }

  /** From here on nothing of this connection counts any more, though it may stand a moment longer. */
  function leave(): void {
    closed();
    connector.leave();
  }

  function closed(): void {
    session = null;
    redeliveryWait?.cancel();
    redeliveryWait = null;
    unansweredSubscriptions = filters.length;
    pending.disconnected();
  }

  function settled(): void {
    if (paused && pending.unsettled <= options.receiveMax / 2 && pending.bytes <= options.inboxBytesMax / 2) {
      paused = false;
      connector.come();
    }
    if (drainWaiters.length > 0) releaseDrained();
  }

  function releaseDrained(): void {
    if (pending.unfinished > 0) return;
    for (const waiter of drainWaiters.splice(0)) waiter();
  }

  function abandonUnclaimed(): void {
    const abandoned = pending.abandonUnclaimed();
    if (abandoned === 0) return;
    emit(
      "warn",
      "mqtt.messages_unclaimed",
      `The broker ${address} resumed the session but did not send ${
        formatCount(abandoned)
      } unacknowledged messages again: ` +
        "they are finished without an acknowledgement, and nothing is lost",
      { messages: abandoned },
    );
    releaseDrained();
  }

  function tellSessionLost(abandoned: number): void {
    emit(
      "warn",
      "mqtt.session_lost",
      `The broker ${address} has lost our session: what was published while we were away is lost with it, and ` +
        `${formatCount(abandoned)} messages in hand are finished without an acknowledgement. ` +
        "Let the broker keep sessions on disk (Mosquitto: persistence true) and expire them later than the longest absence",
      { unacknowledged_messages: abandoned },
    );
    releaseDrained();
  }

  function tellSubscription(filter: string, code: number): void {
    const data = { filter, code };
    if (code >= 0x80) {
      const hex = `0x${code.toString(16)}`;
      const what = `The broker ${address} refuses the subscription to ${quoted(filter)} (code ${hex})`;
      emit(
        "error",
        "mqtt.subscription_refused",
        `${what}. Allow it there, or correct --mqtt-topic. Tried again at the next connect`,
        data,
      );
    } else if (code < options.qos) {
      const what = `The broker ${address} grants only QoS 0 for ${quoted(filter)}`;
      emit("warn", "mqtt.qos_lowered", `${what}: its messages can be lost`, data);
    } else {
      emit("debug", "mqtt.subscribed", `Subscribed to ${quoted(filter)} with QoS ${code}`, data);
    }
  }

  return {
    name: "mqtt",
    flows: inbox.flows,
    start(wakeScheduler) {
      wake = wakeScheduler;
      connector.come();
      return Promise.resolve();
    },
    stop() {
      stopping = true;
    },
    drained() {
      return new Promise((resolve) => {
        drainWaiters.push(resolve);
        releaseDrained();
      });
    },
    finished() {
      return new Promise((resolve) => {
        const look = () => {
          const quietForMs = clock.nowMs() - lastArrivalMs;
          const idle = session !== null && unansweredSubscriptions === 0 && pending.unfinished === 0;
          if (idle && quietForMs >= quietMs) return resolve();
          clock.after(idle ? quietMs - quietForMs : quietMs / 10, look);
        };
        look();
      });
    },
    async close() {
      stopping = true;
      leave();
      await connector.away();
      drops.close();
    },
    status: () => ({
      kind: "mqtt",
      connected: connector.connected,
      protocolVersion: connector.version,
      pendingMessages: pending.unfinished,
      pendingBytes: pending.bytes,
      inboxReadings: inbox.waiting(),
      reconnects: connector.reconnects,
    }),
    check: () => checkMqtt(parsed, options, { open, clock, dice: parts.dice }),
  };
}

/** Counts messages that found no room, and tells of them now and then. */
function createDropCounter(
  clock: Clock,
  emit: Emit,
  dropped: (count: number) => void,
): { add(): void; close(): void } {
  let untold = 0;
  let timer: Timer | null = null;

  function tell(): void {
    timer?.cancel();
    timer = null;
    if (untold === 0) return;
    const message = `The MQTT inbox was full: ${
      formatCount(untold)
    } messages of QoS 0 were dropped. Publish and subscribe with QoS 1 to keep them`;
    emit("warn", "mqtt.messages_dropped", message, { messages: untold });
    untold = 0;
  }

  return {
    add() {
      dropped(1);
      untold += 1;
      timer ??= clock.after(tellDropsMs, tell);
    },
    close: tell,
  };
}
