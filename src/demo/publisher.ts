/**
 * The least that a publishing MQTT client needs: CONNECT, PUBLISH at QoS 1, PUBACK, DISCONNECT (MQTT 3.1.1, sections 3.1, 3.3, 3.4
 * and 3.14). The demo's sensors use it, so that what they send really crosses a socket and really is acknowledged.
 *
 * It does not reconnect: the broker that it talks to lives as long as the demo.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";
import type { Packet } from "mqtt-packet";
import { messageOf, WeirError } from "../core/error.ts";

/** Where and as whom to connect. */
export interface PublisherOptions {
  readonly host: string;
  readonly port: number;
  readonly clientId: string;
  /** Messages sent and not yet acknowledged, at most. Default: 100. */
  readonly inFlightMax?: number;
}

/** A connected publisher. */
export interface Publisher {
  /** Sends one message at QoS 1, retained or not (the default). False, and nothing is sent, when `inFlightMax` messages wait or the connection is gone. */
  publish(topic: string, payload: string | Uint8Array, retain?: boolean): boolean;
  /** Messages that the broker has taken over. */
  readonly acknowledged: number;
  /** Messages sent and not yet acknowledged. */
  readonly inFlight: number;
  /** Resolves when nothing is in flight any more, or the connection is gone. */
  idle(): Promise<void>;
  /** Says goodbye and closes the socket. Never throws; twice is once. */
  close(): Promise<void>;
}

const packetIds = 65_535;

/**
 * Connects and waits for the CONNACK.
 *
 * @throws {WeirError} `unavailable` when the broker is not there or refuses.
 */
export async function connectPublisher(options: PublisherOptions): Promise<Publisher> {
  const { host, port, clientId, inFlightMax = 100 } = options;
  // Loaded for the demo alone.
  const library = await import("mqtt-packet");
  const { generate } = library;
  const socket = connect({ host, port, noDelay: true });
  const open = new Set<number>();
  const waiters: (() => void)[] = [];
  let lastId = 0;
  let acknowledged = 0;
  let connected = false;

  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  closed.then(() => {
    connected = false;
    wakeWaiters();
  });

  function wakeWaiters(): void {
    for (const wake of waiters.splice(0)) wake();
  }

  function freeId(): number {
    do lastId = lastId % packetIds + 1; while (open.has(lastId));
    return lastId;
  }

  await handshake(library, socket, clientId, (packet) => {
    if (packet.cmd !== "puback" || !open.delete(packet.messageId ?? 0)) return;
    acknowledged += 1;
    if (open.size === 0) wakeWaiters();
  });
  connected = true;

  return {
    get acknowledged() {
      return acknowledged;
    },
    get inFlight() {
      return open.size;
    },
    publish(topic, payload, retain = false) {
      if (!connected || open.size >= inFlightMax) return false;
      const messageId = freeId();
      open.add(messageId);
      const bytes = typeof payload === "string" ? payload : Buffer.from(payload);
      socket.write(generate({ cmd: "publish", topic, payload: bytes, qos: 1, dup: false, retain, messageId }));
      return true;
    },
    async idle() {
      if (connected && open.size > 0) await new Promise<void>((resolve) => waiters.push(resolve));
    },
    async close() {
      if (connected) {
        connected = false;
        socket.end(generate({ cmd: "disconnect" }));
      } else {
        socket.destroy();
      }
      await closed;
    },
  };
}

/** Sends CONNECT, resolves with the CONNACK; every later packet goes to `onPacket`. */
function handshake(
  { generate, parser }: Pick<typeof import("mqtt-packet"), "generate" | "parser">,
  socket: Socket,
  clientId: string,
  onPacket: (packet: Packet) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (why: string, cause?: unknown) => {
      socket.destroy();
      reject(new WeirError("unavailable", `Cannot publish to the demo's broker: ${why}`, { cause, retriable: true }));
    };
    const packets = parser({ protocolVersion: 4 });
    packets.on("packet", (packet) => {
      if (packet.cmd !== "connack") onPacket(packet);
      else if (packet.returnCode === 0) resolve();
      else refuse(`it refuses the connection with code ${packet.returnCode ?? "unknown"}`);
    });
    packets.on("error", (error) => refuse(messageOf(error), error));
    // Once connected, a lost socket only ends this publisher: `refuse` then does no more than destroy what is gone.
    socket.on("error", (error) => refuse(messageOf(error), error));
    socket.once("close", () => refuse("it closed the connection"));
    socket.on("data", (data) => packets.parse(Buffer.from(data)));
    socket.once("connect", () => {
      // Keep-alive 0 (section 3.1.2.10): the broker never expects a PINGREQ.
      socket.write(
        generate({ cmd: "connect", protocolId: "MQTT", protocolVersion: 4, clientId, clean: true, keepalive: 0 }),
      );
    });
  });
}
