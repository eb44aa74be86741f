import assert from "node:assert/strict";
import { connect } from "mqtt";
import { startBroker } from "../../src/demo/broker.ts";
import { connectPublisher } from "../../src/demo/publisher.ts";

type Client = ReturnType<typeof connect>;

/** A subscriber with a session that outlives its connection. */
function subscriber(url: string): Client {
  return connect(url, { clientId: "gateway", clean: false, protocolVersion: 4, reconnectPeriod: 0 });
}

Deno.test("a message at QoS 1 that is sent while the subscriber is away reaches it when its session resumes", async () => {
  const broker = await startBroker();
  try {
    const first = subscriber(broker.url);
    await first.subscribeAsync("plant/+/+/+", { qos: 1 });
    await first.endAsync();

    const publisher = await connectPublisher({ host: broker.host, port: broker.port, clientId: "press" });
    assert.equal(publisher.publish("plant/north/press-201/pressure", "6.2"), true);
    assert.equal(publisher.publish("plant/north/press-201/pressure", Uint8Array.of(0xff, 0x00)), true);
    await publisher.idle();
    assert.equal(publisher.acknowledged, 2);
    await publisher.close();

    const second = subscriber(broker.url);
    const payloads: Uint8Array[] = [];
    await new Promise<void>((resolve) =>
      second.on("message", (_topic, payload, packet) => {
        assert.equal(packet.qos, 1);
        payloads.push(new Uint8Array(payload));
        if (payloads.length === 2) resolve();
      })
    );
    await second.endAsync();
    assert.deepEqual(payloads, [new TextEncoder().encode("6.2"), Uint8Array.of(0xff, 0x00)]);
  } finally {
    await broker.close();
  }
});

Deno.test("a publisher never has more in flight than its limit and says so", async () => {
  const broker = await startBroker();
  try {
    const publisher = await connectPublisher({
      host: broker.host,
      port: broker.port,
      clientId: "pump",
      inFlightMax: 3,
    });
    const taken = [1, 2, 3, 4, 5].map((n) => publisher.publish("t", String(n)));
    assert.deepEqual(taken, [true, true, true, false, false]);
    assert.equal(publisher.inFlight, 3);
    await publisher.idle();
    assert.equal(publisher.inFlight, 0);
    assert.equal(publisher.publish("t", "again"), true);
    await publisher.close();
    assert.equal(publisher.publish("t", "after the end"), false);
  } finally {
    await broker.close();
  }
});

Deno.test("a publisher whose broker ends becomes idle instead of waiting for ever", async () => {
  const broker = await startBroker();
  const publisher = await connectPublisher({ host: broker.host, port: broker.port, clientId: "kiln" });
  publisher.publish("t", "1");
  const idle = publisher.idle();
  await broker.close();
  await idle;
  await publisher.close();
});

Deno.test("a broker gives its port back, and a publisher says that nobody is there", async () => {
  const broker = await startBroker();
  const { host, port } = broker;
  await broker.close();
  await broker.close();
  await assert.rejects(
    connectPublisher({ host, port, clientId: "mixer" }),
    { name: "WeirError", code: "unavailable", message: /Cannot publish to the demo's broker/ },
  );
});
