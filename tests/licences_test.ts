import assert from "node:assert/strict";
import { licencesOf } from "../tools/licences.ts";

Deno.test("the licences of the program hold the texts of Weir, of the runtime's parts and of each package", async () => {
  const folder = await Deno.makeTempDir({ prefix: "weir-licences-" });
  const own = new URL("../LICENSE", import.meta.url).pathname;
  await Deno.writeTextFile(`${folder}/package.json`, '{"name":"some","version":"1.2.3","license":"MIT"}');
  await Deno.writeTextFile(`${folder}/LICENSE.md`, "Be kind.");
  const text = await licencesOf([folder], own);
  for (
    const part of [
      await Deno.readTextFile(own),
      "The runtime holds, each under its own licence",
      "Copyright Node.js contributors. All rights reserved.",
      "Copyright 2014, the V8 project authors. All rights reserved.",
      "UNICODE LICENSE V3",
      "some 1.2.3 (MIT)\n\nBe kind.",
    ]
  ) assert.ok(text.includes(part), part);
  await Deno.writeTextFile(`${folder}/package.json`, '{"name":"some","version":"1.2.3"}');
  await Deno.remove(`${folder}/LICENSE.md`);
  await assert.rejects(licencesOf([folder], own), /some 1\.2\.3 has no licence/);
  await Deno.remove(folder, { recursive: true });
});
