import assert from "node:assert/strict";
import { csv, rows, withRig } from "./harness.ts";

Deno.test("a dropped file is read, settled and archived with a receipt", () =>
  withRig({}, async (rig) => {
    await rig.drop("a.csv", csv(100) + "bad\nsecret\nmisfit\n");
    await rig.flowUntil(() => rig.exists("done/2026/01/01/a.csv.receipt.json"), "the receipt is there");
    assert.deepEqual(rig.values(), rows(100));
    assert.deepEqual(await rig.tree(), ["done/2026/01/01/a.csv", "done/2026/01/01/a.csv.receipt.json"]);
    const receipt = JSON.parse(await Deno.readTextFile(`${rig.folder}/done/2026/01/01/a.csv.receipt.json`));
    assert.equal(receipt.read, 103);
    assert.deepEqual([receipt.delivered, receipt.filtered, receipt.dead_lettered, receipt.dropped], [100, 1, 2, 0]);
    assert.equal(receipt.first_byte, 5);
    assert.equal(rig.source.status().kind, "files");
  }));
