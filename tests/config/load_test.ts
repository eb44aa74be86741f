import assert from "node:assert/strict";
import type { LoadOptions } from "../../src/config/load.ts";
import { loadSettings, stateDirOf } from "../../src/config/load.ts";
import { gather } from "../../src/config/gather.ts";
import type { Settings } from "../../src/config/settings.ts";
import { type FakeMachine, fakeMachine } from "./fake_machine.ts";
import { makeCertificates } from "../support/certificates.ts";

const files = ["--files-dir", "dumps"];
const kafka = ["--kafka-brokers", "k:9092", "--kafka-topic", "readings"];
const mqtt = ["--mqtt-url", "mqtt://h", "--mqtt-topic", "a/{x}"];
const { ca: pem } = await makeCertificates();

function settingsOf(args: readonly string[], machine: FakeMachine = {}, options: LoadOptions = {}): Settings {
  const loaded = loadSettings("run", args, fakeMachine(machine), options);
  if (loaded.kind !== "settings") assert.fail(JSON.stringify(loaded));
  return loaded.settings;
}

function problemsOf(args: readonly string[], machine: FakeMachine = {}, options: LoadOptions = {}): readonly string[] {
  const loaded = loadSettings("run", args, fakeMachine(machine), options);
  return loaded.kind === "problems" ? loaded.problems.map((one) => `${one.where}: ${one.message}`) : [];
}

Deno.test("the least that runs is a source and a sink; everything else has its default", () => {
  const settings = settingsOf([...files, ...kafka]);
  assert.equal(settings.mqtt, null);
  assert.deepEqual(settings.files?.folders, [{
    path: "/place/dumps",
    weight: 1,
    periodMs: null,
    capRowsPerSecond: null,
  }]);
  assert.equal(settings.files?.capRowsPerSecond, 500);
  assert.equal(settings.files?.quietMs, 10_000);
  assert.equal(settings.files?.keepForMs, 7 * 86_400_000);
  assert.equal(settings.files?.csvColumns, null);
  assert.equal(settings.stateDir, "/var/lib/weir");
  assert.equal(settings.drainTimeoutMs, 30_000);
  assert.equal(settings.limits.deadLetterBytesMax, 64 * 2 ** 20);
  assert.deepEqual(settings.log, { level: "info", format: "auto" });
  assert.equal(settings.sink.kind, "kafka");
});

Deno.test("a flag wins over a variable, a variable over the file, the file over the default", () => {
  const machine = {
    environment: { WEIR_CONFIG: "/etc/weir.yaml", WEIR_FILES_CAP: "200", WEIR_FILES_POLL: "2s" },
    files: { "/etc/weir.yaml": "files-cap: 300\nfiles-poll: 3s\nfiles-quiet: 4s\nfiles-dir: [a, b]\n" },
  };
  const settings = settingsOf(["--files-cap", "100", ...kafka], machine);
  assert.equal(settings.files?.capRowsPerSecond, 100);
  assert.equal(settings.files?.pollMs, 2000);
  assert.equal(settings.files?.quietMs, 4000);
  assert.equal(settings.files?.ready, "quiet");
  // A list is taken whole from the place that wins.
  assert.deepEqual(settingsOf([...files, ...kafka], machine).files?.folders.map((one) => one.path), ["/place/dumps"]);
});

Deno.test("presets give way to everything the user gives", () => {
  const options = { presets: { "files-dir": ["/demo"], "files-cap": "50", "sink": "stdout" } };
  assert.equal(settingsOf([], {}, options).files?.capRowsPerSecond, 50);
  assert.equal(settingsOf(["--files-cap", "60"], {}, options).files?.capRowsPerSecond, 60);
  assert.equal(settingsOf([], { environment: { WEIR_FILES_CAP: "70" } }, options).files?.capRowsPerSecond, 70);
});

Deno.test("what belongs to other commands is not taken from the environment", () => {
  const machine = fakeMachine({ environment: { WEIR_MQTT_URL: "mqtt://real", WEIR_MQTT_TOPIC: "x" } });
  const presets = { "mqtt-url": "mqtt://127.0.0.1:1", "mqtt-topic": "a/{x}", "sink": "stdout" };
  const loaded = loadSettings("demo", [], machine, { presets });
  assert.equal(loaded.kind === "settings" ? loaded.settings.mqtt?.url : null, "mqtt://127.0.0.1:1");
});

Deno.test("relative paths start at the working folder, and those of a config file at its folder", () => {
  const machine = { files: { "/etc/weir/weir.yaml": "files-dir: dumps\nstate-dir: state\nsink: ndjson:out.ndjson\n" } };
  const settings = settingsOf(["--config", "/etc/weir/weir.yaml"], machine);
  assert.equal(settings.files?.folders[0]?.path, "/etc/weir/dumps");
  assert.equal(settings.stateDir, "/etc/weir/state");
  assert.deepEqual(settings.sink, { kind: "ndjson", path: "/etc/weir/out.ndjson" });
  assert.equal(settingsOf(["--state-dir", "here", ...files, ...kafka]).stateDir, "/place/here");
});

