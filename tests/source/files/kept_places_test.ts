import assert from "node:assert/strict";
import { placeOf } from "../../../src/source/files/place.ts";
import { memoryLedger } from "../../../src/store/memory_ledger.ts";
import { fileRecord, letter } from "../../support/ledger_values.ts";
import { virtualClock } from "../../support/virtual_clock.ts";
import { csv, withRig } from "./harness.ts";

Deno.test("letters behind the places are taken back before it is said that they are known, of files that wait for their turn too", async () => {
  const ledger = memoryLedger({ clock: virtualClock(), deadLetterBytesMax: 1e6 });
  const places = Promise.withResolvers<void>();
  const lettersWhenKnown: (readonly string[])[] = [];
  const ids = async () => (await ledger.list({}, 100)).map(({ id }) => id).toSorted();
  let folder = "";
  const kept = {
    letters: ledger,
    places: async () => {
      await places.promise;
      const record = fileRecord("waits", { folder, state: "reading", sha256: null, movedTo: null });
      return [placeOf("gw", record)];
    },
    known: () => void ids().then((now) => lettersWhenKnown.push(now)),
  };
  await withRig({ ready: "rename", pollMs: 500, deps: { kept, store: ledger } }, async (rig) => {
    folder = rig.folder;
    const done = fileRecord("done", { folder });
    await ledger.saveFiles([done, fileRecord("begun", { folder, state: "reading", checkpoint: null, movedTo: null })]);
    const at = (id: string, byte: number) => letter(`gw/${id}/${byte}`, { byte });
    await ledger.append([at("waits", 299), at("waits", 300), at("begun", 5), at("done", 400)]);
    await rig.drop("a.csv", csv(3));
    await rig.pass(3000);
    assert.equal((await ids()).length, 4);
    assert.equal(rig.take().length, 0, "no file is begun before the places are known");
    places.resolve();
    await rig.until(() => lettersWhenKnown.length > 0, "they are known");
    assert.deepEqual(lettersWhenKnown, [["gw/done/400", "gw/waits/299"]]);
    await rig.flowUntil(() => rig.exists("done/2026/01/01/a.csv"), "the file is read");
  });
});
