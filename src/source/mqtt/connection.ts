/**
 * One MQTT connection, from CONNECT to close: the only file that knows npm:mqtt. Each connection has a client object of its own, so that
 * nothing that belongs to one connection (packet identifiers, held PUBACKs) can leak into the next; the library's reconnecting is off.
 *
 * Messages do not come through the library: publish_frames.ts takes them off the stream before it, and the library is left with the
 * packets that are few (CONNACK, SUBACK, PINGRESP ...). So it sends no PUBACK of its own; ours are written when they are due, all that are
 * due together in one piece.
 *
 * @module
 */
import { connect as connectTcp, type Socket } from "node:net";
import type { Writable } from "node:stream";
import { connect as connectTls } from "node:tls";
import type { MqttClient } from "mqtt";
import type { Clock, Timer } from "../../core/clock.ts";
import { messageOf } from "../../core/error.ts";
import { current, type Renewable } from "../../core/renewable.ts";
import { explainTls, isTlsError, type TlsMaterial, tlsOptions, type TlsTrouble } from "../../core/tls.ts";
import { createPublishFrames, type FrameEvents, type FrameOptions } from "./publish_frames.ts";

/** Protocol levels as they stand in CONNECT. */
export type ProtocolVersion = 4 | 5;

/** Whom to connect to, and as whom. */
export interface ConnectionOptions {
  readonly host: string;
  readonly port: number;
  /** Null: no TLS. */
  readonly tls: Renewable<TlsMaterial> | null;
  readonly version: ProtocolVersion;
  readonly clientId: string;
  readonly username: string | null;
  readonly password: Renewable<string> | null;
  /** Clean start, and no session left behind. */
  readonly clean: boolean;
  /** v5: how long the broker keeps the session after the connection. 3.1.1 has no such word: the broker decides. */
  readonly sessionExpirySeconds: number;
  /** v5: how many messages of QoS 1 the broker may send before their PUBACKs. */
  readonly receiveMax: number;
  readonly keepaliveSeconds: number;
  /** How long to wait for TCP, TLS and CONNACK together. */
  readonly connectTimeoutMs: number;
  /** Retained message that the broker publishes when the connection breaks without a DISCONNECT; null for none. */
  readonly will: StatusMessage | null;
}

/** A retained message of QoS 1. */
export interface StatusMessage {
  readonly topic: string;
  readonly text: string;
}

/** What the broker said in its CONNACK. */
export interface Opened {
  /** The broker had a session for this client id and goes on with it. */
  readonly sessionPresent: boolean;
  /** v5: the broker keeps the session for so long instead of what was asked; null when it agrees. */
  readonly sessionExpirySeconds: number | null;
}

/** Why there is no connection any more, or none at all. */
export interface Loss {
  /**
   * `refused`: CONNACK with an error; `disconnected`: the broker said DISCONNECT (v5); `closed`: it closed without a word;
   * `failed`: network, TLS, timeout or protocol; `left`: we closed it.
   */
  readonly kind: "refused" | "disconnected" | "closed" | "failed" | "left";
  /** Reason code of CONNACK or DISCONNECT, or null. */
  readonly code: number | null;
  /** For people; may hold hostile text. */
  readonly text: string;
  /** Whether TCP (and TLS) stood before it was lost. */
  readonly reached: boolean;
  /** When it failed because of TLS: why. */
  readonly tls?: TlsTrouble;
}

/** What happens on a connection. `closed` comes exactly once and is the last. */
export interface ConnectionEvents {
  /** CONNACK. Comes before the first message; `ready` follows. */
  opened(opened: Opened): void;
  /** It can be subscribed and published now. A resumed session's messages may have come before. */
  ready(): void;
  /** A PUBLISH. `packetId` is 0 unless it must be answered by a PUBACK. The payload is a window on a buffer: copy what is kept. */
  message(topic: string, payload: Uint8Array, packetId: number, dup: boolean, retained: boolean): void;
  closed(loss: Loss): void;
}