Deno.test("the state folder is the one systemd made, unless one is named", () => {
  const surroundings = fakeMachine({ environment: { STATE_DIRECTORY: "/var/lib/private/weir" } });
  assert.equal(stateDirOf(gather("dlq list", [], surroundings), surroundings), "/var/lib/private/weir");
  assert.equal(stateDirOf(gather("dlq list", ["--state-dir", "/s"], surroundings), surroundings), "/s");
});

Deno.test("the gateway is named by the host and the machine, and its client id by the gateway", () => {
  const machine = { hostname: "press line", files: { "/etc/machine-id": "0123456789abcdef\n" } };
  const settings = settingsOf([...mqtt, ...kafka], machine);
  assert.match(settings.gateway, /^press-line-[0-9a-f]{4}$/);
  assert.equal(settings.mqtt?.clientId, `weir-${settings.gateway}`);
  assert.equal(settingsOf([...mqtt, ...kafka, "--gateway", "gw"]).gateway, "gw");
});

Deno.test("all mistakes are told at once, each where it was made", () => {
  const machine = {
    environment: { WEIR_FILES_CAP: "fast" },
    files: { "/c.yaml": "mqtt-qos: 2\nlog-lvel: info\n" },
  };
  const problems = problemsOf(["--config", "/c.yaml", "--files-quiet", "10sec", ...files], machine);
  assert.deepEqual(problems.map((one) => one.split(": ")[0]), [
    "/c.yaml".slice(1) + ":2:1 log-lvel",
    "--files-quiet",
    "WEIR_FILES_CAP",
    "c.yaml:1:11 mqtt-qos",
    "--kafka-brokers",
    "--kafka-topic",
  ]);
});

Deno.test("a wrong value does not make other mistakes out of nothing", () => {
  assert.equal(problemsOf(["--mqtt-url", "http://h", "--mqtt-topic", "a", ...kafka]).length, 1);
  assert.equal(problemsOf(["--mqtt-ulr", "mqtt://h", "--mqtt-topic", "a", ...kafka]).length, 1);
  assert.equal(problemsOf([...files, ...kafka, "--files-cap", "slow", "--files-min", "5000"]).length, 1);
  assert.equal(problemsOf(["--config", "/missing.yaml"]).length, 1);
  assert.equal(problemsOf([...files, ...kafka, "--kafka-sasl", "md5", "--kafka-username", "u"]).length, 1);
});

