/** @module */
import { playPart } from "./seeds.ts";

Deno.test("the whole program, third part of the seeds: nothing lost, order, bounds and sums hold, second copies are known", () =>
  playPart(3));