/** A connection. */
export interface Connection {
  /** Sends the PUBACK of a message. Only the one who opened this connection may, for messages that came on it, in their order. */
  acknowledge(packetId: number): void;
  /** Subscribes to a filter. `done` gets the code of the SUBACK (0x80 and above: refused); it is not called when the connection breaks. */
  subscribe(filter: string, qos: 0 | 1, retainHandling: 0 | 1 | 2, done: (code: number) => void): void;
  /** Ends a subscription. `done` is called when the broker has answered; not when the connection breaks. */
  unsubscribe(filter: string, done: () => void): void;
  /** Whether `read` has an effect: Deno's TLS sockets (2.6 to 2.9) read on while they are paused, into memory without a bound. */
  readonly holdsBack: boolean;
  /**
   * Stops reading, or goes on: what the broker sends meanwhile waits with it and in the network. What was read already (64 KiB at most,
   * and a message that is longer) still comes. Not for longer than half a keep-alive: its answers are not read either.
   */
  read(on: boolean): void;
  /** Publishes, retained. `done` gets an error's text, or null when the broker has it. */
  publish(message: StatusMessage, done: (trouble: string | null) => void): void;
  /** Says DISCONNECT, which keeps the session, and closes. It calls off the will, so the will's message is published before it. */
  close(): void;
}

/** Opens a connection. Never throws for what the network does: `closed` tells. */
export type OpenConnection = (options: ConnectionOptions, events: ConnectionEvents, clock: Clock) => Connection;

/**
 * Largest packet that the broker is to send, in bytes (v5: Maximum Packet Size; it leaves out what is larger, MQTT 5.0, 3.1.2.11.4). A
 * packet is held in memory whole, and the protocol allows 256 MiB; 3.1.1 has no such word, so there the broker must have a limit.
 */
const packetBytesMax = 16 * 1024 ** 2;

// In such parts of a keep-alive what comes from the broker is made a sign of life. The library knows of PINGRESP only, and a broker with
// much else to do answers late behind thousands of messages. Each time a PINGREQ is sent as well: the broker wants to hear of us.
const signShare = 0.4;

/** How long the broker has to close after our DISCONNECT before the socket is torn down. */
const closeGraceMs = 1_000;

/** What of npm:mqtt is used. */
type Library = Pick<typeof import("mqtt"), "MqttClient" | "ReasonCodes">;

/** Loads npm:mqtt, which takes 80 ms of CPU and 10 MB that only who speaks MQTT is to pay, and gives what opens connections with it. */
export async function loadOpenConnection(): Promise<OpenConnection> {
  const library: Library = await import("mqtt");
  return (options, events, clock) => openConnection(library, options, events, clock);
}