const impossible: readonly (readonly [promise: string, args: readonly string[], says: RegExp])[] = [
  ["neither streams nor files", kafka, /^--mqtt-url: Missing: give a broker .* or both/],
  ["a broker and no topic", [...kafka, "--mqtt-url", "mqtt://h"], /^--mqtt-topic: Missing/],
  ["Kafka without a broker", [...files, "--kafka-topic", "t"], /^--kafka-brokers: Missing/],
  ["Kafka without a topic", [...files, "--kafka-brokers", "k"], /^--kafka-topic: Missing/],
  [
    "a topic with fields and no list of topics",
    [...files, ...kafka.slice(0, 3), "r-{site}"],
    /^--kafka-topic: Has fields/,
  ],
  [
    "a floor above the cap",
    [...files, ...kafka, "--files-min", "2000"],
    /^--files-min: The floor \(2000\/s\) is above/,
  ],
  [
    "a cap below the floor",
    [...files, ...kafka, "--files-cap", "5", "--files-min", "9"],
    /floor \(9\/s\) is above the cap \(5/,
  ],
  [
    "more files in flight than in all",
    [...files, ...kafka, "--in-flight", "9", "--files-in-flight", "9"],
    /^--files-in-flight/,
  ],
  [
    "certificates for a plain broker",
    [...mqtt, ...kafka, "--mqtt-ca-file", "/ca"],
    /^--mqtt-ca-file: Has no use without TLS/,
  ],
  [
    "certificates for plain Kafka",
    [...files, ...kafka, "--kafka-ca-file", "/ca"],
    /^--kafka-ca-file: Has no use without/,
  ],
  [
    "a user without SASL",
    [...files, ...kafka, "--kafka-username", "u"],
    /^--kafka-username: Has no use without --kafka-sasl/,
  ],
  [
    "SASL without a user",
    [...files, ...kafka, "--kafka-sasl", "plain", "--kafka-password-file", "/pw"],
    /^--kafka-username: Missing/,
  ],
  [
    "SASL without a password",
    [...files, ...kafka, "--kafka-sasl", "plain", "--kafka-username", "u"],
    /^--kafka-password-file: Missing/,
  ],
  ["a password without a user", [...mqtt, ...kafka, "--mqtt-password-file", "/pw"], /^--mqtt-username: Missing/],
  ["a folder twice", [...files, "--files-dir", "./dumps/", ...kafka], /^--files-dir: Stands twice/],
  ["a topic twice", [...mqtt, "--mqtt-topic", "a/{x},weight=2", ...kafka], /^--mqtt-topic: Stands twice/],
  [
    "a folder inside a folder that is read whole",
    [...files, "--files-dir", "dumps/in", "--files-recursive", ...kafka],
    /Lies inside/,
  ],
  [
    "writing into a folder that is read",
    [...files, "--sink", "ndjson:dumps/o.ndjson"],
    /^--sink: Lies in \/place\/dumps/,
  ],
  [
    "files' flags without files",
    [...mqtt, ...kafka, "--files-cap", "5"],
    /^--files-cap: Has no use without --files-dir/,
  ],
  ["MQTT's flags without MQTT", [...files, ...kafka, "--mqtt-qos", "0"], /^--mqtt-qos: Has no use without --mqtt-url/],
  [
    "Kafka's flags with another sink",
    [...files, "--sink", "stdout", "--kafka-tls"],
    /^--kafka-tls: Has no use with --sink stdout/,
  ],
  [
    "a comment that begins like an empty cell",
    [...files, ...kafka, "--csv-delimiter", "semicolon", "--csv-comment", ";"],
    /^--csv-comment: Is the delimiter too/,
  ],
  ["a stray word", [...files, ...kafka, "x.csv"], /^command line: Belongs to no flag/],
];

for (const [promise, args, says] of impossible) {
  Deno.test(`impossible together, and told: ${promise}`, () => {
    const problems = problemsOf(args, { files: { "/ca": pem, "/pw": "secret\n" } });
    assert.equal(problems.length, 1, problems.join("\n"));
    assert.match(problems[0] ?? "", says);
  });
}

Deno.test("a dry run needs no Kafka, and keeps the one that is given", () => {
  assert.equal(settingsOf([...files, "--dry-run"]).sink.kind, "stdout");
  assert.equal(settingsOf([...files, ...kafka, "--dry-run"]).sink.kind, "kafka");
});

Deno.test("none takes a limit away", () => {
  const settings = settingsOf([
    ...files,
    ...kafka,
    "--files-cap",
    "none",
    "--files-keep-for",
    "none",
    "--files-archive-max",
    "none",
  ]);
  assert.equal(settings.files?.capRowsPerSecond, null);
  assert.equal(settings.files?.keepForMs, null);
  assert.equal(settings.files?.archiveBytesMax, null);
});

Deno.test("folders, topics, aliases and rules arrive in their parts", () => {
  const settings = settingsOf([
    ...["--files-dir", "/d,x,weight=2,every=1h,cap=200/s", "--mqtt-url", "mqtt://h", "--mqtt-topic", "a/{x},weight=3"],
    ...["--alias", "device_id=dev,deviceId", "--alias", "device_id=d", "--alias", "__proto__=p"],
    ...["--set", "value=a == b ? 1 : 2", "--csv-delimiter", "tab", "--csv-columns", "a,b", ...kafka],
  ]);
  assert.deepEqual(settings.files?.folders, [{ path: "/d,x", weight: 2, periodMs: 3_600_000, capRowsPerSecond: 200 }]);
  assert.deepEqual(settings.mqtt?.subscriptions, [{ template: "a/{x}", weight: 3 }]);
  assert.deepEqual(settings.readings.aliases["device_id"], ["dev", "deviceId", "d"]);
  assert.ok(Object.hasOwn(settings.readings.aliases, "__proto__"));
  assert.deepEqual(settings.readings.set, [{ field: "value", expression: "a == b ? 1 : 2" }]);
  assert.equal(settings.files?.csvDelimiter, "\t");
  assert.deepEqual(settings.files?.csvColumns, ["a", "b"]);
});

Deno.test("encoding and comments of files: UTF-8 and none where nothing is said, one character of ASCII or nothing", () => {
  const unsaid = settingsOf([...files, ...kafka]).files;
  assert.deepEqual([unsaid?.encoding, unsaid?.csvComment], ["auto", null]);
  const said = settingsOf([...files, ...kafka, "--files-encoding", "windows-1252", "--csv-comment", "#"]).files;
  assert.deepEqual([said?.encoding, said?.csvComment], ["windows-1252", "#"]);
  assert.equal(settingsOf([...files, ...kafka, "--csv-comment", "none"]).files?.csvComment, null);
  for (const wrong of ["", "//", '"', "\u00a7", "\n"]) {
    for (const flag of ["--csv-comment", "--csv-delimiter"]) {
      assert.match(problemsOf([...files, ...kafka, flag, wrong]).join(), /one character of ASCII/);
    }
  }
});

Deno.test("complaints of the parts are told where the setting was written", () => {
  const options: LoadOptions = {
    validate: () => [{ setting: "mqtt-topic", index: 1, message: "A brace is not closed" }],
  };
  const environment = { WEIR_MQTT_TOPIC: "a/#\nb/{x" };
  const loaded = loadSettings("run", ["--mqtt-url", "mqtt://h", ...kafka], fakeMachine({ environment }), options);
  assert.deepEqual(loaded.kind === "problems" ? loaded.problems : null, [
    { where: "WEIR_MQTT_TOPIC", seen: "b/{x", message: "A brace is not closed" },
  ]);
});

Deno.test("help is asked for even among mistakes", () => {
  assert.equal(loadSettings("run", ["--bogus", "--help"], fakeMachine()).kind, "help");
});
