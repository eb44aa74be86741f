/** The page on security names a test for each of its promises: they must exist. */
import assert from "node:assert/strict";

const page = await Deno.readTextFile(new URL("../docs/security.md", import.meta.url));

Deno.test("each test that docs/security.md names is there under that name", async () => {
  let named = 0;
  const absent: string[] = [];
  for (const [, path = "", name = ""] of page.matchAll(/`(tests\/[\w/]+\.ts)` "([^"]+)"/g)) {
    const text = await Deno.readTextFile(new URL(`../${path}`, import.meta.url));
    if (!text.includes(name)) absent.push(`${path} has no "${name}"`);
    named += 1;
  }
  assert.deepEqual(absent, []);
  assert.ok(named > 25, `only ${named} tests are named`);
});

Deno.test("each threat on the page has a test", () => {
  const rows = page.split("\n").filter((line) => /^\| .* \| .* \| .* \|$/.test(line) && line.includes("tests/"));
  const threats = page.split("### The network and logins")[1]?.split("### What root")[0]?.split("\n") ?? [];
  const without = threats.filter((line) => /^\| (?!threat|---)/.test(line) && !line.includes("`tests/"));
  assert.deepEqual(without, []);
  assert.ok(rows.length > 20);
});
