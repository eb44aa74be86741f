/**
 * Dumps as office programs and old machines write them, through the real program.
 *
 * @module
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { runGateway } from "../support/gateway.ts";

Deno.test("a UTF-16 dump with a byte order mark and one in windows-1252 arrive alike, without their comments", async () => {
  const root = await Deno.makeTempDir({ prefix: "weir-encoding-" });
  const drop = `${root}/drop`;
  await Deno.mkdir(drop);
  const rows = [
    '# written by "logger',
    "device_id;metric;value;unit;ts",
    "t1;Au\u00dfenluft;21.5;\u00b0C;1767225600",
    "# a pause",
    "t2;Zuluft;19.25;\u00b0C;1767225601",
    "",
  ].join("\r\n");
  await Deno.writeFile(`${drop}/wide.csv`, Buffer.from(`\ufeff${rows}`, "utf16le"));
  await Deno.writeFile(`${drop}/narrow.csv`, Buffer.from(rows, "latin1"));
  const ran = await runGateway([
    "run",
    "--once",
    ...["--files-dir", drop, "--files-ready", "rename", "--files-cap", "none"],
    ...["--files-encoding", "windows-1252", "--csv-comment", "#"],
    ...["--sink", `ndjson:${root}/out.ndjson`, "--state-dir", `${root}/state`, "--gateway", "gw"],
  ]);
  assert.equal(ran.code, 0, ran.stderr);
  const readings = (await Deno.readTextFile(`${root}/out.ndjson`)).trimEnd().split("\n").map((line) =>
    JSON.parse(line)
  );
  const seen = readings.map((one) => [one.device_id, one.metric, one.value, one.unit].join(" ")).sort();
  const wanted = ["t1 Au\u00dfenluft 21.5 \u00b0C", "t2 Zuluft 19.25 \u00b0C"];
  assert.deepEqual(seen, [...wanted, ...wanted].sort());
  await Deno.remove(root, { recursive: true });
});
