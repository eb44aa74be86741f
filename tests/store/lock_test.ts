import assert from "node:assert/strict";
import { WeirError } from "../../src/core/error.ts";
import { lockState } from "../../src/store/lock.ts";
import { checkStateDir } from "../../src/store/state_dir.ts";

async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a second instance on one state folder is refused with 75 and told the first one's process id", () =>
  inFolder(async (folder) => {
    const first = await lockState(folder);
    await assert.rejects(lockState(folder), (error) => {
      assert.ok(error instanceof WeirError);
      assert.deepEqual([error.code, error.exitCode], ["locked", 75]);
      assert.match(error.message, new RegExp(`in use by process ${Deno.pid}$`));
      return true;
    });
    await first.release();
    await first.release();
    await (await lockState(folder)).release();
  }));

Deno.test("a lock file that was left behind, whole or half written, does not lock", () =>
  inFolder(async (folder) => {
    await (await lockState(folder)).release();
    await (await lockState(folder)).release();
    await Deno.writeTextFile(`${folder}/weir.lock`, "half".repeat(1_000));
    const lock = await lockState(folder);
    await assert.rejects(lockState(folder), /in use by process/);
    await lock.release();
    assert.deepEqual(await Array.fromAsync(Deno.readDir(folder), (entry) => entry.name), ["weir.lock"]);
  }));

Deno.test("the state folder is made when it is missing, for its owner alone", () =>
  inFolder(async (folder) => {
    const lock = await lockState(`${folder}/a/b`);
    assert.equal(((await Deno.stat(`${folder}/a/b`)).mode ?? 0) & 0o777, 0o700);
    await lock.release();
  }));

Deno.test("a state folder that cannot be is refused", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/file`, "");
    await assert.rejects(
      lockState(`${folder}/file`),
      (error) => error instanceof WeirError && error.code === "configuration",
    );
  }));

Deno.test("checking the state folder leaves nothing in it, and names what is wrong", () =>
  inFolder(async (folder) => {
    assert.deepEqual((await checkStateDir(folder)).map((finding) => finding.ok), [true]);
    assert.deepEqual(await Array.fromAsync(Deno.readDir(folder)), []);
    await Deno.writeTextFile(`${folder}/file`, "");
    const [finding] = await checkStateDir(`${folder}/file/state`);
    assert.equal(finding?.ok, false);
    assert.match(finding?.result ?? "", /Cannot make the state folder/);
  }));