function openConnection(
  { MqttClient, ReasonCodes }: Library,
  options: ConnectionOptions,
  events: ConnectionEvents,
  clock: Clock,
): Connection {
  let reached = false;
  let opened = false;
  let over = false;
  let leaving: Timer | null = null;
  let dueAcks: number[] = [];
  let loss: Omit<Loss, "reached"> | null = null;
  const tls = options.tls === null ? null : current(options.tls);
  let tlsError: Error | null = null;
  let faucet: Faucet | null = null;
  let signMs = clock.nowMs();

  const client = new MqttClient(
    () => {
      const { host, port } = options;
      const stream = tls === null
        ? connectTcp({ host, port, noDelay: true })
        : connectTls({ ...tlsOptions({ host, port }, tls) });
      stream.once(tls === null ? "connect" : "secureConnect", () => reached = true);
      // The library passes on only errors that have a code.
      stream.once("error", (error: Error) => {
        if (tls !== null && loss === null && isTlsError(error)) tlsError = error;
        fail({ kind: "failed", code: null, text: messageOf(error) });
      });
      const packetBytes = options.version === 5 ? packetBytesMax : null;
      faucet = createFaucet(stream, { version: options.version, packetBytesMax: packetBytes }, {
        publish: message,
        alive: signOfLife,
        malformed: (why) => fail({ kind: "failed", code: null, text: `the broker sent ${why}` }),
      });
      return stream;
    },
    clientOptions(options),
  );

  function reasonText(code: number): string {
    const words: Readonly<Record<number, string>> = ReasonCodes;
    return words[code] || `reason code 0x${code.toString(16).padStart(2, "0")}`;
  }

  function message(topic: string, payload: Uint8Array, packetId: number, dup: boolean, retained: boolean): void {
    if (over || leaving !== null) return;
    // Not `guarded`: a closure for each message would cost more than it.
    try {
      events.message(topic, payload, packetId, dup, retained);
    } catch (defect) {
      throwLater(defect);
    }
  }

  function signOfLife(): void {
    const nowMs = clock.nowMs();
    if (nowMs - signMs < options.keepaliveSeconds * 1000 * signShare || !client.connected) return;
    signMs = nowMs;
    client.sendPing();
    client.reschedulePing(true);
  }

  function fail(why: Omit<Loss, "reached">): void {
    loss ??= why;
    client.stream.destroy();
  }

  /** Writes the PUBACKs that became due together in one piece: one by one they cost more than all the rest of a message. */
  function writeAcks(): void {
    if (dueAcks.length === 0) return;
    if (client.connected) client.stream.write(pubacks(dueAcks));
    dueAcks = [];
  }

  client.on("packetreceive", (packet) => {
    if (packet.cmd !== "connack" || opened || (packet.reasonCode ?? packet.returnCode ?? 0) !== 0) return;
    opened = true;
    const { sessionPresent, properties } = packet;
    guarded(() => events.opened({ sessionPresent, sessionExpirySeconds: properties?.sessionExpiryInterval ?? null }));
    // When the library has dealt with it: what follows may be acknowledged at once.
    queueMicrotask(() => faucet?.open());
  });
  client.on("connect", () => {
    if (leaving === null) guarded(() => events.ready());
  });
  // Of QoS 2, which nobody asked for: an old session of this client id may hold some.
  client.on("message", (topic, payload, packet) => message(topic, payload, 0, packet.dup, packet.retain));
  client.on("disconnect", (packet) => {
    const code = packet.reasonCode ?? 0;
    const words = packet.properties?.reasonString ?? reasonText(code);
    loss ??= { kind: "disconnected", code, text: words };
  });
  client.on("error", (error) => {
    const code = "code" in error && typeof error.code === "number" ? error.code : null;
    const refused = code !== null && !opened;
    fail({ kind: refused ? "refused" : "failed", code, text: refused ? reasonText(code) : messageOf(error) });
  });
  client.on("close", () => {
    leaving?.cancel();
    if (over) return;
    over = true;
    const why = loss ?? { kind: "closed", code: null, text: "the broker closed the connection" };
    if (tls === null || tlsError === null) return guarded(() => events.closed({ ...why, reached }));
    void explainTls(tlsError, options, tls, "mqtt", clock).then((trouble) => {
      guarded(() => events.closed({ ...why, reached, tls: trouble }));
    });
  });
  client.connect();

  return {
    acknowledge(packetId) {
      if (!client.connected || leaving !== null) return;
      if (dueAcks.length === 0) queueMicrotask(writeAcks);
      dueAcks.push(packetId);
    },
    subscribe(filter, qos, retainHandling, done) {
      client.subscribe([filter], { qos, rh: retainHandling, rap: false, nl: false }, (_error, _granted, packet) => {
        const code = packet?.granted[0];
        if (typeof code === "number") guarded(() => done(code));
      });
    },
    unsubscribe(filter, done) {
      client.unsubscribe(filter, (error) => {
        if (error === undefined || error === null) guarded(done);
      });
    },
    holdsBack: tls === null,
    read: (on) => faucet?.turn(on || leaving !== null),
    publish(message, done) {
      client.publish(message.topic, message.text, { qos: 1, retain: true }, (error) => {
        guarded(() => done(error === undefined || error === null ? null : messageOf(error)));
      });
    },
    close() {
      if (leaving !== null) return;
      loss ??= { kind: "left", code: null, text: "closed" };
      leaving = clock.after(closeGraceMs, () => client.stream.destroy());
      if (!client.connected) return void client.stream.destroy();
      // The end of the connection is something to read too.
      faucet?.turn(true);
      writeAcks();
      const { will } = options;
      if (will !== null) client.publish(will.topic, will.text, { qos: 1, retain: true });
      client.stream.write(disconnect);
      client.stream.end();
    },
  };
}

