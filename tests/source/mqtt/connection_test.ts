/**
 * The contract with npm:mqtt: what connection.ts leans on, shown on the wire by a broker of a few lines. It fails when an update of the
 * library changes the private method that PUBACKs leave through.
 *
 * @module
 */
import assert from "node:assert/strict";
import { createServer, type Server, type Socket } from "node:net";
import { generate, type IConnectPacket, type Packet, parser } from "mqtt-packet";
import { systemClock } from "../../../src/core/clock.ts";
import {
  type Connection,
  type ConnectionEvents,
  type ConnectionOptions,
  loadOpenConnection,
  type Loss,
  type ProtocolVersion,
} from "../../../src/source/mqtt/connection.ts";
import { eventually, patienceMs } from "../../support/servers.ts";

const openConnection = await loadOpenConnection();

/** A broker that answers CONNECT and PINGREQ, keeps what it gets, and sends what it is told. */
interface WireBroker {
  readonly port: number;
  readonly got: Packet[];
  send(packet: Packet): void;
  sendBytes(bytes: Uint8Array): void;
  /** Closes the connection after what was sent. */
  end(): void;
  close(): Promise<void>;
}

async function wireBroker(
  version: ProtocolVersion,
  answer: (connect: IConnectPacket) => readonly Packet[],
  { answersPings = true } = {},
): Promise<WireBroker> {
  const got: Packet[] = [];
  let socket: Socket | null = null;
  const options = { protocolVersion: version };
  const write = (packet: Packet) => void socket?.write(generate(packet, options));
  const server: Server = createServer((accepted) => {
    socket = accepted;
    const incoming = parser(options);
    incoming.on("packet", (packet: Packet) => {
      got.push(packet);
      if (packet.cmd === "connect") {
        // All in one chunk: a resumed session delivers at once.
        accepted.write(Buffer.concat(answer(packet).map((reply) => generate(reply, options))));
      } else if (packet.cmd === "pingreq" && answersPings) write({ cmd: "pingresp" });
    });
    accepted.on("data", (data: Uint8Array) => void incoming.parse(Buffer.from(data)));
    // The client may tear the connection down: that is what some tests are about.
    accepted.on("error", () => {});
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  return {
    port: address.port,
    got,
    send: write,
    sendBytes: (bytes) => void socket?.write(bytes),
    end: () => void socket?.end(),
    async close() {
      socket?.destroy();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  };
}

function connack(sessionPresent: boolean, code = 0): Packet {
  return { cmd: "connack", sessionPresent, returnCode: code, reasonCode: code };
}

function publish(messageId: number, payload: string, qos: 0 | 1 = 1): Packet {
  return { cmd: "publish", topic: "t", payload, qos, messageId, dup: false, retain: false };
}

function connectionOptions(
  port: number,
  version: ProtocolVersion,
  change: Partial<ConnectionOptions> = {},
): ConnectionOptions {
  return {
    host: "127.0.0.1",
    port,
    tls: null,
    version,
    clientId: "c1",
    username: "u",
    password: "p",
    clean: false,
    sessionExpirySeconds: 86_400,
    receiveMax: 123,
    keepaliveSeconds: 30,
    connectTimeoutMs: patienceMs,
    will: null,
    ...change,
  };
}

interface Watched {
  readonly seen: string[];
  readonly losses: Loss[];
  readonly events: ConnectionEvents;
}

function watched(): Watched {
  const seen: string[] = [];
  const losses: Loss[] = [];
  return {
    seen,
    losses,
    events: {
      opened: ({ sessionPresent }) => void seen.push(`opened ${sessionPresent}`),
      ready: () => void seen.push("ready"),
      message: (topic, payload, packetId) =>
        void seen.push(`${topic} ${new TextDecoder().decode(payload)} ${packetId}`),
      closed: (loss) => void losses.push(loss),
    },
  };
}

function packets(broker: WireBroker, cmd: string): Packet[] {
  return broker.got.filter((packet) => packet.cmd === cmd);
}

async function ending(connection: Connection, broker: WireBroker, { losses }: Watched): Promise<void> {
  connection.close();
  await eventually("the connection is closed", () => losses.length > 0);
  assert.equal(losses.length, 1);
  await broker.close();
}

for (const version of [4, 5] as const) {
  Deno.test(`npm:mqtt, protocol ${version}: no PUBACK leaves by itself, and ours leave as we send them`, async () => {
    const messages = Array.from({ length: 40 }, (_, index) => publish(index + 1, `m${index + 1}`));
    const broker = await wireBroker(version, () => [connack(true), ...messages]);
    const watch = watched();
    const connection = openConnection(connectionOptions(broker.port, version), watch.events, systemClock);
    // All forty are handed over though none is acknowledged: nothing waits for a PUBACK.
    await eventually("all have come", () => watch.seen.filter((line) => line.startsWith("t ")).length === 40);
    assert.equal(watch.seen[0], "opened true", "CONNACK is told before the first message");
    assert.deepEqual(
      watch.seen.filter((line) => line.startsWith("t ")),
      messages.map((_, index) => `t m${index + 1} ${index + 1}`),
    );
    // A round trip after them: what the library might have sent of itself would have come before its answer.
    const answered = new Promise((resolve) => connection.subscribe("x", 1, 0, resolve));
    await eventually("SUBSCRIBE has come", () => packets(broker, "subscribe").length === 1);
    broker.send({ cmd: "suback", messageId: packets(broker, "subscribe")[0]?.messageId ?? 0, granted: [1] });
    assert.equal(await answered, 1);
    assert.deepEqual(packets(broker, "puback"), []);
    for (const id of [2, 1, 40]) connection.acknowledge(id);
    await eventually("the PUBACKs have come", () => packets(broker, "puback").length === 3);
    assert.deepEqual(packets(broker, "puback").map((packet) => packet.messageId), [2, 1, 40]);
    await ending(connection, broker, watch);
    assert.equal(packets(broker, "disconnect").length, 1);
    assert.equal(watch.losses[0]?.kind, "left");
  });

  Deno.test(`npm:mqtt, protocol ${version}: CONNECT says what we told it, and nothing else`, async () => {
    const broker = await wireBroker(version, () => [connack(false)]);
    const watch = watched();
    const will = { topic: "s", text: "offline" };
    const connection = openConnection(connectionOptions(broker.port, version, { will }), watch.events, systemClock);
    await eventually("it is ready", () => watch.seen.includes("ready"));
    const [connect] = packets(broker, "connect");
    assert.ok(connect?.cmd === "connect");
    assert.deepEqual([connect.clientId, connect.clean, connect.keepalive, connect.username], ["c1", false, 30, "u"]);
    assert.equal(String(connect.password), "p");
    assert.deepEqual([connect.will?.topic, String(connect.will?.payload), connect.will?.retain], [
      "s",
      "offline",
      true,
    ]);
    const properties = version === 5
      ? { sessionExpiryInterval: 86_400, receiveMaximum: 123, maximumPacketSize: 16 * 1024 ** 2 }
      : {};
    assert.deepEqual({ ...connect.properties }, properties);
    await ending(connection, broker, watch);
    // The will is called off by DISCONNECT, so its message goes before it.
    assert.deepEqual(broker.got.slice(-2).map((packet) => packet.cmd), ["publish", "disconnect"]);
  });

  Deno.test(`npm:mqtt, protocol ${version}: a refusal carries its code, and the library does not come back by itself`, async () => {
    const code = version === 5 ? 0x87 : 5;
    const broker = await wireBroker(version, () => [connack(false, code)]);
    const watch = watched();
    openConnection(connectionOptions(broker.port, version), watch.events, systemClock);
    await eventually("it is refused", () => watch.losses.length === 1);
    const [loss] = watch.losses;
    assert.deepEqual([loss?.kind, loss?.code, loss?.reached], ["refused", code, true]);
    assert.deepEqual(watch.seen, []);
    assert.equal(packets(broker, "connect").length, 1);
    await broker.close();
  });
}

Deno.test("npm:mqtt: what is not read waits in the network, PUBACKs leave all the same, and it goes on where it stopped", async () => {
  const broker = await wireBroker(5, () => [connack(true)]);
  const watch = watched();
  const connection = openConnection(connectionOptions(broker.port, 5), watch.events, systemClock);
  await eventually("it is ready", () => watch.seen.includes("ready"));
  connection.read(false);
  const packet = generate(publish(0, "x".repeat(10_000), 0), { protocolVersion: 5 });
  const count = 1_600;
  broker.sendBytes(Buffer.concat(Array.from({ length: count }, () => packet)));
  // Time enough to come, in round trips.
  for (let id = 1; id <= 50; id++) {
    connection.acknowledge(id);
    await eventually("the PUBACK has come", () => packets(broker, "puback").length === id);
  }
  const read = watch.seen.length - 2;
  assert.ok(read <= 14, `${read} messages are more than two reads of the network`);
  connection.read(true);
  await eventually("the rest has come", () => watch.seen.length - 2 === count);
  await ending(connection, broker, watch);
});

Deno.test("npm:mqtt: a connection that is not read from can be closed, in order", async () => {
  const broker = await wireBroker(5, () => [connack(true)]);
  const watch = watched();
  const connection = openConnection(connectionOptions(broker.port, 5), watch.events, systemClock);
  await eventually("it is ready", () => watch.seen.includes("ready"));
  connection.read(false);
  broker.send(publish(1, "unread"));
  connection.close();
  await eventually("DISCONNECT has come", () => packets(broker, "disconnect").length === 1);
  broker.end();
  await eventually("it is closed", () => watch.losses.length === 1);
  await broker.close();
});

Deno.test("npm:mqtt: as long as messages come the connection counts as alive, whatever keeps PINGRESP away", async () => {
  const broker = await wireBroker(5, () => [connack(true)], { answersPings: false });
  const watch = watched();
  const alive = connectionOptions(broker.port, 5, { keepaliveSeconds: 1 });
  const connection = openConnection(alive, watch.events, systemClock);
  await eventually("it is ready", () => watch.seen.includes("ready"));
  const startMs = systemClock.nowMs();
  await eventually("two keep-alives have gone by", () => {
    broker.send(publish(0, "m", 0));
    // The broker hears of us all the same.
    return systemClock.nowMs() - startMs > 2_500 && packets(broker, "pingreq").length >= 2;
  });
  assert.deepEqual(watch.losses, []);
  await ending(connection, broker, watch);
});

Deno.test("npm:mqtt: a DISCONNECT of the broker carries its code", async () => {
  const broker = await wireBroker(5, () => [connack(false), { cmd: "disconnect", reasonCode: 0x8e }]);
  const watch = watched();
  openConnection(connectionOptions(broker.port, 5), watch.events, systemClock);
  await eventually("it is ready", () => watch.seen.includes("ready"));
  broker.end();
  await eventually("it is closed", () => watch.losses.length === 1);
  assert.deepEqual([watch.losses[0]?.kind, watch.losses[0]?.code], ["disconnected", 0x8e]);
  await broker.close();
});

Deno.test("npm:mqtt: bytes that are not MQTT end the connection, and what came before them is kept", async () => {
  const broker = await wireBroker(5, () => [connack(false), publish(0, "good", 0)]);
  const watch = watched();
  openConnection(connectionOptions(broker.port, 5), watch.events, systemClock);
  await eventually("the message has come", () => watch.seen.includes("t good 0"));
  // A PUBLISH of QoS 3.
  broker.sendBytes(Uint8Array.of(0x36, 0x03, 0x00, 0x01, 0x74));
  await eventually("it is closed", () => watch.losses.length === 1);
  assert.equal(watch.losses[0]?.kind, "failed");
  await broker.close();
});
