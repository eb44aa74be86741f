/**
 * Files in other encodings, through the file source and the real decoders: the same rows at the same positions as those of the file in
 * UTF-8, wherever reading is broken off.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Item } from "../../../src/core/reading.ts";
import { createOpenDecoder } from "../../../src/decode/open_decoder.ts";
import { plainFormats } from "../../support/plain_options.ts";
import { canBeWritten, encodings, written } from "./encodings.ts";
import { type Rig, withRig } from "./harness.ts";

const openDecoder = createOpenDecoder(plainFormats);
const settings = {
  ready: "rename",
  pollMs: 500,
  checkpointMs: 100,
  readAheadRows: 500,
  deps: { openDecoder },
} as const;
const archive = "done/2026/01/01";

/** Longer than what is read at once, with characters of every length on the borders of pieces. */
function dump(rows: number, letters: readonly string[]): string {
  const line = (i: number): string => `${letters[i % letters.length]}${i},${"x".repeat(i % 13)}${letters.join("")}\r\n`;
  return "name,text\r\n" + Array.from({ length: rows }, (_, i) => line(i)).join("");
}

const latin = ["a", "\u00b0C", "\u00e4"];
const lettersOf = {
  "utf-8": latin,
  "utf-16le": [...latin, "\u20ac", "\u6e29", "\u{1f321}"],
  "utf-16be": [...latin, "\u20ac", "\u6e29", "\u{1f321}"],
  latin1: latin,
  "windows-1252": [...latin, "\u20ac", "\u0160"],
};

/** What tells two readings of a row apart. */
function place(item: Item): unknown {
  assert.ok(item.kind === "reading", JSON.stringify(item));
  return [item.row, item.byte, item.id.split("/")[2], item.value];
}

const ended = (rig: Rig) => () =>
  rig.said("files.file_finished").length + rig.said("files.file_quarantined").length > 0;

async function receiptOf(rig: Rig, name: string): Promise<Record<string, unknown>> {
  const path = `${archive}/${name}.receipt.json`;
  await rig.flowUntil(() => rig.exists(path), "the receipt is there");
  return JSON.parse(await Deno.readTextFile(join(rig.folder, path)));
}

for (const encoding of encodings) {
  for (const name of ["a.csv", "a.csv.gz"]) {
    Deno.test(`${encoding}, ${name}: rows, positions and ids are those of the UTF-8 file, also when resumed`, async () => {
      const text = dump(3000, lettersOf[encoding]);
      assert.ok(canBeWritten(text, encoding));
      const packed = (bytes: Uint8Array) => name.endsWith(".gz") ? new Uint8Array(gzipSync(bytes)) : bytes;
      let wanted: unknown[] = [];
      await withRig(settings, async (rig) => {
        await rig.drop(name, packed(written(text, "utf-8")));
        await rig.flowUntil(ended(rig), "the file in UTF-8 is finished");
        wanted = rig.items.map(place);
      });
      assert.equal(wanted.length, 3000);

      const setting = encoding.startsWith("utf-16") ? "utf-16" : encoding === "utf-8" ? "auto" : encoding;
      if (setting === "utf-16be" || setting === "utf-16le") throw new Error("There is no such setting");
      await withRig({ ...settings, encoding: setting }, async (rig) => {
        await rig.drop(name, packed(written(text, encoding)));
        for (const breakAt of [1, 417, 2500]) {
          while (rig.items.length < breakAt) {
            await rig.until(() => (rig.source.flows[0]?.ready() ?? 0) > 0, "there are rows");
            rig.settle(rig.take(breakAt - rig.items.length));
          }
          await rig.until(
            () => [...rig.store.records.values()][0]?.checkpoint?.row === breakAt,
            `the checkpoint is at row ${breakAt}`,
          );
          // The checkpoint knows the encoding: a setting that changes meanwhile cannot move the positions.
          await rig.restart({ encoding: "utf-8" });
        }
        await rig.flowUntil(ended(rig), "the file is finished");
        assert.deepEqual(rig.items.map(place), wanted);
        const receipt = await receiptOf(rig, name);
        assert.equal(receipt["encoding"], encoding === "utf-8" ? undefined : encoding);
        assert.equal(receipt["end_byte"], written(text, "utf-8").length);
      });
    });
  }
}

Deno.test("NDJSON and JSON in UTF-16 with a byte order mark are read like those in UTF-8", () =>
  withRig(settings, async (rig) => {
    const objects = Array.from({ length: 50 }, (_, i) => `{"n":${i},"text":"\u6e29\u{1f321}"}`);
    await rig.drop("a.ndjson", written(`\ufeff${objects.join("\n")}\n`, "utf-16le"), 1000);
    await rig.drop("b.json", written(`\ufeff[${objects.join(",")}]`, "utf-16be"), 2000);
    await rig.flowUntil(() => rig.said("files.file_finished").length === 2, "both are finished");
    assert.deepEqual(rig.values().map((value) => value.trim()), [...objects, ...objects]);
  }));

Deno.test("what is no character in UTF-16 makes its row a dead letter, and the rows around it arrive", () =>
  withRig(settings, async (rig) => {
    const text = "name,text\na,1\nb,\ud83c\nc,\udf21\nd,\ud83c\udf21\ne,5\n";
    await rig.drop("a.csv", new Uint8Array([...written(`\ufeff${text}`, "utf-16le"), 0x66]));
    await rig.flowUntil(ended(rig), "it is finished");
    assert.deepEqual(rig.values(), ["a,1", "d,\ud83c\udf21", "e,5"]);
    const letters = rig.items.flatMap((item) => item.kind === "misfit" ? [item.letter] : []);
    assert.deepEqual(letters.map(({ row, reason }) => [row, reason]), [
      [2, "invalid_utf8"],
      [3, "invalid_utf8"],
      [6, "invalid_utf8"],
    ]);
    assert.deepEqual(letters[0]?.raw, Uint8Array.of(0x62, 0x2c, 0xed, 0xa0, 0xbc, 0x0a));
  }));

Deno.test("a file that is not what the setting says is refused with advice", () =>
  withRig({ ...settings, encoding: "utf-16" }, async (rig) => {
    await rig.drop("a.csv", "name\na\n");
    await rig.flowUntil(() => rig.exists("error/a.csv.error.json"), "it is refused");
    const note = JSON.parse(await Deno.readTextFile(join(rig.folder, "error/a.csv.error.json")));
    assert.match(note.reason, /not UTF-16/);
    assert.match(note.advice, /--files-encoding/);
  }));
