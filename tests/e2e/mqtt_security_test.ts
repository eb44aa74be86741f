/**
 * The MQTT source against a real Mosquitto with TLS, client certificates, passwords and permissions: what works, and what people are told
 * when it does not, each cause by its name, in the log once and in `check`.
 *
 * @module
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { pbkdf2Sync } from "node:crypto";
import { createRenewal } from "../../src/config/renewal.ts";
import { secret } from "../../src/config/secret.ts";
import { readTextFile } from "../../src/config/surroundings.ts";
import { systemClock } from "../../src/core/clock.ts";
import type { MqttSourceOptions } from "../../src/source/mqtt/options.ts";
import { makeAuthority, type TestIdentity } from "../support/certificates.ts";
import type { Mosquitto } from "../support/mosquitto.ts";
import { mosquittoTest, publisher, run } from "../support/mqtt_rig.ts";
import { eventually, freePort, leftOut } from "../support/servers.ts";

const past = { from: new Date("2020-01-01T00:00:00Z"), to: new Date("2020-01-31T00:00:00Z") };
const authority = await makeAuthority("Plant CA");
const stranger = await makeAuthority("Other CA");
const server = await authority.issue({ name: "broker" });
const expiredServer = await authority.issue({ name: "broker", ...past });
const elsewhere = await authority.issue({ name: "broker", server: "DNS:elsewhere.example" });
const gateway = await authority.issue({ name: "gateway-1", server: null });
const renewed = await authority.issue({ name: "gateway-2", server: null });
const expired = await authority.issue({ name: "gateway-1", server: null, ...past });
const foreign = await stranger.issue({ name: "gateway-1", server: null });
await authority[Symbol.asyncDispose]();
await stranger[Symbol.asyncDispose]();
const { ca } = authority;

const ports = { expired: freePort(), elsewhere: freePort() };

/** One broker, three doors: one that wants client certificates, and two whose own certificates are wrong. */
const doors = {
  config: [
    ...tlsLines("server"),
    "require_certificate true",
    "use_identity_as_username true",
    `listener ${ports.expired} 127.0.0.1`,
    ...tlsLines("expired"),
    `listener ${ports.elsewhere} 127.0.0.1`,
    ...tlsLines("elsewhere"),
  ],
  files: {
    "ca.pem": ca,
    ...pemFiles("server", server),
    ...pemFiles("expired", expiredServer),
    ...pemFiles("elsewhere", elsewhere),
  },
};

mosquittoTest(
  "mTLS: the right certificate is let in as who it says, every wrong one is told by its cause",
  doors,
  async (broker) => {
    const url = broker.url.replace("mqtt:", "mqtts:");
    const at = (port: number) => `mqtts://127.0.0.1:${port}`;
    await using right = await run({ url, tls: { ca, identity: gateway } });
    await right.subscribed();
    await eventually(
      "the broker names who came",
      () => /New client connected .* as weir-e2e \(.*u'gateway-1'\)/.test(broker.log()),
    );
    assert.deepEqual((await right.source.check()).map(({ ok }) => ok), [true, true]);

    await Promise.all([
      refused("none", { url, tls: { ca } }, /wants a client certificate, and there is none.*--mqtt-cert-file/),
      refused(
        "expired",
        { url, tls: { ca, identity: expired } },
        /our client certificate, which expired on 2020-01-31/,
      ),
      refused(
        "of another CA",
        { url, tls: { ca, identity: foreign } },
        /does not accept our client certificate, issued by "Other CA"/,
      ),
      refused(
        "wrong CA",
        { url, tls: { ca: stranger.ca, identity: gateway } },
        /issued by "Plant CA".*--mqtt-ca-file/,
      ),
      refused("server expired", { url: at(ports.expired), tls: { ca } }, /its certificate expired on 2020-01-31/),
      refused(
        "other host",
        { url: at(ports.elsewhere), tls: { ca } },
        /is for "DNS:elsewhere.example" and not for "127.0.0.1"/,
      ),
    ]);
  },
);

