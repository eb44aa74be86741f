import assert from "node:assert/strict";
import { complaintsOf } from "../../src/cli/complaints.ts";
import { loadSettings } from "../../src/config/load.ts";
import { fakeMachine } from "../config/fake_machine.ts";

const schema = '{"type":"object","properties":{"name":{"type":"string"}},"required":["name"]}';

function told(args: readonly string[]): readonly string[] {
  const surroundings = fakeMachine({ files: { "/schema": schema, "/broken": "{", "/list": "[]" } });
  const loaded = loadSettings("check", args, surroundings, { validate: complaintsOf });
  return loaded.kind === "problems" ? loaded.problems.map((one) => `${one.where} ${one.seen}`) : [];
}

const files = ["--files-dir", "/dumps", "--sink", "stdout"];
const streams = ["--mqtt-url", "mqtt://h", "--sink", "stdout"];

Deno.test("right templates, patterns, schemas and rules are nobody's complaint", () => {
  assert.deepEqual(told([...streams, "--mqtt-topic", "a/{device_id}/+/{rest#}"]), []);
  assert.deepEqual(told([...files, "--files-pattern", "*.{csv,tsv}", "--schema", "/schema", "--set", "name='x'"]), []);
  assert.deepEqual(
    told(["--files-dir", "/d", "--kafka-brokers", "k", "--kafka-topic", "t", "--kafka-key", "{a}/{b}"]),
    [],
  );
});

Deno.test("every wrong topic is told, each where it was written", () => {
  const topics = ["--mqtt-topic", "a/{b,weight=2", "--mqtt-topic", "a/{b}", "--mqtt-topic", "{rest#}/c"];
  assert.deepEqual(told([...streams, ...topics]), ["--mqtt-topic a/{b,weight=2", "--mqtt-topic {rest#}/c"]);
});

Deno.test("every wrong rule is told, and a rule may use what the ones before it set", () => {
  const rules = ["--set", "x=1+", "--set", "y=2", "--set", "z=y * 2", "--set", "w=)", "--filter", "z >"];
  assert.deepEqual(told([...files, ...rules]), ["--set x=1+", "--set w=)", "--filter z >"]);
});

Deno.test("a schema that is none is told, by its place and without a word of it: it may be a secret", () => {
  const surroundings = fakeMachine({ files: { "/secret": '{"password": hunter2, "b": 1}' } });
  const loaded = loadSettings("check", [...files, "--schema", "/secret"], surroundings, { validate: complaintsOf });
  assert.ok(loaded.kind === "problems");
  assert.match(JSON.stringify(loaded.problems), /is not JSON at line 1, column 14/);
  assert.doesNotMatch(JSON.stringify(loaded.problems), /hunter|password/);
  assert.deepEqual(told([...files, "--schema", "/broken"]), ["--schema /broken"]);
  assert.deepEqual(told([...files, "--schema", "/list"]), ["--schema /list"]);
});

Deno.test("complaints are told together with all other mistakes, and none about what is missing", () => {
  assert.deepEqual(told(["--files-dir", "/d", "--filter", "x >", "--files-cap", "fast"]), [
    "--files-cap fast",
    "--kafka-brokers null",
    "--kafka-topic null",
    "--filter x >",
  ]);
});
