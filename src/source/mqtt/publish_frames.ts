/**
 * Takes the PUBLISH packets of QoS 0 and 1 off the byte stream, before the library sees it. Through the library each of them costs a dozen
 * objects, events and turns of the event loop, three times what all the rest of its way costs; here it is a window on the chunk that came.
 * All other packets, and what comes before the CONNACK, go on to the library as they are, in their order.
 *
 *     socket -- chunks --> frames --+-- PUBLISH of QoS 0, 1 --> intake
 *                                   +-- all the rest ---------> library
 *
 * Source: MQTT 3.1.1 and 5.0, sections 2.1 to 2.2 (header, properties) and 3.3 (PUBLISH).
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createShortTexts } from "../../core/short_texts.ts";
import type { Changing } from "../../core/changing.ts";

/** What comes out of the stream, in the order in which it came in. */
export interface FrameEvents {
  /** A PUBLISH; `packetId` is 0 with QoS 0. The payload is a window on a buffer that nobody writes to again. */
  publish(topic: string, payload: Uint8Array, packetId: number, dup: boolean, retained: boolean): void;
  /** One whole packet of another kind. */
  other(packet: Uint8Array): void;
  /** The stream breaks the protocol; nothing more comes out of it. A sentence without a full stop. */
  malformed(why: string): void;
}

/** Options of {@linkcode createPublishFrames}. */
export interface FrameOptions {
  /** Protocol level: 5 has properties. */
  readonly version: 4 | 5;
  /** Largest packet, in bytes behind its header; null: none. What is larger is malformed. */
  readonly packetBytesMax: number | null;
}

/** The stream of one connection. */
export interface PublishFrames {
  push(chunk: Uint8Array): void;
  /** A CONNACK has come and `open` not yet: nothing comes out until then. Do not push more than was on its way. */
  readonly held: boolean;
  /** The CONNACK was good and has been dealt with: what followed it comes out now. */
  open(): void;
}

const connack = 2;
const publish = 3;

/** Makes the {@linkcode PublishFrames} of a connection. Memory: the chunks of one incomplete packet. */
export function createPublishFrames(options: FrameOptions, events: FrameEvents): PublishFrames {
  const { version } = options;
  /** The topics of a fleet come again and again. */
  const texts = createShortTexts();
  const packetBytesMax = options.packetBytesMax ?? Infinity;
  /** What belongs to a packet that is not complete, or is held. */
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  /** So many bytes are needed before it makes sense to look again. */
  let neededBytes = 0;
  let opened = false;
  let ended = false;

  function keep(bytes: Uint8Array, needed: number): void {
    waiting = bytes.length === 0 ? [] : [bytes];
    waitingBytes = bytes.length;
    neededBytes = needed;
  }

  function end(why: string): void {
    ended = true;
    keep(nothing, 0);
    events.malformed(why);
  }

  function read(chunk: Uint8Array): void {
    // Not as the Buffer that it most likely is: a window on a plain array is made several times as fast.
    const bytes = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length);
    let at = 0;
    while (at < bytes.length && !frames.held && !ended) {
      const header = readVarint(bytes, at + 1);
      if (header === incomplete) return keep(bytes.subarray(at), bytes.length - at + 1);
      if (header === broken) return end("a packet's length is longer than four bytes");
      const length = valueOf(header);
      const body = at + 1 + widthOf(header);
      if (length > packetBytesMax) return end(`a packet of ${length} bytes, over the maximum of ${packetBytesMax}`);
      const next = body + length;
      if (next > bytes.length) return keep(bytes.subarray(at), next - at);
      readPacket(bytes, at, body, next);
      at = next;
    }
    if (!ended) keep(bytes.subarray(at), 0);
  }

  function readPacket(bytes: Uint8Array, at: number, body: number, next: number): void {
    const first = bytes[at] ?? 0;
    const kind = first >> 4;
    const qos = first >> 1 & 3;
    if (kind === publish && opened && qos < 2) return readPublish(bytes, first, body, next);
    if (kind === publish && qos === 3) return end("a PUBLISH of QoS 3");
    if (kind === connack && !opened) frames.held = true;
    events.other(bytes.subarray(at, next));
  }

  function readPublish(bytes: Uint8Array, first: number, body: number, next: number): void {
    const qos = first >> 1 & 3;
    const topicAt = body + 2;
    const topicEnd = topicAt + uint16(bytes, body);
    let at = topicEnd + (qos === 0 ? 0 : 2);
    if (topicAt > next || at > next) return end("a PUBLISH that ends inside its topic");
    const packetId = qos === 0 ? 0 : uint16(bytes, topicEnd);
    if (qos === 1 && packetId === 0) return end("a PUBLISH of QoS 1 with the packet identifier 0");
    if (version === 5) {
      at = afterProperties(bytes, at, next);
      if (at < 0) return end("a PUBLISH whose properties are not those of a PUBLISH, or with a topic alias");
    }
    const topic = texts(bytes, topicAt, topicEnd);
    events.publish(topic, bytes.subarray(at, next), packetId, (first & 8) !== 0, (first & 1) !== 0);
  }

  const frames: Changing<PublishFrames> = {
    held: false,
    push(chunk) {
      if (ended) return;
      if (waitingBytes === 0 && !frames.held) return read(chunk);
      waiting.push(chunk);
      waitingBytes += chunk.length;
      if (!frames.held && waitingBytes >= neededBytes) read(joined(waiting, waitingBytes));
    },
    open() {
      opened = true;
      frames.held = false;
      if (waitingBytes > 0) read(joined(waiting, waitingBytes));
    },
  };
  return frames;
}

