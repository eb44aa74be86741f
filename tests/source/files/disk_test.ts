/** What somebody who may write into a drop folder must not reach with links and pipes in it. */
import assert from "node:assert/strict";
import { isMissing, machineDisk as disk } from "../../../src/source/files/disk.ts";

async function inFolder(act: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "weir-disk-" });
  try {
    await Deno.writeTextFile(`${folder}/secret`, "only for Weir");
    await act(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a file is read as it is, with the facts that its entry has", () =>
  inFolder(async (folder) => {
    const file = await disk.open(`${folder}/secret`);
    const buffer = new Uint8Array(4);
    assert.deepEqual([await file.read(buffer), new TextDecoder().decode(buffer)], [4, "only"]);
    assert.deepEqual(await file.facts(), await disk.facts(`${folder}/secret`));
    await file.read(new Uint8Array(100));
    assert.equal(await file.read(buffer), null);
    file.close();
    assert.equal(await disk.lastByte(`${folder}/secret`), "r".charCodeAt(0));
  }));

Deno.test("a link that took a file's place is not followed: the file counts as gone", () =>
  inFolder(async (folder) => {
    await Deno.symlink(`${folder}/secret`, `${folder}/dump.csv`);
    await assert.rejects(() => disk.open(`${folder}/dump.csv`), isMissing);
    await assert.rejects(() => disk.lastByte(`${folder}/dump.csv`), isMissing);
    await assert.rejects(() => disk.open(`${folder}/nothing`), isMissing);
  }));

Deno.test("a pipe that took a file's place makes nobody wait", () =>
  inFolder(async (folder) => {
    const { success } = await new Deno.Command("mkfifo", { args: [`${folder}/dump.csv`] }).output();
    assert.ok(success);
    const file = await disk.open(`${folder}/dump.csv`);
    assert.equal((await file.facts()).kind, "other");
    file.close();
  }));

Deno.test("a link laid where a note or a copy will be written is replaced and not written through", () =>
  inFolder(async (folder) => {
    await Deno.symlink(`${folder}/secret`, `${folder}/note.part`);
    await disk.writeWhole(`${folder}/note`, "why");
    assert.equal(await Deno.readTextFile(`${folder}/note`), "why");
    await Deno.symlink(`${folder}/secret`, `${folder}/copy`);
    await disk.copySynced(`${folder}/note`, `${folder}/copy`, 1_700_000_000_000);
    assert.equal(await Deno.readTextFile(`${folder}/copy`), "why");
    assert.equal((await disk.facts(`${folder}/copy`))?.mtimeMs, 1_700_000_000_000);
    assert.equal(await Deno.readTextFile(`${folder}/secret`), "only for Weir");
  }));
