import assert from "node:assert/strict";
import { loadSettings } from "../../src/config/load.ts";
import { warningsOf } from "../../src/config/warnings.ts";
import { makeAuthority } from "../support/certificates.ts";
import { type FakeMachine, fakeMachine } from "./fake_machine.ts";

const authority = await makeAuthority("CA 1");
const good = await authority.issue({ name: "good", server: null });
const soon = await authority.issue({
  name: "soon",
  server: null,
  from: new Date(Date.now() - 90 * 86_400_000),
  to: new Date(Date.now() + 3.5 * 86_400_000),
});
const over = await authority.issue({
  name: "over",
  server: null,
  from: new Date("2020-01-01T00:00:00Z"),
  to: new Date("2020-01-31T00:00:00Z"),
});
await authority[Symbol.asyncDispose]();

const files = {
  "/ca": authority.ca,
  "/pw": "secret\n",
  "/good": good.certificate,
  "/good.key": good.key,
  "/soon": soon.certificate,
  "/soon.key": soon.key,
  "/over": over.certificate,
  "/over.key": over.key,
  "/encrypted.key": "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIF\n-----END ENCRYPTED PRIVATE KEY-----\n",
};
const mqtt = ["--mqtt-url", "mqtts://broker.example", "--mqtt-topic", "a/{x}", "--sink", "stdout"];
const user = ["--mqtt-username", "u", "--mqtt-password-file", "/pw"];
const pair = (name: string) => ["--mqtt-cert-file", `/${name}`, "--mqtt-key-file", `/${name}.key`];

function load(args: readonly string[], machine: FakeMachine) {
  return loadSettings("run", args, fakeMachine({ files, ...machine }));
}

function warnings(args: readonly string[], machine: FakeMachine = {}): string {
  const loaded = load(args, machine);
  assert.ok(loaded.kind === "settings", JSON.stringify(loaded));
  return warningsOf(loaded.settings, fakeMachine({ files, ...machine }), Date.now()).join("\n");
}

function problems(args: readonly string[], machine: FakeMachine = {}): string {
  const loaded = load(args, machine);
  return loaded.kind === "problems" ? loaded.problems.map((one) => `${one.where}: ${one.message}`).join("\n") : "";
}

Deno.test("files that only their owner can read, and certificates with time left, are no reason to warn", () => {
  assert.equal(warnings([...mqtt, ...user, ...pair("good"), "--mqtt-ca-file", "/ca"]), "");
});

Deno.test("a password or key that others can read is warned of, with its mode and what to do", () => {
  const open = warnings([...mqtt, ...user, ...pair("good")], { modes: { "/pw": 0o644, "/good.key": 0o640 } });
  assert.match(open, /The secret in "\/pw" is open to everybody on this machine \(mode 0644\): chmod 600/);
  assert.match(open, /The secret in "\/good.key" is open to the group of the file \(mode 0640\)/);
});

Deno.test("a systemd credential is not warned of: its access list shows as bits of the group", () => {
  const machine = {
    environment: { CREDENTIALS_DIRECTORY: "/cred" },
    files: { ...files, "/cred/mqtt-password": "secret" },
    modes: { "/cred/mqtt-password": 0o440 },
  };
  assert.equal(warnings([...mqtt, "--mqtt-username", "u"], machine), "");
});

Deno.test("a certificate that is over, or soon will be, is warned of with its day, and does not stop the start", () => {
  assert.match(warnings([...mqtt, ...pair("over")]), /The certificate in "\/over" expired on 2020-01-31/);
  assert.match(warnings([...mqtt, ...pair("soon")]), /The certificate in "\/soon" expires in 3 days, on 20/);
});

Deno.test("a password in the clear is warned of, but not on this machine alone", () => {
  const to = (url: string) => ["--mqtt-url", url, "--mqtt-topic", "a", "--sink", "stdout", ...user];
  assert.match(warnings(to("mqtt://broker.example")), /password for MQTT goes over the network in the clear/);
  assert.equal(warnings(to("mqtt://127.0.0.1:1883")), "");
  const kafka = ["--files-dir", "/d", "--kafka-topic", "t", "--kafka-username", "u", "--kafka-password-file", "/pw"];
  const plain = [...kafka, "--kafka-brokers", "k:9092", "--kafka-sasl", "plain"];
  assert.match(warnings(plain), /password for Kafka goes over the network in the clear/);
  assert.equal(warnings([...plain, "--kafka-tls"]), "");
});

Deno.test("half a pair, a pair of two, a certificate as key and an encrypted key are mistakes, each told where it stands", () => {
  assert.match(problems([...mqtt, "--mqtt-cert-file", "/good"]), /^--mqtt-key-file: Missing: or set WEIR_MQTT_KEY/);
  assert.match(problems([...mqtt, "--mqtt-key-file", "/good.key"]), /^--mqtt-cert-file: Missing: there is a key/);
  const crossed = [...mqtt, "--mqtt-cert-file", "/good", "--mqtt-key-file", "/over.key"];
  assert.match(problems(crossed), /^--mqtt-key-file: The key does not belong to the certificate of "good"/);
  const twice = [...mqtt, "--mqtt-cert-file", "/good", "--mqtt-key-file", "/good"];
  assert.match(problems(twice), /^--mqtt-key-file: Holds no private key/);
  const encrypted = [...mqtt, "--mqtt-cert-file", "/good", "--mqtt-key-file", "/encrypted.key"];
  assert.match(problems(encrypted), /^--mqtt-key-file: The key is encrypted/);
});

Deno.test("a key may come from the environment or as a credential", () => {
  const args = [...mqtt, "--mqtt-cert-file", "/good"];
  const identityIn = (machine: FakeMachine) => {
    const loaded = load(args, machine);
    return loaded.kind === "settings" ? loaded.settings.mqtt?.identity?.key.reveal().trim() : loaded;
  };
  assert.equal(identityIn({ environment: { WEIR_MQTT_KEY: good.key } }), good.key.trim());
  const credentials = { CREDENTIALS_DIRECTORY: "/cred" };
  assert.equal(
    identityIn({ environment: credentials, files: { ...files, "/cred/mqtt-key": good.key } }),
    good.key.trim(),
  );
});

Deno.test("a certificate without TLS is a mistake", () => {
  const plain = ["--mqtt-url", "mqtt://h", "--mqtt-topic", "a", "--sink", "stdout", ...pair("good")];
  assert.match(problems(plain), /--mqtt-cert-file: Has no use without TLS/);
  const kafka = ["--files-dir", "/d", "--kafka-brokers", "k", "--kafka-topic", "t"];
  const noTls = [...kafka, "--kafka-cert-file", "/good", "--kafka-key-file", "/good.key"];
  assert.match(problems(noTls), /--kafka-cert-file: Has no use without --kafka-tls/);
});
