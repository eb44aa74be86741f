/** @module */
import assert from "node:assert/strict";
import { join } from "node:path";
import { seededDice } from "../../../src/core/dice.ts";
import { machineDisk, type OpenFile } from "../../../src/source/files/disk.ts";
import { chunkBytes, type DiskBytes, openDiskBytes } from "../../../src/source/files/disk_bytes.ts";
import { identityOf } from "../../../src/source/files/identity.ts";
import { virtualClock } from "../../support/virtual_clock.ts";

const sizeBytes = 4 * chunkBytes;

/** A file read by a clock that stands still, so that between the first chunk and the end nobody looks at it; `looks` counts. */
async function withFile(
  test: (parts: { readonly path: string; readonly bytes: DiskBytes; readonly looks: () => number }) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "weir-disk-bytes-" });
  try {
    const path = join(folder, "dump.csv");
    await Deno.writeFile(path, new Uint8Array(sizeBytes).fill(0x61));
    const facts = await machineDisk.facts(path);
    assert.ok(facts !== null);
    let looks = 0;
    const counted = (file: OpenFile): OpenFile => ({
      read: (buffer) => file.read(buffer),
      close: () => file.close(),
      facts() {
        looks += 1;
        return file.facts();
      },
    });
    const disk = { ...machineDisk, open: async (name: string) => counted(await machineDisk.open(name)) };
    const signal = new AbortController().signal;
    const options = { fullPath: path, identity: identityOf(facts), quietMs: 0 };
    const bytes = await openDiskBytes(options, {
      disk,
      clock: virtualClock(),
      dice: seededDice(1),
      emit() {},
      signal,
    });
    try {
      await test({ path, bytes, looks: () => looks });
    } finally {
      bytes.close();
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function readAll(bytes: DiskBytes): Promise<number> {
  let sum = 0;
  for (let chunk = await bytes.next(); chunk !== null; chunk = await bytes.next()) sum += chunk.length;
  return sum;
}

Deno.test("a file is looked at first and at its end, not at each chunk", () =>
  withFile(async ({ bytes, looks }) => {
    assert.equal(await readAll(bytes), sizeBytes);
    assert.equal(looks(), 2);
  }));

Deno.test("a file that is truncated between two looks is found out at its end", () =>
  withFile(async ({ path, bytes }) => {
    await bytes.next();
    await bytes.next();
    await Deno.truncate(path, chunkBytes);
    await assert.rejects(readAll(bytes), /was truncated while it was read/);
  }));
