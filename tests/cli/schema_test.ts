/**
 * `weir schema`, and how it says a file would be read.
 *
 * @module
 */
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { complaintsOf } from "../../src/cli/complaints.ts";
import { schema } from "../../src/cli/schema.ts";
import { compileSchema } from "../../src/decode/schema.ts";
import { fakeContext } from "./fake_context.ts";

async function sample(name: string, content: string | Uint8Array, ...args: string[]) {
  const folder = await Deno.makeTempDir({ prefix: "weir-schema-" });
  try {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    await Deno.writeFile(`${folder}/${name}`, bytes);
    const fake = fakeContext(["--sample", `${folder}/${name}`, ...args], { complaintsOf });
    return { code: await schema.run(fake.context), out: fake.out(), err: fake.err() };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the built-in schema is printed as a JSON Schema that Weir itself takes", async () => {
  const fake = fakeContext(["--alias", "device_id=deviceId", "--extra", "reject"]);
  assert.equal(await schema.run(fake.context), 0, fake.err());
  const json = JSON.parse(fake.out());
  assert.deepEqual(json.required, ["device_id", "metric", "value"]);
  assert.match(json.properties.device_id.description, /deviceId/);
  const compiled = compileSchema(json);
  assert.equal(compiled.closed, true);
  assert.deepEqual(compiled.fields.map(({ name }) => name), ["device_id", "metric", "value", "ts", "unit"]);
});

const csv = "deviceId;metric;value;time\npress-1;temp;1.5;2026-01-01T00:00:00Z\npress-1;temp;1.5;noon\npress-1;temp\n";
const aliases = ["--alias", "device_id=deviceId", "--alias", "ts=time"];

Deno.test("a sample tells format, columns with what they become, the first reading, and problems with their places", async () => {
  const { code, out } = await sample("x.csv", csv, ...aliases);
  assert.equal(code, 0);
  assert.match(out, /x\.csv: CSV with semicolons, 100 B, 3 rows/);
  assert.match(out, /deviceId +device_id +string +press-1/);
  assert.match(out, /time +ts +number +2026-01-01T00:00:00Z/);
  assert.match(out, /\{"device_id":"press-1","metric":"temp","value":1.5,"ts":1767225600000,"origin":"batch"/);
  assert.match(out, /1 of 3 rows can be read; 2 would be dead letters/);
  assert.match(out, /1 x wrong_type, first in row 2 \(byte 65\): Field "ts" "noon" is not a time/);
});

Deno.test("a file that would be refused says why and what to do, and leaves with 1", async () => {
  const header = await sample("x.csv", csv);
  assert.equal(header.code, 1);
  assert.match(header.out, /It would go to error\/: The header lacks the required "device_id".*--alias/);
  const binary = await sample("x.csv", Uint8Array.of(0, 1, 2));
  assert.deepEqual([binary.code, /binary/.test(binary.out)], [1, true]);
});

Deno.test("a compressed file is known by its bytes, a large one is estimated, an empty one has no rows", async () => {
  const many = "device_id,metric,value\n" + "press,temp,1\n".repeat(30_000);
  const { out } = await sample("x.csv", gzipSync(many));
  assert.match(out, /CSV with commas, gzip, .*about [\d,]+ rows \(the first 10,000 were looked at\)/);
  assert.match((await sample("e.csv", "")).out, /It has no rows/);
});

Deno.test("a sample in UTF-16 is read as the gateway reads it", async () => {
  const utf16 = new Uint8Array(new Uint16Array([..."\ufeff" + csv].map((c) => c.charCodeAt(0))).buffer);
  const { code, out } = await sample("x.csv", utf16, ...aliases);
  assert.equal(code, 0, out);
  assert.match(out, /CSV with semicolons, UTF-16LE, 202 B, 3 rows/i);
});

Deno.test("nothing in a sample reaches the terminal unescaped", async () => {
  const { out } = await sample(
    "e\u001b[2J.ndjson",
    '{"device_id":"\\u001b[31m","metric":"\u202e","value":1,"\u009b":2}\n',
  );
  assert.equal([...out].some((c) => c !== "\n" && /[\p{Cc}\p{Cf}]/u.test(c)), false, JSON.stringify(out));
});

Deno.test("a sample that is not there is 69", async () => {
  const fake = fakeContext(["--sample", "/nowhere/x.csv"], { complaintsOf });
  await assert.rejects(() => schema.run(fake.context), { code: "unavailable" });
});
