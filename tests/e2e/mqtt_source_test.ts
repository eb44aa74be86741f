/**
 * The MQTT source against a real Mosquitto, in both protocol versions.
 *
 * @module
 */
import assert from "node:assert/strict";
import { startMosquitto } from "../support/mosquitto.ts";
import { eventually } from "../support/servers.ts";
import { startTcpProxy } from "../support/tcp_proxy.ts";
import { anyBroker, bothVersions, mosquittoTest, numbered, publish, publisher, run } from "../support/mqtt_rig.ts";

for (const version of bothVersions) {
  const existing = anyBroker;
  if (existing !== null) {
    Deno.test(`MQTT ${version}: messages come in order, are acknowledged, and the drain ends`, async () => {
      await using broker = await startMosquitto(existing);
      // Names of its own: it may be somebody's broker.
      const own = `weir-e2e-${crypto.randomUUID()}`;
      const subscriptions = [{ template: `${own}/{device_id}`, weight: 1 }];
      const running = await run({ url: broker.url, version, clientId: own, subscriptions, sessionExpirySeconds: 60 });
      await running.subscribed();
      const client = await publisher(broker);
      await Promise.all(numbered(500).map((name) => client.publishAsync(`${own}/d1`, name, { qos: 1 })));
      await client.endAsync();
      await eventually("all have come", () => running.names.length >= 500);
      assert.deepEqual(running.names, numbered(500));
      await running.source.finished();
      running.source.stop();
      await running.source.drained();
      assert.equal(running.status().protocolVersion, version === "5" ? 5 : 4);
      assert.equal(running.status().pendingMessages, 0);
      await running.source.close();
      // Leaves no session behind: a clean start with the same id ends it.
      await (await publisher(broker, { clientId: own, clean: true })).endAsync();
    });
  }

  mosquittoTest(
    `MQTT ${version}: what is not settled stays in the broker's session and comes again after a restart of ours, marked`,
    {},
    async (broker) => {
      {
        await using running = await run({ url: broker.url, version }, true);
        await running.subscribed();
        await publish(broker, ["a", "b", "c"]);
        await eventually("all have come", () => running.names.length === 3);
        // The second alone: its PUBACK waits for the first's.
        running.held[1]?.delivery.settle(0, "delivered");
        assert.equal(running.status().pendingMessages, 3);
      }
      await publish(broker, ["d"]);
      await using running = await run({ url: broker.url, version });
      await eventually("all have come again", () => running.names.length >= 4);
      assert.deepEqual(running.names, ["a", "b", "c", "d"]);
      await eventually("all are acknowledged", () => running.status().pendingMessages === 0);
    },
  );

  mosquittoTest(
    `MQTT ${version}: a broken connection resumes, pending messages are adopted, and each is read once`,
    {},
    async (broker) => {
      await using running = await run({ url: broker.url, version }, true);
      await running.subscribed();
      await publish(broker, numbered(15));
      await eventually("all have come", () => running.names.length === 15);
      await broker.stop();
      await eventually("the source notices", () => !running.status().connected);
      running.held.splice(0, 5).forEach((item) => item.delivery.settle(item.index, "delivered"));
      assert.equal(running.status().pendingMessages, 15);
      await broker.start();
      await eventually(
        "the five are acknowledged on the new connection",
        () => running.status().pendingMessages === 10,
      );
      running.settleAll();
      await eventually("all are acknowledged", () => running.status().pendingMessages === 0);
      await publish(broker, ["after"]);
      await eventually("new ones come", () => running.names.includes("after"));
      assert.deepEqual(running.names, [...numbered(15), "after"]);
      assert.equal(running.parts.said("mqtt.connection_lost").length, 1);
      assert.equal(running.parts.said("mqtt.session_lost").length, 0);
    },
  );

  mosquittoTest(
    `MQTT ${version}: PUBACKs are withheld until settled: the broker sends no more than its own window`,
    { config: ["max_inflight_messages 7"] },
    async (broker) => {
      // With MQTT 5 Mosquitto takes the client's receive maximum instead of its own limit.
      await using running = await run({ url: broker.url, version, receiveMax: version === "5" ? 7 : 50 }, true);
      await running.subscribed();
      await publish(broker, numbered(40));
      await eventually("the window is full", () => running.names.length === 7);
      // Nothing says "no more": Mosquitto's own log shows that it sent seven and no PUBACK came.
      await eventually("its log has them", () => broker.log().match(/Sending PUBLISH to weir-e2e/g)?.length === 7);
      assert.equal(broker.log().match(/Received PUBACK from weir-e2e/g), null);
      running.settleAll();
      await eventually("all have come", () => running.names.length === 40);
      assert.deepEqual(running.names, numbered(40));
    },
  );

  mosquittoTest(
    `MQTT ${version}: a lost session is said and counted, and pending messages end without an acknowledgement`,
    { config: ["autosave_interval 0"] },
    async (broker) => {
      await using running = await run({ url: broker.url, version }, true);
      await running.subscribed();
      await publish(broker, numbered(5));
      await eventually("all have come", () => running.names.length === 5);
      await broker.stop("SIGKILL");
      await Deno.remove(`${broker.folder}/mosquitto.db`).catch(() => {});
      await broker.start();
      await eventually("the loss is said", () => running.parts.said("mqtt.session_lost").length === 1);
      assert.equal(running.parts.said("mqtt.session_lost")[0]?.data["unacknowledged_messages"], 5);
      running.settleAll();
      await eventually("nothing is pending", () => running.status().pendingMessages === 0);
      await eventually("it has subscribed again", () => {
        return running.parts.events.filter((event) => event.name === "mqtt.subscribed").length === 2;
      });
      await publish(broker, ["after"]);
      await eventually("new ones come", () => running.names.includes("after"));
    },
  );

  mosquittoTest(`MQTT ${version}: QoS 0 needs no acknowledgement`, {}, async (broker) => {
    await using running = await run({ url: broker.url, version, qos: 0 }, true);
    await running.subscribed();
    await publish(broker, numbered(10), { qos: 0 });
    await eventually("all have come", () => running.names.length === 10);
    running.settleAll();
    assert.equal(running.status().pendingMessages, 0);
    assert.equal(broker.log().match(/PUBACK from weir-e2e/g), null);
  });

  for (
    const [retained, atFirst, atSecond] of [["all", 1, 1], ["once", 1, version === "5" ? 0 : 1], [
      "none",
      0,
      0,
    ]] as const
  ) {
    mosquittoTest(
      `MQTT ${version}: --mqtt-retained ${retained} brings ${atFirst} retained message at first and ${atSecond} at a restart`,
      {},
      async (broker) => {
        await publish(broker, ["kept"], { retain: true });
        for (const [start, expected] of [["first", atFirst], ["second", atSecond]] as const) {
          await using running = await run({ url: broker.url, version, retained });
          await running.subscribed();
          await publish(broker, [`live-${start}`]);
          await eventually("the live one has come", () => running.names.includes(`live-${start}`));
          assert.equal(running.names.filter((name) => name === "kept").length, expected);
          await eventually("all are acknowledged", () => running.status().pendingMessages === 0);
        }
      },
    );
  }

  mosquittoTest(
    `MQTT ${version}: the status topic says online, and offline after a stop and after a crash`,
    {},
    async (broker) => {
      const watcher = await publisher(broker);
      const seen: string[] = [];
      watcher.on("message", (_topic, payload) => void seen.push(payload.toString()));
      await watcher.subscribeAsync("weir/status");
      const statusTopic = "weir/status";
      {
        await using running = await run({ url: broker.url, version, statusTopic });
        await running.subscribed();
        await eventually("it says online", () => seen.join() === "online");
      }
      await eventually("it says offline", () => seen.join() === "online,offline");
      await using proxy = startTcpProxy(broker.port);
      await using running = await run({ url: `mqtt://127.0.0.1:${proxy.port}`, version, statusTopic });
      await eventually("it says online again", () => seen.length === 3);
      proxy.cut();
      await eventually("the will is published", () => seen[3] === "offline");
      await eventually("it comes back and says so", () => seen[4] === "online");
      assert.equal(running.status().reconnects, 1);
      await watcher.endAsync();
    },
  );
}

