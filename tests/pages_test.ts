/**
 * What the pages of the documentation point to is there: files by their paths, pages and their sections by links.
 *
 * @module
 */
import assert from "node:assert/strict";

const root = new URL("..", import.meta.url);
const pages = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", ...listed("docs/"), ...listed("docs/decisions/")];

function listed(folder: string): readonly string[] {
  return [...Deno.readDirSync(new URL(folder, root))].map(({ name }) => `${folder}${name}`)
    .filter((path) => path.endsWith(".md")).sort();
}

function exists(url: URL): boolean {
  try {
    Deno.statSync(url);
    return true;
  } catch {
    return false;
  }
}

/** The names under which the headings of a page can be linked to. */
function sectionsOf(page: string): readonly string[] {
  return [...page.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading.toLowerCase().replace(/[^\w\- ]/g, "").trim().replaceAll(" ", "-")
  );
}

/** Whether the page has what the link names: a file, and in it the section behind `#`. */
function isLinked(url: URL): boolean {
  const section = url.hash.slice(1);
  const file = new URL(url);
  file.hash = "";
  return exists(file) && (section === "" || sectionsOf(Deno.readTextFileSync(file)).includes(section));
}

Deno.test("the files that the pages name are there", () => {
  const named = pages.flatMap((path) => {
    const page = Deno.readTextFileSync(new URL(path, root));
    return [...page.matchAll(/`((?:main\.ts|(?:src|tests|tools|systemd|docs|\.ci)\/)[\w./-]*)`/g)]
      .map(([, file = ""]) => ({ path, file }));
  });
  assert.ok(named.length > 200, `${named.length} names of files were found`);
  assert.deepEqual(named.filter(({ file }) => !exists(new URL(file, root))), []);
});

Deno.test("the pages and sections that the pages link to are there", () => {
  const links = pages.flatMap((path) => {
    const page = Deno.readTextFileSync(new URL(path, root));
    return [...page.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => ({ path, link }))
      .filter(({ link }) => !/^https?:/.test(link));
  });
  assert.ok(links.length > 20, `${links.length} links were found`);
  assert.deepEqual(links.filter(({ path, link }) => !isLinked(new URL(link, new URL(path, root)))), []);
});
