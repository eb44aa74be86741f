/**
 * A model of a broker with one session: what MQTT promises and no more. Packets lie on the wire until a test lets them arrive, PUBACKs too;
 * what is on the wire when the connection breaks is lost. It throws when the client breaks a rule.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Clock } from "../../../src/core/clock.ts";
import type {
  Connection,
  ConnectionEvents,
  ConnectionOptions,
  Loss,
  OpenConnection,
} from "../../../src/source/mqtt/connection.ts";
import { bytes } from "./parts.ts";

/** A message as the broker knows it. */
export interface ModelMessage {
  readonly topic: string;
  readonly payload: string;
  readonly qos: 0 | 1;
  readonly retained?: boolean;
}

interface Packet {
  readonly message: ModelMessage;
  /** 0 for QoS 0. */
  readonly packetId: number;
  readonly dup: boolean;
}

interface Line {
  readonly options: ConnectionOptions;
  readonly events: ConnectionEvents;
  opened: boolean;
  /** The client reads. When it stops, what was read already still comes: {@linkcode readAlready} packets here. */
  reading: boolean;
  readAlready: number;
  /** To the client. */
  readonly down: Packet[];
  /** PUBACKs to the broker. */
  readonly up: number[];
  /** Packet ids in the order in which they reached the client, not yet acknowledged by it. */
  readonly received: Packet[];
}

/** What a client that stops reading has read already, in packets. */
const readAlready = 3;

export interface ModelBroker {
  readonly open: OpenConnection;
  publish(message: ModelMessage): void;
  /** Sends a message before what is on its way, as a broker may that redelivers late. */
  interject(message: ModelMessage): void;
  /** Lets so many packets reach the client. */
  deliver(count: number): void;
  /** Lets so many PUBACKs reach the broker. */
  readAcks(count: number): void;
  /** Breaks the connection. Returns how many PUBACKs were lost with it. */
  cut(loss?: Partial<Loss>): number;
  /** The client is gone without a word, and hears nothing any more. */
  vanish(): void;
  /** Forgets the session: the queue, what is in flight, the subscriptions. */
  forget(): readonly ModelMessage[];
  /** The next connections are refused so. */
  refuse(answer: ((options: ConnectionOptions) => Partial<Loss> | null) | null): void;
  /** The client is being stopped: it leaves new messages to the broker and acknowledges those it has. */
  clientStops: boolean;
  /** Code of the next SUBACKs. */
  subackCode: number;
  readonly connected: boolean;
  /** Messages queued or in flight. */
  readonly kept: number;
  /** Options of each connection that was tried. */
  readonly tries: ConnectionOptions[];
  readonly subscribes: { readonly filter: string; readonly retainHandling: number }[];
  readonly unsubscribes: string[];
  /** The client reads what the broker sends. */
  readonly read: boolean;
  readonly published: { readonly topic: string; readonly text: string }[];
  readonly acknowledged: ModelMessage[];
}

