/**
 * The MQTT source: one connection, several subscriptions, a persistent session. A message of QoS 1 is acknowledged (PUBACK) only after
 * all its readings have a durable home; until then the broker's session keeps it, through restarts of both.
 *
 *     connector -- message --> pending? adopt -> PUBACK in its turn
 *                      +- new -> bounds -> intake -> inbox -> (scheduler) -> settle -> PUBACK in its turn
 *
 * Bounds: `receiveMax` unsettled messages and `inboxBytesMax` bytes. MQTT 5 brokers are told the first in CONNECT and keep to it. Where
 * one sends more all the same, or bytes run out, the source stops reading until half is settled: TCP holds the broker back. Where that
 * takes long it leaves, and comes back at half: the session holds the rest. What was read when it stopped (64 KiB) is taken in over the
 * bounds.
 *
 * @module
 */
import type { Clock, Timer } from "../../core/clock.ts";
import type { DecodePayload, Normalizer } from "../../core/decoder.ts";
import type { Dice } from "../../core/dice.ts";
import type { Emit } from "../../core/event.ts";
import type { Source } from "../../core/source.ts";
import { checkMqtt } from "./check.ts";
import { type Connection, loadOpenConnection, type OpenConnection, type ProtocolVersion } from "./connection.ts";
import { type ConnectorEvents, createConnector } from "./connector.ts";
import { createInbox } from "./inbox.ts";
import { createIntake } from "./intake.ts";
import { createNotices } from "./notices.ts";
import { type MqttSourceOptions, parseMqttOptions } from "./options.ts";
import { createPending } from "./pending.ts";
import { createSubscriptions, type FilterMemory } from "./subscriptions.ts";

/** With `--once`: nothing has come for so long, so the session's queue is empty. */
const quietMs = 2_000;
const lookEveryMs = 100;

/** In a resumed session the broker sends at once what it has no PUBACK for. What it has not sent after so long, it will not. */
const redeliveryWaitMs = 10_000;

/**
 * For how much of a keep-alive reading may be stopped. One and a half without a packet read counts as a dead connection, and a stop
 * begins with a packet.
 */
const stopShare = 0.5;

/** Retain Handling (MQTT 5.0, 3.8.3.1). */
const retainHandlingOf = { all: 0, once: 1, none: 2 } as const;
const noMemory: FilterMemory = { read: () => Promise.resolve([]), write: () => Promise.resolve() };

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
  /** Remembers what the broker's session may be subscribed to. Default: nothing is remembered. */
  readonly filterMemory?: FilterMemory;
  /** Opens connections; by default with npm:mqtt. */
  readonly open?: OpenConnection;
}

/**
 * Makes the MQTT source.
 *
 * @throws {WeirError} `configuration` when an option is wrong.
 */
