/**
 * Messages that were taken in and are not finished: not yet settled, or settled with their PUBACK not yet sent. They outlive a connection.
 * When a session is resumed the broker sends what it has no PUBACK for once more, with the DUP flag and the same packet identifier
 * (MQTT 5.0, 4.4): such a redelivery is adopted by the message that is pending, not read again. When the session is lost, or an
 * identifier comes back with something else, the identifier means another message now: the pending one is finished without a PUBACK.
 *
 * @module
 */
import type { Changing } from "../../core/changing.ts";
import type { Delivery, Verdict } from "../../core/delivery.ts";
import { type Acknowledgements, createAcknowledgements } from "./acknowledgements.ts";

/** A PUBLISH, as far as it matters here. */
export interface Arrived {
  readonly topic: string;
  /** 1 to 65,535; 0 for a message of QoS 0, which has none and gets no PUBACK. */
  readonly packetId: number;
  /** {@linkcode fingerprint} of the payload. */
  readonly fingerprint: number;
}

/** All that is pending. */
export interface Pending {
  /** Messages of QoS 1 that are not settled: what the receive maximum limits. */
  readonly unsettled: number;
  /** Bytes held by messages that are not settled. */
  readonly bytes: number;
  /** Messages that are not finished: not settled, or not acknowledged. */
  readonly unfinished: number;
  /**
   * Whether a PUBLISH of QoS 1 is a redelivery of something pending. If so it is dealt with (its PUBACK follows in its turn) and is not
   * to be read.
   */
  adopt(packetId: number, topic: string, payload: Uint8Array, dup: boolean): boolean;
  /** Takes a message in. It holds `bytes` until `items` items are settled; with 0 items it is settled at once. */
  begin(arrived: Arrived, bytes: number, items: number): Delivery;
  /**
   * A connection was made; `sendAck` writes a PUBACK on it. Returns how many messages were given up because the session is not `resumed`.
   */
  connected(resumed: boolean, sendAck: (packetId: number) => void): number;
  /** The connection is gone, and the PUBACKs that it owed with it. */
  disconnected(): void;
  /** Finishes without a PUBACK what the broker has not sent again on this connection; returns how many messages that were. */
  abandonUnclaimed(): number;
}

/** FNV-1a over the payload, begun with its length: tells one payload from another under the same packet identifier. */
export function fingerprint(payload: Uint8Array): number {
  let hash = 0x811c9dc5 ^ payload.length;
  for (let i = 0; i < payload.length; i++) hash = Math.imul(hash ^ (payload[i] ?? 0), 0x01000193);
  // Signed: as an unsigned number half of them would need an object of their own.
  return hash | 0;
}

/** The largest packet identifier (MQTT 5.0, 2.2.1). */
const packetIdMax = 65_535;

/** Not in the order of PUBACKs of the present connection. */
const nowhere = -1;

