/**
 * Brokers that know only MQTT 3.1.1, and how each of them says so.
 *
 * @module
 */
import assert from "node:assert/strict";
import { createServer, type Server, type Socket } from "node:net";
import { Aedes } from "aedes";
import { systemClock } from "../../../src/core/clock.ts";
import { createMqttSource } from "../../../src/source/mqtt/mqtt_source.ts";
import type { MqttSourceOptions } from "../../../src/source/mqtt/options.ts";
import { eventually } from "../../support/servers.ts";
import { defaultOptions, testParts } from "./parts.ts";

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  return address.port;
}

/** Runs `act` with a 3.1.1 broker that `meet`s a CONNECT of MQTT 5 in its own way. */
async function withOldBroker(meet: (socket: Socket) => void, act: (port: number) => Promise<void>): Promise<void> {
  const aedes = await Aedes.createBroker();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("data", (data: Uint8Array) => {
      socket.pause();
      // Byte 8 of a CONNECT is the protocol level, after a remaining length of one byte and the name "MQTT".
      if (data[8] === 5) return meet(socket);
      socket.unshift(data);
      aedes.handle(socket);
      socket.resume();
    });
  });
  const port = await listen(server);
  try {
    await act(port);
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => void server.close(() => resolve()));
    await new Promise<void>((resolve) => void aedes.close(() => resolve()));
  }
}

const meetings: readonly (readonly [string, (socket: Socket) => void])[] = [
  ["answers with a CONNACK of the old form", (socket) => void socket.end(Uint8Array.of(0x20, 2, 0, 1))],
  ["answers with a CONNACK of the new form", (socket) => void socket.end(Uint8Array.of(0x20, 3, 0, 0x84, 0))],
  ["closes without a word", (socket) => void socket.end()],
  ["resets the connection", (socket) => void socket.resetAndDestroy()],
];

for (const [what, meet] of meetings) {
  Deno.test(`A broker that ${what} to MQTT 5 is spoken to in 3.1.1 at once, and nothing is said`, async () => {
    await withOldBroker(meet, async (port) => {
      const parts = testParts(systemClock);
      const options: MqttSourceOptions = { ...defaultOptions, url: `mqtt://127.0.0.1:${port}` };
      const source = createMqttSource(options, parts);
      await source.start(() => {});
      await eventually("it is subscribed", () => parts.events.some((event) => event.name === "mqtt.subscribed"));
      const status = source.status();
      assert.ok(status.kind === "mqtt");
      assert.equal(status.protocolVersion, 4);
      assert.deepEqual(parts.events.filter((event) => event.level === "error" || event.level === "warn"), []);
      assert.deepEqual((await source.check()).map((finding) => finding.ok), [true, true]);
      await source.close();
    });
  });
}

Deno.test("With the version set to 5 a broker that refuses it is said, with advice", async () => {
  await withOldBroker((socket) => void socket.end(Uint8Array.of(0x20, 3, 0, 0x84, 0)), async (port) => {
    const parts = testParts(systemClock);
    const source = createMqttSource({ ...defaultOptions, version: "5", url: `mqtt://127.0.0.1:${port}` }, parts);
    await source.start(() => {});
    await eventually("it is said", () => parts.said("mqtt.connect_failed").length === 1);
    assert.match(parts.said("mqtt.connect_failed")[0]?.message ?? "", /does not speak MQTT 5.*--mqtt-version auto/);
    await source.close();
  });
});