export function createMqttSource(options: MqttSourceOptions, parts: MqttSourceParts): Source {
  const { clock } = parts;
  let open = parts.open ?? null;
  const parsed = parseMqttOptions(options, parts.gateway);
  const { templates, filters, connection: connectionOptions, address } = parsed;

  let wake = () => {};
  let stopping = false;
  /** Left until half is settled. */
  let paused = false;
  /** Not reading until half is settled; when the time is up: leave. */
  let stopped: Timer | null = null;
  /** The inbox had room on this connection. Without it each new connection to a sink that stands still would add what it had read. */
  let hadRoom = false;
  let session: { readonly connection: Connection; readonly version: ProtocolVersion } | null = null;
  let everConnected = false;
  /** Rises with everything that comes from the broker: what stands still for a while is quiet. */
  let arrivals = 0;
  let redeliveryWait: Timer | null = null;
  const notices = createNotices(address, clock, parts.emit);
  const drainWaiters: (() => void)[] = [];
  const subscriptions = createSubscriptions({
    filters,
    qos: options.qos,
    retainHandling: retainHandlingOf[options.retained],
    memory: parts.filterMemory ?? noMemory,
    notices,
    answered: () => arrivals += 1,
  });

  const pending = createPending(progressed);
  const inbox = createInbox(
    options.subscriptions.map(({ template, weight }) => ({ name: `mqtt ${template}`, weight })),
    () => wake(),
  );
  const intake = createIntake({ ...parts, templates, inbox, pending });
  const events: ConnectorEvents = { opened, ready, message, closed };
  const connector = createConnector(
    { ...parts, open: openLoaded, options: connectionOptions, version: options.version, address },
    events,
  );

  async function load(): Promise<void> {
    open ??= await loadOpenConnection();
  }

  function openLoaded(...how: Parameters<OpenConnection>): Connection {
    if (open === null) throw new Error("The MQTT source was not started");
    return open(...how);
  }

  function opened(
    connection: Connection,
    { sessionPresent }: { sessionPresent: boolean },
    version: ProtocolVersion,
  ): void {
    session = { connection, version };
    arrivals += 1;
    const abandoned = pending.connected(sessionPresent, (packetId) => connection.acknowledge(packetId));
    if (!sessionPresent) {
      subscriptions.forget();
      if (everConnected && !connectionOptions.clean) notices.sessionLost(abandoned);
      releaseDrained();
    } else {
      redeliveryWait = clock.after(redeliveryWaitMs, abandonUnclaimed);
    }
    everConnected = true;
  }

  function ready(connection: Connection): void {
    subscriptions.ask(connection);
    if (options.statusTopic === null) return;
    const topic = options.statusTopic;
    connection.publish({ topic, text: "online" }, (trouble) => {
      if (trouble !== null && session?.connection === connection) notices.statusRefused(topic, trouble);
    });
  }

  function message(topic: string, payload: Uint8Array, packetId: number, dup: boolean, retained: boolean): void {
    if (session === null) return;
    arrivals += 1;
    if (packetId !== 0 && pending.adopt(packetId, topic, payload, dup)) return;
    // What comes now stays with the broker: neither decoded nor acknowledged.
    if (stopping) return;
    if (retained && options.retained === "none" && session.version === 4) {
      // 3.1.1 has no Retain Handling: the broker sends what is retained whether we want it or not.
      pending.begin({ topic, packetId, fingerprint: 0 }, 0, 0);
      return;
    }
    const bytes = intake.bytesOf(topic, payload);
    if (packetId === 0) {
      if (!fits(bytes, options.qos === 0 ? options.inboxBytesMax : options.inboxBytesMax / 2)) return drop();
    } else if (pending.unsettled >= options.receiveMax || !fits(bytes, options.inboxBytesMax)) {
      if (!hadRoom || !session.connection.holdsBack) return pause();
      stopReading(session.connection);
    } else hadRoom = true;
    intake.take(topic, payload, packetId, dup);
  }

  function drop(): void {
    parts.dropped?.(1);
    notices.messageDropped();
  }

  /** One message always fits, however large. */
  function fits(bytes: number, bytesMax: number): boolean {
    return pending.bytes === 0 || pending.bytes + bytes <= bytesMax;
  }

  function stopReading(connection: Connection): void {
    if (stopped !== null) return;
    notices.readingStopped(pending.unsettled, pending.bytes);
    connection.read(false);
    // What the broker sends again cannot be expected while nobody reads.
    redeliveryWait?.cancel();
    stopped = clock.after(options.keepaliveSeconds * stopShare * 1000, pause);
  }

  function pause(): void {
    paused = true;
    notices.inboxFilled(pending.unsettled, pending.bytes);
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
    stopped?.cancel();
    stopped = null;
    hadRoom = false;
    subscriptions.disconnected();
    pending.disconnected();
  }

  function progressed(): void {
    if ((paused || stopped !== null) && halfIsSettled()) takeMore();
    if (drainWaiters.length > 0) releaseDrained();
  }

  function halfIsSettled(): boolean {
    return pending.unsettled <= options.receiveMax / 2 && pending.bytes <= options.inboxBytesMax / 2;
  }

  function takeMore(): void {
    if (stopped !== null) {
      stopped.cancel();
      stopped = null;
      if (redeliveryWait !== null) redeliveryWait = clock.after(redeliveryWaitMs, abandonUnclaimed);
      session?.connection.read(true);
    }
    if (paused) {
      paused = false;
      connector.come();
    }
  }

  function releaseDrained(): void {
    if (pending.unfinished > 0) return;
    for (const waiter of drainWaiters.splice(0)) waiter();
  }

  function abandonUnclaimed(): void {
    redeliveryWait = null;
    const abandoned = pending.abandonUnclaimed();
    if (abandoned === 0) return;
    notices.messagesUnclaimed(abandoned);
    releaseDrained();
  }

  return {
    name: "mqtt",
    flows: inbox.flows,
    load,
    async start(wakeScheduler) {
      wake = wakeScheduler;
      await subscriptions.load();
      await load();
      connector.come();
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
        let seen = -1;
        let quietSinceMs = 0;
        const look = () => {
          const idle = session !== null && subscriptions.settled && pending.unfinished === 0;
          if (!idle || arrivals !== seen) {
            seen = arrivals;
            quietSinceMs = clock.nowMs();
          } else if (clock.nowMs() - quietSinceMs >= quietMs) return resolve();
          clock.after(lookEveryMs, look);
        };
        look();
      });
    },
    fill: () => Math.max(pending.unsettled / options.receiveMax, pending.bytes / options.inboxBytesMax),
    async close() {
      stopping = true;
      leave();
      await connector.away();
      await subscriptions.saved();
      notices.close();
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
    check: async () =>
      checkMqtt(parsed, options, { open: open ?? await loadOpenConnection(), clock, dice: parts.dice }),
  };
}