const nothing = new Uint8Array(0);
const incomplete = -1;
const broken = -2;

function joined(chunks: readonly Uint8Array[], bytes: number): Uint8Array {
  return chunks.length === 1 ? chunks[0] ?? nothing : Buffer.concat(chunks, bytes);
}

function uint16(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) << 8 | (bytes[at + 1] ?? 0);
}

/**
 * Reads a variable byte integer (MQTT 5.0, 1.5.5): {@linkcode valueOf} and {@linkcode widthOf} what this gives, or `incomplete`, or `broken`,
 * both below 0. One number and no object, for there is one in every packet.
 */
function readVarint(bytes: Uint8Array, at: number): number {
  let value = 0;
  for (let i = 0; i < 4; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) return incomplete;
    value |= (byte & 0x7f) << 7 * i;
    if (byte < 0x80) return value * 8 + i + 1;
  }
  return broken;
}

/** The value itself, 0 to 2^28 - 1. */
function valueOf(varint: number): number {
  return varint >> 3;
}

/** How many bytes it took, 1 to 4. */
function widthOf(varint: number): number {
  return varint & 7;
}

type PropertySize = number | "text" | "pair" | "varint";

/** The sizes of the properties of a PUBLISH (MQTT 5.0, 3.3.2.3). Not the topic alias (0x23): we offer none, so nobody may use one. */
const propertySizes: ReadonlyMap<number, PropertySize> = new Map<number, PropertySize>([
  [0x01, 1],
  [0x02, 4],
  [0x03, "text"],
  [0x08, "text"],
  [0x09, "text"],
  [0x0b, "varint"],
  [0x26, "pair"],
]);

/** Where the properties that begin at `at` end; -1 when they are not right, or do not end before `end`. */
function afterProperties(bytes: Uint8Array, at: number, end: number): number {
  // Nearly always there are none.
  if (bytes[at] === 0) return at < end ? at + 1 : -1;
  const header = readVarint(bytes.subarray(0, end), at);
  if (header < 0) return -1;
  let next = at + widthOf(header);
  const last = next + valueOf(header);
  if (last > end) return -1;
  while (next < last) {
    const size = propertySizes.get(bytes[next] ?? 0);
    next += 1;
    if (size === undefined) return -1;
    if (typeof size === "number") next += size;
    else if (size === "varint") {
      const value = readVarint(bytes.subarray(0, last), next);
      if (value < 0) return -1;
      next += widthOf(value);
    } else {
      for (let texts = size === "pair" ? 2 : 1; texts > 0; texts--) next += 2 + uint16(bytes, next);
    }
  }
  return next === last ? last : -1;
}
