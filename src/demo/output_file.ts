/**
 * A second look at what the demo wrote: the file of JSON lines, read back and counted by somebody who did not write it.
 *
 * @module
 */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createInterface } from "node:readline";
import type { Origin } from "../core/delivery.ts";

/** What stands in the file. */
export interface OutputFacts {
  readonly path: string;
  readonly bytes: number;
  /** Lines that are JSON objects with this origin. */
  readonly lines: Readonly<Record<Origin, number>>;
  /** The last such line. */
  readonly samples: Readonly<Record<Origin, string | null>>;
  /** Lines that are not. */
  readonly invalidLines: number;
}

/** Size of a file in bytes; 0 when there is none. */
export async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return 0;
    throw error;
  }
}

/** Reads the file from byte `start` on: what stood there before is not this demo's. */
export async function readOutput(path: string, start: number): Promise<OutputFacts> {
  const lines = { real_time: 0, batch: 0 };
  const samples: Record<Origin, string | null> = { real_time: null, batch: null };
  let invalidLines = 0;
  const size = await sizeOf(path);
  if (size > start) {
    for await (const line of createInterface({ input: createReadStream(path, { start }), crlfDelay: Infinity })) {
      const origin = originOf(line);
      if (origin === null) invalidLines += 1;
      else {
        lines[origin] += 1;
        samples[origin] = line;
      }
    }
  }
  return { path, bytes: Math.max(0, size - start), lines, samples, invalidLines };
}

function originOf(line: string): Origin | null {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== "object" || value === null || !("origin" in value)) return null;
    return value.origin === "real_time" || value.origin === "batch" ? value.origin : null;
  } catch {
    return null;
  }
}