/** Makes a {@linkcode Pending}. `onProgress` is called after messages were settled, acknowledged or given up. */
export function createPending(onProgress: () => void): Pending {
  // A place for each identifier, 512 KiB: a map would be made anew again and again as they come and go.
  const byPacketId: (Message | undefined)[] = Array.from({ length: packetIdMax + 1 }, () => undefined);
  let acknowledgements: Acknowledgements<Message> | null = null;
  function settled(message: Message): void {
    pending.bytes -= message.bytes;
    if (message.qos === 1) pending.unsettled -= 1;
    if (message.packetId === 0) pending.unfinished -= 1;
    else if (message.place !== nowhere) acknowledgements?.finish(message.place);
    // Otherwise its connection is gone: it waits to be sent again and is acknowledged then.
    onProgress();
  }

  function abandon(message: Message): void {
    byPacketId[message.packetId] = undefined;
    message.packetId = 0;
    if (message.unsettledItems === 0) {
      pending.unfinished -= 1;
      onProgress();
    } else if (message.place !== nowhere) {
      // A broker that uses an identifier again before its PUBACK. The place must not hold up those behind it.
      acknowledgements?.finish(message.place);
      message.place = nowhere;
    }
  }

  function abandonUnclaimed(): number {
    let abandoned = 0;
    for (const message of byPacketId) {
      if (message === undefined || message.place !== nowhere) continue;
      abandon(message);
      abandoned += 1;
    }
    return abandoned;
  }

  function expectAck(message: Message): void {
    if (acknowledgements === null) throw new Error("A message of QoS 1 came without a connection");
    message.place = acknowledgements.expect(message);
    if (message.unsettledItems > 0) return;
    acknowledgements.finish(message.place);
    onProgress();
  }

  const pending: Changing<Pending> = {
    unsettled: 0,
    bytes: 0,
    unfinished: 0,
    adopt(packetId, topic, payload, dup) {
      const known = byPacketId[packetId];
      if (known === undefined) return false;
      if (dup && known.source === topic && known.fingerprint === fingerprint(payload)) {
        // Some brokers of 3.1.1 send again on the same connection: one PUBACK answers both.
        if (known.place === nowhere) expectAck(known);
        return true;
      }
      abandon(known);
      return false;
    },
    begin(arrived, messageBytes, items) {
      const message = new Message(arrived, messageBytes, items, settled);
      pending.unfinished += 1;
      if (items > 0) {
        pending.bytes += messageBytes;
        if (message.qos === 1) pending.unsettled += 1;
      }
      if (message.qos === 1) {
        byPacketId[message.packetId] = message;
        expectAck(message);
      } else if (items === 0) {
        pending.unfinished -= 1;
      }
      return message;
    },
    connected(resumed, sendAck) {
      const abandoned = resumed ? 0 : abandonUnclaimed();
      acknowledgements = createAcknowledgements((message) => {
        if (message.packetId === 0) return;
        byPacketId[message.packetId] = undefined;
        pending.unfinished -= 1;
        sendAck(message.packetId);
      });
      return abandoned;
    },
    disconnected() {
      acknowledgements = null;
      for (const message of byPacketId) if (message !== undefined) message.place = nowhere;
    },
    abandonUnclaimed,
  };
  return pending;
}

/**
 * A message and its way back. A class, where the rest of the program uses functions: there is one for every message, and a method on the
 * prototype costs nothing to make.
 */
class Message implements Delivery {
  readonly origin = "real_time";
  readonly source: string;
  readonly qos: 0 | 1;
  readonly fingerprint: number;
  readonly bytes: number;
  /** 0: gets no PUBACK (any more). */
  packetId: number;
  place = nowhere;
  unsettledItems: number;
  readonly #items: number;
  readonly #onSettled: (message: Message) => void;
  /** Which items are settled; only kept when there are several. */
  readonly #isSettled: Uint8Array | null;

  constructor(arrived: Arrived, bytes: number, items: number, onSettled: (message: Message) => void) {
    this.source = arrived.topic;
    this.packetId = arrived.packetId;
    this.qos = arrived.packetId === 0 ? 0 : 1;
    this.fingerprint = arrived.fingerprint;
    this.bytes = bytes;
    this.unsettledItems = items;
    this.#items = items;
    this.#isSettled = items > 1 ? new Uint8Array(items) : null;
    this.#onSettled = onSettled;
  }

  settle(index: number, _verdict: Verdict): void {
    if (!(index >= 0 && index < this.#items)) {
      throw new Error(`Cannot settle item ${index} of a message that has ${this.#items}`);
    }
    if (this.unsettledItems === 0 || this.#isSettled?.[index] === 1) {
      throw new Error(`Cannot settle item ${index} of a message: it is settled already`);
    }
    if (this.#isSettled !== null) this.#isSettled[index] = 1;
    this.unsettledItems -= 1;
    if (this.unsettledItems === 0) this.#onSettled(this);
  }

  isSettled(index: number): boolean {
    return this.unsettledItems === 0 || this.#isSettled?.[index] === 1;
  }
}