mosquittoTest("A wrong password is said once with advice and tried on, until it is right", {
  anonymous: false,
  config: ["password_file {folder}/passwords"],
  prepare: (folder) => password(folder, "right"),
}, async (broker) => {
  await using running = await run({ url: broker.url, username: "gateway", password: "wrong" });
  await eventually("it is said", () => running.parts.said("mqtt.connect_failed").length === 1);
  await eventually("it is tried again", () => (broker.log().match(/disconnected, not authorised/g)?.length ?? 0) >= 2);
  const said = running.parts.said("mqtt.connect_failed");
  assert.equal(said.length, 1);
  assert.match(said[0]?.message ?? "", /--mqtt-password-file/);
  assert.ok(!JSON.stringify(running.parts.events).includes("wrong"), "the password is never said");
  const findings = await running.source.check();
  assert.deepEqual(findings.map((finding) => finding.ok), [false]);
  await using other = await run({ url: broker.url, username: "gateway", password: "right", clientId: "other" });
  await other.subscribed();
  assert.deepEqual((await other.source.check()).map((finding) => finding.ok), [true, true]);
  assert.ok(other.status().connected, "a check does not throw out the running gateway");
});

mosquittoTest("A broker that is not up yet is waited for and said once", { off: true }, async (broker) => {
  await using running = await run({ url: broker.url });
  await eventually("it is said", () => running.parts.said("mqtt.connect_failed").length === 1);
  await eventually("it is tried again", () => {
    return running.parts.events.filter((event) => event.name === "mqtt.connect_failed").length >= 2;
  });
  assert.equal(running.parts.said("mqtt.connect_failed").length, 1);
  assert.equal((await running.source.check())[0]?.ok, false);
  await broker.start();
  await running.subscribed();
  assert.equal(running.status().protocolVersion, 5);
});

