import assert from "node:assert/strict";
import { seededDice } from "../../src/core/dice.ts";
import { badPayload, goodPayload } from "../../src/demo/payload.ts";
import { createPlant, metrics } from "../../src/demo/plant.ts";

Deno.test("the same seed makes the same plant and the same walks, another seed others", () => {
  const walks = (seed: number) => createPlant(seededDice(seed)).map((sensor) => [sensor.next(), sensor.next()]);
  assert.deepEqual(walks(1), walks(1));
  assert.notDeepEqual(walks(1), walks(2));
});

Deno.test("a plant has dozens of sensors, each once", () => {
  const names = createPlant(seededDice(3)).map((s) => `${s.site}/${s.machine}/${s.metric.name}`);
  assert.equal(names.length, 36);
  assert.equal(new Set(names).size, 36);
});

Deno.test("values stay near the level of their kind and move from step to step", () => {
  for (const sensor of createPlant(seededDice(5))) {
    const { level, step, pull } = sensor.metric;
    // The walk's standard deviation at rest (Ornstein and Uhlenbeck), and the tenth by which machines differ.
    const reach = 0.1 * level + 6 * step / Math.sqrt(2 * pull);
    const values = Array.from({ length: 2000 }, () => sensor.next());
    assert.ok(values.every((value) => Math.abs(value - level) <= reach), sensor.metric.name);
    assert.ok(new Set(values).size > 50, "it moves");
  }
});

Deno.test("good payloads are JSON that holds as many readings as they say", () => {
  const wallMs = Date.UTC(2026, 0, 1);
  for (const sensor of createPlant(seededDice(7)).slice(0, metrics.length)) {
    const { bytes, readings, bad } = goodPayload(sensor, wallMs);
    const parsed: unknown = JSON.parse(String(bytes));
    assert.equal(Array.isArray(parsed) ? parsed.length : 1, readings);
    assert.equal(bad, false);
  }
});

Deno.test("no bad payload can be used: not JSON, or a value that is no scalar", () => {
  const dice = seededDice(11);
  const sensor = createPlant(dice)[0];
  assert.ok(sensor);
  const kinds = new Set<string>();
  for (let i = 0; i < 50; i++) {
    const { bytes, bad } = badPayload(sensor, dice);
    assert.equal(bad, true);
    try {
      const text = new TextDecoder("utf-8", { fatal: true }).decode(
        typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes,
      );
      assert.equal(typeof JSON.parse(text).value, "object");
      kinds.add("object");
    } catch (error) {
      assert.ok(error instanceof SyntaxError || error instanceof TypeError, String(error));
      kinds.add(error.name);
    }
  }
  assert.deepEqual([...kinds].sort(), ["SyntaxError", "TypeError", "object"]);
});
