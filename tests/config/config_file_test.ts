import assert from "node:assert/strict";
import fc from "fast-check";
import { loadConfigReader } from "../../src/config/config_file.ts";

const readConfig = await loadConfigReader();

function read(text: string) {
  const { given, problems, readable } = readConfig("weir.yaml", text, "/etc/weir");
  return {
    given: given.map((one) => `${one.name}=${one.text}`),
    labels: given.map((one) => one.place.label),
    problems: problems.map((one) => `${one.where}: ${one.message}`),
    readable,
  };
}

Deno.test("keys are the names of the settings, and every value remembers its line and column", () => {
  const { given, labels, problems } = read(
    "gateway: gw1\nfiles-dir:\n  - /a,every=1h\n  - /b\nkafka-brokers: [k1, k2]\n",
  );
  assert.deepEqual(given, [
    "gateway=gw1",
    "files-dir=/a,every=1h",
    "files-dir=/b",
    "kafka-brokers=k1",
    "kafka-brokers=k2",
  ]);
  assert.deepEqual(labels.slice(0, 3), [
    "weir.yaml:1:10 gateway",
    "weir.yaml:3:5 files-dir",
    "weir.yaml:4:5 files-dir",
  ]);
  assert.deepEqual(problems, []);
});

Deno.test("numbers and switches are taken as they are written", () => {
  assert.deepEqual(read("mqtt-client-id: 007\nfiles-cap: 500\nkafka-tls: true\n").given, [
    "mqtt-client-id=007",
    "files-cap=500",
    "kafka-tls=true",
  ]);
});

Deno.test("a list may be one text, parted by lines, and an anchor may be used again", () => {
  assert.deepEqual(read("files-dir: |\n  /a\n  /b\n").given, ["files-dir=/a", "files-dir=/b"]);
  assert.deepEqual(read("mqtt-username: &u me\nkafka-username: *u\n").given, ["mqtt-username=me", "kafka-username=me"]);
});

Deno.test("an unknown key is told with its place and the nearest right name", () => {
  assert.deepEqual(read("gateway: a\nmqtt-ulr: x\n").problems, [
    "weir.yaml:2:1 mqtt-ulr: Unknown setting. Did you mean mqtt-url?",
  ]);
  assert.deepEqual(read("mqtt:\n  url: x\n").problems, [
    'weir.yaml:1:1 mqtt: Settings are not nested: write the whole name, like "mqtt-url: ..."',
  ]);
});

Deno.test("a secret in the file is refused and not repeated", () => {
  const result = read("mqtt-password: hunter2\n");
  assert.deepEqual(result.problems, [
    "weir.yaml:1:1 mqtt-password: A secret does not stand in the config file: use mqtt-password-file",
  ]);
  assert.ok(!JSON.stringify(result).includes("hunter2"));
});

Deno.test("the wrong shape of a value is told: nothing, a list, a map, a list in a list", () => {
  const { problems } = read("gateway:\nmqtt-qos: [1]\nfiles-cap: {a: 1}\nfiles-dir:\n  - [/a]\n  -\n");
  assert.deepEqual(problems.map((one) => one.split(": ")[0]), [
    "weir.yaml:1:9 gateway",
    "weir.yaml:2:11 mqtt-qos",
    "weir.yaml:3:12 files-cap",
    "weir.yaml:5:5 files-dir",
    "weir.yaml:6:4 files-dir",
  ]);
});

Deno.test("what is not YAML, or no map, is told with its place and counts as unreadable", () => {
  const broken = read("gateway: [a\n");
  assert.match(broken.problems[0] ?? "", /^weir\.yaml:2:1: Not YAML/);
  assert.equal(broken.readable, false);
  assert.match(
    read("gateway: a\ngateway: b\n").problems[0] ?? "",
    /^weir\.yaml:2:1: Not YAML: Map keys must be unique/,
  );
  assert.equal(read("- a\n").readable, false);
});

Deno.test("a file of nothing but comments sets nothing", () => {
  assert.deepEqual(read("# nothing\n"), { given: [], labels: [], problems: [], readable: true });
});

Deno.test("no text makes it throw", () => {
  fc.assert(fc.property(fc.string(), fc.constantFrom("", "gateway: ", "files-dir:\n - "), (text, before) => {
    read(before + text);
  }));
});
