/**
 * The real program is given secrets in every way there is, right and wrong ones, with every log there is: none of them may be in anything
 * that it writes, on its command line, or in its state folder.
 *
 * @module
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { makeAuthority, type TestIdentity } from "../support/certificates.ts";
import { dropFile } from "../support/drop_file.ts";
import { runGateway, startGateway } from "../support/gateway.ts";
import { kafkaAvailability, type RunningKafka, startKafka } from "../support/kafka.ts";
import { findMosquittoProgram, type Mosquitto, startMosquitto } from "../support/mosquitto.ts";
import { eventually, leftOut } from "../support/servers.ts";

const suite = "Secrets of the whole program";
const program = findMosquittoProgram(suite);
const missing = await kafkaAvailability(true);
if (missing !== null) leftOut(suite, missing);

const passwords = {
  mqtt: "right-mqtt-5ecret",
  mqttWrong: "wrong-mqtt-5ecret",
  kafka: "right-kafka-5ecret",
  kafkaWrong: "wrong-kafka-5ecret",
};

/** What a run of the program is tried in. */
interface World {
  readonly folder: string;
  readonly broker: Mosquitto;
  readonly kafka: RunningKafka;
  readonly client: TestIdentity;
}

if (program !== null && missing === null) {
  Deno.test("no secret is ever in an output, on the command line or in the state folder", async (t) => {
    await using authority = await makeAuthority();
    const server = await authority.issue({ name: "server" });
    const client = await authority.issue({ name: "gateway", server: null });
    const folder = await Deno.makeTempDir({ prefix: "weir-secrets-" });
    const kafka = await startKafka({
      tls: { keyAndCertificatePem: server.key + server.certificate },
      users: { gateway: passwords.kafka },
    });
    try {
      await using broker = await startMosquitto(program, {
        anonymous: false,
        config: [
          "password_file {folder}/passwords",
          "cafile {folder}/ca.pem",
          "certfile {folder}/server.pem",
          "keyfile {folder}/server.key",
          "require_certificate true",
        ],
        files: { "ca.pem": authority.ca, "server.pem": server.certificate, "server.key": server.key },
        prepare: (place) => passwordFile(`${place}/passwords`, "gateway", passwords.mqtt),
      });
      await writeFiles(folder, authority.ca, client);
      await kafka.createTopic("readings", 1);
      const world = { folder, broker, kafka, client };
      for (const [way, act] of ways) await t.step(way, () => act(world));
    } finally {
      await kafka.close();
      await Deno.remove(folder, { recursive: true });
    }
  });
}

const ways: readonly (readonly [string, (world: World) => Promise<void>])[] = [
  ["wrong passwords out of files, everything logged as text", wrongPasswords],
  ["right ones out of the environment, everything logged as JSON, records flow", rightPasswords],
  ["systemd credentials, tried with check --connect, right and wrong", credentials],
  ["mistakes: a secret where none belongs is refused and not repeated", mistakes],
];

async function wrongPasswords(world: World): Promise<void> {
  const { folder } = world;
  const gateway = startGateway([
    ...peers(world, "wrong"),
    ...["--mqtt-password-file", `${folder}/mqtt.wrong`, "--mqtt-key-file", `${folder}/client.key`],
    ...["--kafka-password-file", `${folder}/kafka.wrong`, "--log-level", "debug", "--log-format", "text"],
  ]);
  await gateway.logged(/ERROR.*[Nn]ot authorized/);
  await gateway.logged(/ERROR.*refused the user name or the password/);
  const commandLine = await Deno.readTextFile(`/proc/${gateway.pid}/cmdline`);
  await gateway.stop();
  holdsNone(world.client, { commandLine, out: gateway.stdout(), err: gateway.stderr() });
  await stateHoldsNone(world, "wrong");
}

async function rightPasswords(world: World): Promise<void> {
  const gateway = startGateway([...peers(world, "right"), "--log-level", "debug", "--log-format", "json"], {
    WEIR_MQTT_PASSWORD: passwords.mqtt,
    WEIR_MQTT_KEY: world.client.key,
    WEIR_KAFKA_PASSWORD: passwords.kafka,
  });
  await gateway.logged(/mqtt\.subscribed/);
  await dropFile(`${world.folder}/dumps`, "a.csv", "device_id,metric,value\nd1,t,1\nd2,t\n");
  await eventually("the row arrives", async () => (await world.kafka.read("readings")).length > 0);
  const commandLine = await Deno.readTextFile(`/proc/${gateway.pid}/cmdline`);
  assert.equal(await gateway.stop(), 0);
  holdsNone(world.client, { commandLine, out: gateway.stdout(), err: gateway.stderr() });
  await stateHoldsNone(world, "right");
}

async function credentials(world: World): Promise<void> {
  for (
    const [kind, mqtt, kafka, code] of [
      ["right", passwords.mqtt, passwords.kafka, 0],
      ["wrong", passwords.mqttWrong, passwords.kafkaWrong, 69],
    ] as const
  ) {
    const place = `${world.folder}/credentials-${kind}`;
    await Deno.mkdir(place);
    await Deno.writeTextFile(`${place}/mqtt-password`, `${mqtt}\n`);
    await Deno.writeTextFile(`${place}/mqtt-key`, world.client.key);
    await Deno.writeTextFile(`${place}/kafka-password`, kafka);
    const args = ["check", ...peers(world, kind).slice(1), "--connect"];
    const result = await runGateway(args, { CREDENTIALS_DIRECTORY: place });
    assert.equal(result.code, code, result.stdout + result.stderr);
    if (kind === "wrong") {
      assert.match(result.stdout, /FAIL {2}MQTT broker.*[Nn]ot authorized/);
      assert.match(result.stdout, /FAIL {2}Kafka broker.*refused the user name or the password/);
    }
    holdsNone(world.client, { out: result.stdout, err: result.stderr });
  }
}

