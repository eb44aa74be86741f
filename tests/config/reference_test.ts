import assert from "node:assert/strict";
import { loadConfigReader } from "../../src/config/config_file.ts";
import { optionList } from "../../src/config/options.ts";
import { settingsPage, settingsSchema } from "../../src/config/reference.ts";

const readConfig = await loadConfigReader();

Deno.test("the page has every setting once, with its default", () => {
  const page = settingsPage();
  for (const option of optionList) {
    const rows = page.split("\n").filter((line) => line.startsWith(`| \`${option.name}\``));
    assert.equal(rows.length, 1, option.name);
    if (option.fallback !== null && option.fallback !== "") assert.ok(rows[0]?.includes(option.fallback), option.name);
  }
});

Deno.test("every row of a table has as many cells as its head", () => {
  for (const line of settingsPage().split("\n").filter((one) => one.startsWith("| `") || one.startsWith("| Setting"))) {
    assert.equal(line.split(/(?<!\\)\|/).length, 7, line);
  }
});

Deno.test("the config file on the page is a right one", () => {
  const [, example = ""] = /```yaml\n([\s\S]*?)```/.exec(settingsPage()) ?? [];
  const { given, problems } = readConfig("example", example, "/etc/weir");
  assert.deepEqual(problems, []);
  assert.ok(given.length >= 9);
});

Deno.test("the schema has every key, and every default and example in it is a right value", () => {
  const { properties } = JSON.parse(settingsSchema());
  for (const option of optionList.filter((one) => one.flagOnly !== true && one.name !== "config")) {
    const property = properties[option.name];
    assert.ok(property !== undefined, option.name);
    for (const text of [...(property.examples ?? []), ...(property.default === undefined ? [] : [property.default])]) {
      assert.ok(
        "value" in option.read(String(text).split(",").length > 1 && option.commas ? text.split(",") : [text]),
        `${option.name} ${text}`,
      );
    }
  }
});
