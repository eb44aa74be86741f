/**
 * The plant that the demo pretends to watch: sites with machines, and on each machine the same three sensors. Every value is a random
 * walk that is drawn back to its normal level, so that curves look like those of real machines; the dice decide everything.
 *
 * @module
 */
import type { Dice } from "../core/dice.ts";

/** What a kind of sensor measures, and how its value moves. */
export interface Metric {
  readonly name: string;
  readonly unit: string;
  /** Normal level of the first machine; the others differ by up to a tenth. */
  readonly level: number;
  /** Standard deviation of one step. */
  readonly step: number;
  /** Share of the distance to the level that one step makes up: smaller is lazier. */
  readonly pull: number;
  readonly decimals: number;
  /** How often a sensor of this kind speaks, in ms. */
  readonly everyMs: number;
}

/** A sensor on a machine. */
export interface Sensor {
  readonly site: string;
  readonly machine: string;
  readonly metric: Metric;
  /** The next value, rounded as the sensor rounds. */
  next(): number;
}

/** What each machine has. */
export const metrics: readonly Metric[] = [
  { name: "temperature", unit: "C", level: 68, step: 0.15, pull: 0.01, decimals: 2, everyMs: 250 },
  { name: "vibration", unit: "mm/s", level: 2.4, step: 0.12, pull: 0.08, decimals: 3, everyMs: 125 },
  { name: "pressure", unit: "bar", level: 6.2, step: 0.02, pull: 0.02, decimals: 3, everyMs: 250 },
];

const sites = ["harbour", "north", "south"] as const;
const machines = ["kiln", "mixer", "press", "pump"] as const;

/** Makes the plant: 3 sites of 4 machines of 3 sensors, in a fixed order. */
export function createPlant(dice: Dice): readonly Sensor[] {
  return sites.flatMap((site, s) =>
    machines.flatMap((machine, m) =>
      metrics.map((metric) => ({
        site,
        machine: `${machine}-${s + 1}0${m + 1}`,
        metric,
        next: randomWalk(metric, dice),
      }))
    )
  );
}

/** A walk (Ornstein and Uhlenbeck's, in discrete steps) around a level of its own. */
function randomWalk(metric: Metric, dice: Dice): () => number {
  const level = metric.level * (0.9 + 0.2 * dice());
  let value = level + metric.step * normal(dice);
  return () => {
    value += metric.pull * (level - value) + metric.step * normal(dice);
    return Number(Math.max(0, value).toFixed(metric.decimals));
  };
}

/** A normally distributed number (Box and Muller's transform). */
function normal(dice: Dice): number {
  return Math.sqrt(-2 * Math.log(1 - dice())) * Math.cos(2 * Math.PI * dice());
}
