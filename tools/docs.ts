/**
 * Writes the pages that are made out of the code. `deno task docs`.
 *
 * @module
 */
import { metricsPage } from "../src/ops/status/exposition.ts";
import { settingsPage, settingsSchema } from "../src/config/reference.ts";

/** The pages, by their path from the root of the project. */
export const pages: Readonly<Record<string, () => string>> = {
  "docs/metrics.md": metricsPage,
  "docs/settings.md": settingsPage,
  "docs/settings.schema.json": settingsSchema,
};

if (import.meta.main) {
  for (const [path, page] of Object.entries(pages)) {
    await Deno.writeTextFile(new URL(`../${path}`, import.meta.url), page());
  }
}