async function mistakes(world: World): Promise<void> {
  const { folder, client } = world;
  const password = passwords.mqtt;
  const right = [...peers(world, "right"), "--mqtt-key-file", `${folder}/client.key`];
  await Deno.writeTextFile(`${folder}/secret.yaml`, `mqtt-password: ${password}\nkafka-pasword: ${password}\n`);
  await Deno.writeTextFile(`${folder}/broken.key`, client.key.replace("\n", "\n!!"));
  const tries: readonly (readonly [readonly string[], Readonly<Record<string, string>>])[] = [
    [[...right, "--mqtt-password", password], {}],
    [[...right, `--kafka-password=${password}`], {}],
    [[...right, "--pasword", password], {}],
    [[...right, "--mqtt-url", `mqtts://gateway:${password}@127.0.0.1`], {}],
    [[...right, "--config", `${folder}/secret.yaml`], {}],
    [right, { WEIR_MQTT_PASWORD: password }],
    [[...right, "--mqtt-cert-file", `${folder}/mqtt.right`], {}],
    [[...right, "--mqtt-cert-file", `${folder}/client.key`], {}],
    [[...right, "--mqtt-key-file", `${folder}/broken.key`], {}],
    [[...right, "--schema", `${folder}/client.key`], {}],
    [[...right, "--schema", `${folder}/mqtt.right`], {}],
    [[...right, "--config", `${folder}/client.key`], {}],
    [[...right, "--config", `${folder}/mqtt.right`], {}],
  ];
  const environment = { WEIR_MQTT_PASSWORD: password, WEIR_KAFKA_PASSWORD: passwords.kafka };
  const results = await Promise.all(
    tries.map(([args, more]) => runGateway(["check", ...args.slice(1)], { ...environment, ...more })),
  );
  results.forEach(({ code, stdout, stderr }, index) => {
    assert.equal(code, 78, `try ${index}: ${stdout}${stderr}`);
    holdsNone(client, { [`try ${index}`]: stdout + stderr });
  });
}

/** Flags of a run with both peers; the secrets come by other ways. */
function peers({ folder, broker, kafka }: World, state: string): readonly string[] {
  const mqtt = ["--mqtt-url", broker.url.replace("mqtt:", "mqtts:"), "--mqtt-topic", "plant/{device_id}"];
  const sink = ["--kafka-brokers", kafka.brokers.join(","), "--kafka-topic", "readings", "--kafka-tls"];
  return [
    "run",
    ...mqtt,
    ...["--mqtt-username", "gateway", "--mqtt-ca-file", `${folder}/ca.pem`, "--mqtt-cert-file", `${folder}/client.pem`],
    ...sink,
    ...["--kafka-ca-file", `${folder}/ca.pem`, "--kafka-sasl", "scram-sha-256", "--kafka-username", "gateway"],
    ...["--files-dir", `${folder}/dumps`, "--files-ready", "rename", "--state-dir", `${folder}/state-${state}`],
  ];
}

/** Asserts that none of the texts holds a secret, in any form that it could have got there. */
function holdsNone(client: TestIdentity, texts: Readonly<Record<string, string>>): void {
  const keyLines = client.key.split("\n").filter((line) => line !== "" && !line.startsWith("-----"));
  const secrets = [...Object.values(passwords), ...keyLines];
  for (const [name, text] of Object.entries(texts)) {
    for (const secret of secrets) {
      for (const form of [secret, Buffer.from(secret).toString("base64"), [...secret].toReversed().join("")]) {
        assert.ok(!text.includes(form), `${name} holds a secret:\n${text.slice(0, 3000)}`);
      }
    }
  }
}

async function stateHoldsNone({ folder, client }: World, state: string): Promise<void> {
  let files = 0;
  for (const place of [`${folder}/state-${state}`, `${folder}/dumps`]) {
    for await (const path of filesBelow(place)) {
      files += 1;
      holdsNone(client, { [path]: new TextDecoder("latin1").decode(await Deno.readFile(path)) });
    }
  }
  assert.ok(files > 0, "there is no state to look into");
}

async function* filesBelow(folder: string): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) yield* filesBelow(path);
    else yield path;
  }
}

async function writeFiles(folder: string, ca: string, client: TestIdentity): Promise<void> {
  await Deno.mkdir(`${folder}/dumps`);
  const files = {
    "ca.pem": ca,
    "client.pem": client.certificate,
    "client.key": client.key,
    "mqtt.right": passwords.mqtt,
    "mqtt.wrong": passwords.mqttWrong,
    "kafka.wrong": passwords.kafkaWrong,
  };
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(`${folder}/${name}`, text, { mode: 0o600 });
  }
}

async function passwordFile(path: string, user: string, password: string): Promise<void> {
  const { success } = await new Deno.Command("mosquitto_passwd", { args: ["-b", "-c", path, user, password] }).output();
  assert.ok(success);
}