mosquittoTest("A second client of the same id is said to be there", {}, async (broker) => {
  await using running = await run({ url: broker.url });
  await running.subscribed();
  const thief = await publisher(broker, { clientId: "weir-e2e", clean: false, protocolVersion: 5 });
  await eventually("it is said", () => running.parts.said("mqtt.connection_lost").length === 1);
  assert.match(running.parts.said("mqtt.connection_lost")[0]?.message ?? "", /--mqtt-client-id/);
  thief.end(true);
  await eventually("it comes back", () => running.status().connected);
  assert.equal(running.status().reconnects, 1);
});

mosquittoTest("A half-open connection is noticed by its missing keep-alive answer and replaced", {}, async (broker) => {
  await using proxy = startTcpProxy(broker.port);
  await using running = await run({ url: `mqtt://127.0.0.1:${proxy.port}`, keepaliveSeconds: 5 }, true);
  await running.subscribed();
  await publish(broker, numbered(3));
  await eventually("all have come", () => running.names.length === 3);
  proxy.freeze();
  await eventually("it is noticed", () => running.parts.said("mqtt.connection_lost").length === 1);
  assert.match(running.parts.said("mqtt.connection_lost")[0]?.message ?? "", /[Kk]eepalive/);
  running.settleAll();
  await eventually("all are acknowledged on a new connection", () => running.status().pendingMessages === 0);
  assert.deepEqual(running.names, numbered(3));
});

mosquittoTest("Keep-alives do not wait behind withheld acknowledgements", {
  config: ["max_inflight_messages 0"],
}, async (broker) => {
  await using running = await run({ url: broker.url, keepaliveSeconds: 5 }, true);
  await running.subscribed();
  await publish(broker, numbered(30));
  await eventually("all have come", () => running.names.length === 30);
  await eventually(
    "two pings were answered",
    () => (broker.log().match(/Sending PINGRESP to weir-e2e/g)?.length ?? 0) >= 2,
  );
  assert.deepEqual([running.status().connected, running.status().reconnects], [true, 0]);
});

mosquittoTest("A message of QoS 2 arrives once, with QoS 1", {}, async (broker) => {
  await using running = await run({ url: broker.url });
  await running.subscribed();
  await publish(broker, ["twice-sure"], { qos: 2 });
  await eventually("it has come", () => running.names.length === 1);
  await eventually("it is acknowledged", () => running.status().pendingMessages === 0);
  // The broker writes its log when it comes to it.
  await eventually("the broker has the acknowledgement", () => /Received PUBACK from weir-e2e/.test(broker.log()));
});

mosquittoTest("TLS: a certificate of the CA file is trusted, any other is refused with advice", {
  config: ["cafile {folder}/ca.pem", "certfile {folder}/server.pem", "keyfile {folder}/server.key"],
  prepare: certificates,
  off: true,
}, async (broker) => {
  await broker.start();
  const url = broker.url.replace("mqtt:", "mqtts:");
  const ca = await Deno.readTextFile(`${broker.folder}/ca.pem`);
  await using running = await run({ url, tls: { ca } });
  await running.subscribed();
  await using suspicious = await run({ url, clientId: "suspicious" });
  await eventually("it is refused", () => suspicious.parts.said("mqtt.connect_failed").length === 1);
  assert.match(suspicious.parts.said("mqtt.connect_failed")[0]?.message ?? "", /--mqtt-ca-file/);
  await using plain = await run({ url: broker.url, clientId: "plain" });
  await eventually("plain text to a TLS port fails", () => plain.parts.said("mqtt.connect_failed").length === 1);
});

async function password(folder: string, text: string): Promise<void> {
  await command("mosquitto_passwd", ["-b", "-c", `${folder}/passwords`, "gateway", text]);
}

/** A CA and a server certificate for 127.0.0.1, of it. */
async function certificates(folder: string): Promise<void> {
  const key = (name: string) => ["-newkey", "rsa:2048", "-nodes", "-keyout", `${folder}/${name}.key`];
  const ca = ["req", "-x509", ...key("ca"), "-out", `${folder}/ca.pem`, "-days", "2", "-subj", "/CN=Weir test CA"];
  await command("openssl", [
    ...ca,
    "-addext",
    "basicConstraints=critical,CA:TRUE",
    "-addext",
    "keyUsage=critical,keyCertSign",
  ]);
  await command("openssl", ["req", ...key("server"), "-out", `${folder}/server.csr`, "-subj", "/CN=localhost"]);
  const names = "subjectAltName=IP:127.0.0.1,DNS:localhost\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n";
  await Deno.writeTextFile(`${folder}/server.ext`, names);
  const issuer = ["-CA", `${folder}/ca.pem`, "-CAkey", `${folder}/ca.key`, "-CAcreateserial"];
  const request = ["x509", "-req", "-in", `${folder}/server.csr`, ...issuer, "-days", "2"];
  await command("openssl", [...request, "-out", `${folder}/server.pem`, "-extfile", `${folder}/server.ext`]);
}

async function command(name: string, args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(name, { args: [...args], stdout: "null", stderr: "piped" })
    .output();
  if (!success) throw new Error(`${name} failed: ${new TextDecoder().decode(stderr)}`);
}