/** Lets bytes through, or not. */
interface Faucet {
  turn(on: boolean): void;
  /** The CONNACK has been dealt with: messages come from now on. */
  open(): void;
}

/**
 * Takes the place of `pipe` on a stream, which begins to read again whenever the library has room, whatever anybody else wants; and takes
 * the messages out.
 */
function createFaucet(
  stream: Socket,
  options: FrameOptions,
  events: Omit<FrameEvents, "other"> & { readonly alive: () => void },
): Faucet {
  let on = true;
  let busy = false;
  let library: Writable | null = null;
  const frames = createPublishFrames(options, {
    ...events,
    other(packet) {
      if (library?.write(packet) === false) busy = true;
    },
  });
  const flow = () => on && !busy && !frames.held ? stream.resume() : stream.pause();
  Reflect.set(stream, "pipe", (piped: Writable) => {
    library = piped;
    stream.on("data", (chunk: Uint8Array) => {
      frames.push(chunk);
      events.alive();
      if (busy || frames.held) flow();
    });
    piped.on("drain", () => {
      busy = false;
      flow();
    });
    return piped;
  });
  return {
    turn(wanted) {
      on = wanted;
      flow();
    },
    open() {
      frames.open();
      flow();
    },
  };
}

/** What the library is told. Everything that matters is said, so that its defaults do not. */
function clientOptions(options: ConnectionOptions): ConstructorParameters<typeof MqttClient>[1] {
  const { will, sessionExpirySeconds, receiveMax: receiveMaximum } = options;
  return {
    // Connecting is our call, made after the hooks are in place: a resumed session delivers at once.
    manualConnect: true,
    reconnectPeriod: 0,
    resubscribe: false,
    protocolId: "MQTT",
    protocolVersion: options.version,
    clientId: options.clientId,
    clean: options.clean,
    keepalive: options.keepaliveSeconds,
    reschedulePings: true,
    timerVariant: "native",
    connectTimeout: options.connectTimeoutMs,
    queueQoSZero: false,
    // The library formats for its debug log on each packet, wanted or not.
    log: () => {},
    ...(options.username === null ? {} : { username: options.username }),
    ...(options.password === null ? {} : { password: current(options.password) }),
    ...(will === null ? {} : { will: { topic: will.topic, payload: will.text, qos: 1 as const, retain: true } }),
    ...(options.version === 5
      ? {
        properties: {
          sessionExpiryInterval: options.clean ? 0 : sessionExpirySeconds,
          receiveMaximum,
          maximumPacketSize: packetBytesMax,
        },
      }
      : {}),
  };
}

/** DISCONNECT without a reason code, which means a normal one: the same bytes in both versions (MQTT 3.1.1, 3.14; MQTT 5.0, 3.14). */
const disconnect = Uint8Array.of(0xe0, 0);

/** PUBACK packets without a reason code, which means success: the same bytes in both versions (MQTT 3.1.1, 3.4; MQTT 5.0, 3.4). */
function pubacks(packetIds: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(packetIds.length * 4);
  let at = 0;
  for (const packetId of packetIds) {
    bytes[at++] = 0x40;
    bytes[at++] = 2;
    bytes[at++] = packetId >> 8;
    bytes[at++] = packetId & 0xff;
  }
  return bytes;
}

/** Keeps a defect of ours out of the library, which would take it for trouble with the network, and lets it end the program. */
function guarded(act: () => void): void {
  try {
    act();
  } catch (defect) {
    throwLater(defect);
  }
}

function throwLater(defect: unknown): void {
  queueMicrotask(() => {
    throw defect;
  });
}
