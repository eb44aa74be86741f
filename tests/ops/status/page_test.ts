import assert from "node:assert/strict";
import { buildPage } from "../../../src/ops/status/page.ts";

/** Relative luminance (WCAG 2.2). */
function luminance(colour: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [light = 0, dark = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}

Deno.test("every colour of text can be read on the page, in light and dark", () => {
  const schemes = [...buildPage().html.matchAll(/:root \{([^}]*)\}/g)].map(([, inside = ""]) =>
    new Map([...inside.matchAll(/--([a-z-]+): (#[0-9a-f]{6});/g)].map(([, name = "", value = ""]) => [name, value]))
  );
  assert.equal(schemes.length, 2);
  for (const colours of schemes) {
    for (const name of ["ink", "soft", "streams-ink", "files-ink", "sea", "good", "warn", "bad"]) {
      const ratio = contrast(colours.get(name) ?? "", colours.get("paper") ?? "");
      assert.ok(ratio >= 4.5, `${name}: ${ratio.toFixed(2)}`);
    }
    assert.ok(contrast(colours.get("soft") ?? "", colours.get("ground") ?? "") >= 4.5);
  }
});

Deno.test("the script is one text without modules", () => {
  const [, script = ""] = /<script type="module">([^]*)<\/script>/.exec(buildPage().html) ?? [];
  assert.ok(!/^(?:import|export)\b/m.test(script));
  assert.equal(script.includes("</script"), false);
});
