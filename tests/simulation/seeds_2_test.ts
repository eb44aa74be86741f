/** @module */
import { playPart } from "./seeds.ts";

Deno.test("the whole program, second part of the seeds: nothing lost, order, bounds and sums hold, second copies are known", () =>
  playPart(2));
