import assert from "node:assert/strict";
import { readFlags } from "../../src/config/flags.ts";

/** What was given, as `name=text`, for a short comparison. */
function read(args: readonly string[], command: Parameters<typeof readFlags>[1] = "run") {
  const { given, problems, words, help } = readFlags(args, command, "/place");
  return {
    given: given.map((one) => `${one.name}=${one.text}`),
    problems: problems.map((one) => `${one.where}: ${one.message}`),
    words,
    help,
  };
}

Deno.test("a value follows its flag or an equals sign", () => {
  assert.deepEqual(read(["--mqtt-qos", "0", "--gateway=a"]).given, ["mqtt-qos=0", "gateway=a"]);
  assert.deepEqual(read(["--filter=value == 3"]).given, ["filter=value == 3"]);
  assert.deepEqual(read(["--filter", "-value > 3"]).given, ["filter=-value > 3"]);
});

Deno.test("a list flag stands several times, and takes commas only where values hold none", () => {
  assert.deepEqual(read(["--kafka-brokers", "a:1,b:2", "--kafka-brokers", "c:3"]).given, [
    "kafka-brokers=a:1",
    "kafka-brokers=b:2",
    "kafka-brokers=c:3",
  ]);
  assert.deepEqual(read(["--mqtt-topic", "a,b/{x},weight=2"]).given, ["mqtt-topic=a,b/{x},weight=2"]);
});

Deno.test("a switch takes no value, and --no- turns it off", () => {
  assert.deepEqual(read(["--once", "--no-kafka-tls"]).given, ["once=true", "kafka-tls=false"]);
  assert.deepEqual(read(["--once=false"]).given, ["once=false"]);
  assert.match(read(["--no-gateway"]).problems[0] ?? "", /Unknown flag/);
});

Deno.test("an unknown flag is told with the nearest right name, and its value is neither told nor taken for a word", () => {
  const { problems, words } = read(["--mqtt-ulr", "mqtt://h"]);
  assert.deepEqual(problems, ["--mqtt-ulr: Unknown flag. Did you mean --mqtt-url?"]);
  assert.deepEqual(words, []);
});

Deno.test("a password as a flag is refused and not repeated", () => {
  for (const args of [["--mqtt-password", "hunter2"], ["--kafka-password=hunter2"], ["--password", "hunter2"]]) {
    const flags = readFlags(args, "run", "/place");
    assert.equal(flags.problems.length, 1);
    assert.ok(!JSON.stringify(flags).includes("hunter2"), JSON.stringify(flags));
  }
});

Deno.test("a flag without its value is told, and the flag behind it is still read", () => {
  const { given, problems } = read(["--in-flight", "--gateway", "a", "--mqtt-url"]);
  assert.deepEqual(given, ["gateway=a"]);
  assert.equal(problems.length, 2);
  assert.match(problems[0] ?? "", /^--in-flight: Needs a value: must be a whole number/);
  assert.match(problems[1] ?? "", /^--mqtt-url: Needs a value: must be a URL/);
});

Deno.test("a flag that may stand once and stands twice is told", () => {
  assert.deepEqual(read(["--gateway", "a", "--gateway", "b"]).problems, ["--gateway: Stands twice"]);
  assert.deepEqual(read(["--files-dir", "a", "--files-dir", "b"]).problems, []);
});

Deno.test("a flag of another command is told with the command it belongs to", () => {
  assert.match(read(["--for", "3s"]).problems[0] ?? "", /to "weir demo"/);
  assert.deepEqual(read(["--for", "3s"], "demo").problems, []);
});

Deno.test("help is found anywhere, and words that no flag takes are kept", () => {
  assert.equal(read(["--once", "-h"]).help, true);
  assert.equal(read(["--help"]).help, true);
  assert.deepEqual(read(["17", "--json"], "dlq show").words, ["17"]);
  assert.deepEqual(read(["--", "--json"], "dlq show").words, ["--json"]);
});