mosquittoTest(
  "a certificate renewed on disk is shown at the next connection, without a restart",
  doors,
  async (broker) => {
    const folder = await Deno.makeTempDir({ prefix: "weir-renewal-" });
    const put = async (identity: TestIdentity) => {
      await Deno.writeTextFile(`${folder}/gw.pem`, identity.certificate);
      await Deno.writeTextFile(`${folder}/gw.key`, identity.key);
    };
    try {
      await put(gateway);
      const events: string[] = [];
      const renewal = createRenewal({
        readTextFile,
        clock: systemClock,
        emit: (_level, name) => void events.push(name),
      });
      const tls = renewal.tls({
        ca: null,
        identity: {
          certificate: { path: `${folder}/gw.pem`, text: gateway.certificate },
          key: secret(gateway.key.trimEnd(), `${folder}/gw.key`),
        },
      });
      const url = broker.url.replace("mqtt:", "mqtts:");
      await using running = await run({ url, tls: () => ({ ...tls(), ca }) });
      await running.subscribed();
      await Deno.writeTextFile(`${folder}/gw.pem`, "half written");
      await reconnected(broker, running);
      assert.deepEqual(events.splice(0), ["settings.renewal_refused"]);
      assert.doesNotMatch(broker.log(), /gateway-2/);
      await put(renewed);
      await reconnected(broker, running);
      assert.deepEqual(events, ["settings.renewed"]);
      await eventually("the broker sees the new one", () => /as weir-e2e \(.*u'gateway-2'\)/.test(broker.log()));
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);

const plugin = findPlugin();
if (plugin === null) {
  leftOut("MQTT passwords and permissions", "Mosquitto's dynamic security plugin is not where Debian has it");
}

const withPasswords: typeof mosquittoTest = (...test) => plugin === null ? undefined : mosquittoTest(...test);

withPasswords(
  "passwords: a wrong one, an unknown user and a missing permission are told by their cause, never with the password",
  {
    anonymous: false,
    config: [`plugin ${plugin}`, "plugin_opt_config_file {folder}/dynsec.json"],
    files: { "dynsec.json": dynamicSecurity({ gateway: "right-secret", guest: "guest-secret" }) },
  },
  async (broker) => {
    const { url } = broker;
    const as = (username: string, password: string) => ({ url, username, password });
    for (const version of ["5", "3.1.1"] as const) {
      const clientId = `right-${version}`;
      await using right = await run({ ...as("gateway", "right-secret"), version, clientId });
      await right.subscribed();
      assert.deepEqual(right.parts.said("mqtt.subscription_refused"), []);
      await refused(
        `wrong ${version}`,
        { ...as("gateway", "wrong-secret"), version },
        /[Nn]ot authorized.*--mqtt-password-file/,
      );
      await refused(
        `unknown ${version}`,
        { ...as("nobody", "wrong-secret"), version },
        /[Nn]ot authorized.*--mqtt-username/,
      );
      await using guest = await run({ ...as("guest", "guest-secret"), version, clientId: `guest-${version}` });
      await eventually("it is told", () => guest.parts.said("mqtt.subscription_refused").length === 1);
      const findings = await guest.source.check();
      assert.deepEqual(findings.map(({ ok }) => ok), [true, false]);
      assert.match(findings[1]?.advice ?? "", /Allow it at the broker/);
    }
  },
);

mosquittoTest(
  "MQTT 5: a packet above 16 MiB is left out by the broker, and does not enter our memory; smaller ones come",
  {},
  async (broker) => {
    await using running = await run({ url: broker.url, version: "5", inboxBytesMax: 64 * 1024 ** 2 });
    await running.subscribed();
    const client = await publisher(broker);
    await client.publishAsync("plant/d1", Buffer.alloc(17 * 1024 ** 2, "x"), { qos: 1 });
    await client.publishAsync("plant/d1", "small", { qos: 1 });
    await client.endAsync();
    await eventually("the small one comes", () => running.names.includes("small"));
    assert.deepEqual(running.names, ["small"]);
  },
);

/** Asserts that a source with these options says once why it cannot connect, and that its check says the same. */
async function refused(name: string, options: Partial<MqttSourceOptions>, expected: RegExp): Promise<void> {
  await using running = await run({ clientId: `weir-${name.replaceAll(" ", "-")}`, ...options });
  const said = () => [...running.parts.said("mqtt.connect_failed"), ...running.parts.said("mqtt.connection_lost")];
  await eventually(`${name} is told`, () => said().length > 0);
  assert.match(said()[0]?.message ?? "", expected, name);
  const [finding] = await running.source.check();
  assert.equal(finding?.ok, false, name);
  assert.match(`${finding?.result}. ${finding?.advice}`, expected, `check: ${name}`);
  // A second attempt comes after half a second at the earliest, and is not told again.
  const attempts = () => running.parts.events.filter((event) => /^mqtt\.conn.*(failed|lost)$/.test(event.name)).length;
  await eventually(`${name}: a second attempt`, () => attempts() > 1);
  assert.equal(said().length, 1, `${name}: ${said().map(({ message }) => message).join("\n")}`);
  assert.doesNotMatch(JSON.stringify(running.parts.events), /-secret|PRIVATE KEY/);
}

async function reconnected(broker: Mosquitto, running: Awaited<ReturnType<typeof run>>): Promise<void> {
  const before = running.parts.events.filter(({ name }) => name === "mqtt.connected").length;
  await broker.stop();
  await eventually("the source notices", () => !running.status().connected);
  await broker.start();
  await eventually(
    "it is connected again",
    () => running.parts.events.filter(({ name }) => name === "mqtt.connected").length > before,
  );
}

function tlsLines(name: string): readonly string[] {
  return ["cafile {folder}/ca.pem", `certfile {folder}/${name}.pem`, `keyfile {folder}/${name}.key`];
}

function pemFiles(name: string, { certificate, key }: TestIdentity): Readonly<Record<string, string>> {
  return { [`${name}.pem`]: certificate, [`${name}.key`]: key };
}

/** The file of Mosquitto's dynamic security plugin: everybody may come in, `gateway` alone may subscribe. */
function dynamicSecurity(users: Readonly<Record<string, string>>): string {
  const clients = Object.entries(users).map(([username, password]) => {
    const salt = crypto.getRandomValues(new Uint8Array(12));
    const hash = pbkdf2Sync(password, salt, 101, 64, "sha512");
    const roles = username === "gateway" ? [{ rolename: "reader" }] : [];
    return {
      username,
      salt: Buffer.from(salt).toString("base64"),
      password: hash.toString("base64"),
      iterations: 101,
      roles,
    };
  });
  const acls = [{ acltype: "subscribePattern", topic: "plant/#", allow: true }];
  return JSON.stringify({
    defaultACLAccess: { publishClientSend: true, publishClientReceive: true, subscribe: false, unsubscribe: true },
    clients,
    roles: [{ rolename: "reader", acls }],
  });
}

/** The plugin that asks for passwords and permissions, as Debian installs it with the broker. */
function findPlugin(): string | null {
  for (const machine of ["x86_64-linux-gnu", "aarch64-linux-gnu"]) {
    const path = `/usr/lib/${machine}/mosquitto_dynamic_security.so`;
    try {
      Deno.statSync(path);
      return path;
    } catch (thrown) {
      if (!(thrown instanceof Deno.errors.NotFound)) throw thrown;
    }
  }
  return null;
}