/** Makes a model broker that sends at most `window` messages before their PUBACKs (or fewer, when an MQTT 5 client says so). */
export function modelBroker(
  clock: Clock,
  window: number,
  mayAcknowledge: (message: ModelMessage) => boolean = () => true,
): ModelBroker {
  let session: { queue: ModelMessage[]; inFlight: Map<number, ModelMessage> } | null = null;
  let subscribed = false;
  let line: Line | null = null;
  let refusal: ((options: ConnectionOptions) => Partial<Loss> | null) | null = null;

  function lose(lost: Line, loss: Partial<Loss>): void {
    if (line === lost) line = null;
    lost.events.closed({ kind: "closed", code: null, text: "closed", reached: true, ...loss });
  }

  function pump(): void {
    if (line === null || !line.opened || session === null) return;
    const allowed = line.options.version === 5 ? Math.min(window, line.options.receiveMax) : window;
    while (session.queue.length > 0) {
      const message = session.queue[0];
      if (message === undefined) break;
      if (message.qos === 0) {
        line.down.push({ message, packetId: 0, dup: false });
      } else {
        if (session.inFlight.size >= allowed) break;
        // The least free identifier: used again as soon as it may be.
        let packetId = 1;
        while (session.inFlight.has(packetId)) packetId += 1;
        session.inFlight.set(packetId, message);
        line.down.push({ message, packetId, dup: false });
      }
      session.queue.shift();
    }
  }

  function accept(mine: Line): void {
    if (line !== mine) return;
    const loss = refusal?.(mine.options) ?? null;
    if (loss !== null) return lose(mine, loss);
    const sessionPresent = session !== null && !mine.options.clean;
    if (!sessionPresent) {
      session = { queue: [], inFlight: new Map() };
      subscribed = false;
    }
    mine.opened = true;
    mine.events.opened({ sessionPresent, sessionExpirySeconds: null });
    for (const [packetId, message] of session?.inFlight ?? []) mine.down.push({ message, packetId, dup: true });
    pump();
    mine.events.ready();
  }

  const broker: ModelBroker = {
    open(options, events) {
      assert.equal(line, null, "two connections at once");
      const mine: Line = {
        options,
        events,
        opened: false,
        reading: true,
        readAlready: 0,
        down: [],
        up: [],
        received: [],
      };
      line = mine;
      broker.tries.push(options);
      clock.after(0, () => accept(mine));
      const connection: Connection = {
        acknowledge(packetId) {
          assert.equal(line, mine, "PUBACK on a connection that is gone");
          // A message that comes during a stop is left to the broker: it never gets a PUBACK on this connection.
          const at = mine.received.findIndex((packet) => packet.packetId === packetId);
          const first = mine.received.splice(0, at + 1).at(-1);
          assert.ok(
            at === 0 || at > 0 && broker.clientStops,
            "PUBACK out of order, or for a message of another connection",
          );
          if (first === undefined) return;
          assert.ok(mayAcknowledge(first.message), `PUBACK for ${first.message.payload}, which is not safe`);
          mine.up.push(packetId);
        },
        subscribe(filter, _qos, retainHandling, done) {
          broker.subscribes.push({ filter, retainHandling });
          clock.after(0, () => {
            if (line !== mine) return;
            if (broker.subackCode < 0x80) subscribed = true;
            done(broker.subackCode);
          });
        },
        unsubscribe(filter, done) {
          broker.unsubscribes.push(filter);
          clock.after(0, done);
        },
        holdsBack: true,
        read(on) {
          mine.reading = on;
          mine.readAlready = readAlready;
        },
        publish(message, done) {
          broker.published.push(message);
          clock.after(0, () => done(null));
        },
        close() {
          clock.after(0, () => {
            // PUBACKs before a DISCONNECT arrive: TCP keeps the order.
            if (line !== mine) return;
            broker.readAcks(Infinity);
            lose(mine, { kind: "left" });
          });
        },
      };
      return connection;
    },
    publish(message) {
      if (!subscribed || (message.qos === 0 && line === null)) return;
      session?.queue.push(message);
      pump();
    },
    interject(message) {
      assert.ok(line !== null && session !== null);
      const packetId = 60_000 + session.inFlight.size;
      session.inFlight.set(packetId, message);
      line.down.unshift({ message, packetId, dup: false });
    },
    deliver(count) {
      for (; count > 0 && line?.opened; count--) {
        if (!line.reading && --line.readAlready < 0) return;
        const packet = line.down.shift();
        if (packet === undefined) return;
        const { message, packetId, dup } = packet;
        if (packetId !== 0) line.received.push(packet);
        line.events.message(message.topic, bytes(message.payload), packetId, dup, message.retained ?? false);
      }
    },
    readAcks(count) {
      for (; count > 0 && line !== null; count--) {
        const packetId = line.up.shift();
        if (packetId === undefined) return;
        const message = session?.inFlight.get(packetId);
        assert.ok(message !== undefined, "PUBACK for nothing in flight");
        session?.inFlight.delete(packetId);
        broker.acknowledged.push(message);
        pump();
      }
    },
    cut(loss = {}) {
      if (!line?.opened) return 0;
      const lost = line.up.length;
      lose(line, loss);
      return lost;
    },
    vanish() {
      line = null;
    },
    forget() {
      const lost = [...session?.inFlight.values() ?? [], ...session?.queue ?? []];
      session = null;
      return lost;
    },
    refuse(answer) {
      refusal = answer;
    },
    clientStops: false,
    subackCode: 1,
    get connected() {
      return line?.opened ?? false;
    },
    get kept() {
      return (session?.queue.length ?? 0) + (session?.inFlight.size ?? 0);
    },
    tries: [],
    subscribes: [],
    unsubscribes: [],
    get read() {
      return line?.reading ?? false;
    },
    published: [],
    acknowledged: [],
  };
  return broker;
}
