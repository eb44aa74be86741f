import assert from "node:assert/strict";
import { readEnvironment } from "../../src/config/environment.ts";

Deno.test("a variable gives what its flag would, and an empty one gives nothing", () => {
  const { given, problems } = readEnvironment({ WEIR_MQTT_QOS: "0", WEIR_GATEWAY: "", PATH: "/bin" }, "/place");
  assert.deepEqual(given.map((one) => [one.name, one.text, one.place.label]), [["mqtt-qos", "0", "WEIR_MQTT_QOS"]]);
  assert.deepEqual(problems, []);
});

Deno.test("a list is one value a line; commas part it only where values hold none", () => {
  const { given } = readEnvironment({
    WEIR_MQTT_TOPIC: "a/{x},weight=2\n b/#\n\n",
    WEIR_KAFKA_BROKERS: "k1:9092, k2:9092\nk3:9092",
  }, "/place");
  assert.deepEqual(given.map((one) => one.text), ["k1:9092", "k2:9092", "k3:9092", "a/{x},weight=2", "b/#"]);
});

Deno.test("an unknown variable is told with the nearest right one; those of the tests and the secrets are known", () => {
  const { problems, given } = readEnvironment({
    WEIR_MQTT_QSO: "1",
    WEIR_WHATEVER_IT_IS: "1",
    WEIR_TEST_MQTT_URL: "x",
    WEIR_MQTT_PASSWORD: "hunter2",
  }, "/place");
  assert.deepEqual(problems.map((one) => `${one.where}: ${one.message}`), [
    "WEIR_MQTT_QSO: Unknown variable. Did you mean WEIR_MQTT_QOS?",
    "WEIR_WHATEVER_IT_IS: Unknown variable",
  ]);
  assert.deepEqual(given, []);
});

Deno.test("what is only a flag has no variable", () => {
  assert.equal(readEnvironment({ WEIR_CONNECT: "true" }, "/place").problems.length, 1);
});
