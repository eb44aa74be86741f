/**
 * The rules of the house, as tests: what a reviewer would otherwise have to remember.
 *
 * @module
 */
import assert from "node:assert/strict";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { pages } from "../tools/docs.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Longest file, in lines. */
const linesMax = 400;

/** From this many lines of code on, a file of the program has a test of its own. */
const testedFromLines = 60;

/** Only these look across the folders of `src/`. */
const lookAcross = ["src/app.ts", "src/pipeline.ts", "src/registry.ts"];

/** Folders of `src/` whose parts are apart from each other: a source is one folder, and so is a sink. */
const folderOf = (path: string): string => {
  const [, first = "", second = "", third] = path.split("/");
  return ["source", "sink"].includes(first) && third !== undefined ? `src/${first}/${second}` : `src/${first}`;
};

/** Libraries that more than one file may import, with the reason. */
const sharedLibraries: Readonly<Record<string, string>> = {
  zod: "checks settings (config/kind.ts) and readings (decode): two folders that do not know each other",
};

/** Libraries that only some configurations need: loaded with `import()` by who does, never at the start. */
const lazyLibraries = ["mqtt", "mqtt-packet", "kafkajs", "yaml", "aedes"];

/** Files that no test of their part reaches, with the reason. */
const testedElsewhere: Readonly<Record<string, string>> = {
  "src/app.ts": "the end-to-end tests run it",
  "src/pipeline.ts": "the simulation and the tests of the spool run it",
  "src/registry.ts": "the end-to-end tests run it",
  "src/sink/kafka/sink.ts": "the end-to-end tests run it against Kafka",
  "src/store/ledger_worker.ts": "runs in a worker of its own: the ledger's tests go through it",
  "src/cli/machine.ts": "the real streams and signals: the end-to-end tests run it",
};

/** Files with a class, with the reason. */
const classes: Readonly<Record<string, string>> = {
  "src/core/error.ts": "the one error of the program",
  "src/core/packed_text.ts": "getters that cost nothing a reading",
  "src/source/files/packed_rows.ts": "what it inherits from src/core/packed_text.ts",
  "src/source/mqtt/packed_messages.ts": "what it inherits from src/core/packed_text.ts",
  "src/core/own_fields.ts": "fields without a prototype that are as fast as those with one",
  "src/sink/kafka/path_error.ts": "tells a lost connection from an answer; never leaves the sink",
  "src/source/mqtt/pending.ts": "one for each message: a method on the prototype costs nothing to make",
};

/** Paths from the root of all files below a folder whose names end so. */
function filesBelow(folder: string, ending: string): readonly string[] {
  const found: string[] = [];
  for (const entry of Deno.readDirSync(join(root, folder))) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) found.push(...filesBelow(path, ending));
    else if (path.endsWith(ending)) found.push(path);
  }
  return found.sort();
}

function read(path: string): string {
  return Deno.readTextFileSync(join(root, path));
}

function exists(path: string): boolean {
  try {
    Deno.statSync(join(root, path));
    return true;
  } catch {
    return false;
  }
}

/** The text without comments and without the contents of strings, line by line as before. */
function codeOf(text: string): string {
  const token = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/g;
  return text.replace(token, (found) => found.replace(/[^\n"'`]/g, "").replace(/^\/.*$/gm, ""));
}

/** What a file imports or exports on: `./x.ts` as a path from the root, a library by its name. */
function importsOf(path: string): readonly string[] {
  const found = read(path).matchAll(
    /^(?:import|export)\b[^;]*?from\s+"([^"]+)"|^import\s+"([^"]+)"|\bimport\("([^"]+)"\)/gm,
  );
  return [...found].map((match) => match[1] ?? match[2] ?? match[3] ?? "").map((specifier) =>
    specifier.startsWith(".") ? relative(root, resolve(root, dirname(path), specifier)) : specifier
  );
}

/** Lines of logic: no comment, no import, no type, no table of settings, not empty. */
function linesOfLogic(path: string): number {
  const code = codeOf(read(path))
    .replace(/^import[\s\S]*?;$/gm, "")
    .replace(/^(?:export )?interface [\s\S]*?^\}$/gm, "")
    .replace(/^(?:export )?type [\s\S]*?;$/gm, "");
  return code.split("\n").filter((line) => /[^\s{}()[\];,"'`]/.test(line)).length;
}

/**
 * Whether a test mirrors the file, or the tests of its part of the program (`tests/sink/`) go through it. Parts that mean nothing alone
 * are tested through the front door of their folder.
 */
function isTested(path: string): boolean {
  if (exists(path.replace(/^src\//, "tests/").replace(/\.ts$/, "_test.ts"))) return true;
  const [, part = ""] = path.split("/");
  const reached = new Set<string>();
  const follow = (target: string): void => {
    if (!target.startsWith(`src/${part}/`) || reached.has(target) || !exists(target)) return;
    reached.add(target);
    importsOf(target).forEach(follow);
  };
  tests.filter((test) => test.startsWith(`tests/${part}/`)).flatMap(importsOf).forEach(follow);
  return reached.has(path);
}

/** Lines of code that fit a pattern, with their place. */
function linesWith(paths: readonly string[], pattern: RegExp): readonly string[] {
  return paths.flatMap((path) =>
    codeOf(read(path)).split("\n").flatMap((line, index) =>
      pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : []
    )
  );
}

/** Fails with all that was found, one a line. */
function assertNone(found: readonly string[]): void {
  assert.equal(found.length, 0, `\n  ${found.join("\n  ")}\n`);
}

const sources = ["main.ts", ...filesBelow("src", ".ts")];
const programs = sources.filter((path) => !path.endsWith(".d.ts"));
const tests = filesBelow("tests", ".ts").filter((path) => !path.startsWith("tests/testdata/"));

Deno.test("a folder of the program imports the core and itself only", () => {
  assertNone(
    programs.filter((path) => path.startsWith("src/") && !path.startsWith("src/cli/") && !lookAcross.includes(path))
      .flatMap(
        (path) =>
          importsOf(path).filter((target) => target.startsWith("src/"))
            .filter((target) => folderOf(target) !== "src/core" && folderOf(target) !== folderOf(path))
            // What the parts of a family share lies in the family's own folder.
            .filter((target) => !(folderOf(path).startsWith(`${folderOf(target)}/`)))
            .map((target) => `${path} imports ${target}`),
      ),
  );
});

Deno.test("the program does not import its tests", () => {
  assertNone(
    programs.flatMap((path) =>
      importsOf(path).filter((target) => target.startsWith("tests/")).map((target) => `${path} imports ${target}`)
    ),
  );
});

Deno.test("each library is imported by one file", () => {
  const importers = new Map<string, string[]>();
  for (const path of programs) {
    for (const target of importsOf(path)) {
      if (target.startsWith("node:") || exists(target)) continue;
      const library = target.split("/").slice(0, target.startsWith("@") ? 2 : 1).join("/");
      const list = importers.get(library) ?? [];
      if (!list.includes(path)) list.push(path);
      importers.set(library, list);
    }
  }
  assertNone(
    [...importers].filter(([library, paths]) => paths.length > 1 && !Object.hasOwn(sharedLibraries, library))
      .map(([library, paths]) => `${library} is imported by ${paths.join(", ")}`),
  );
});

Deno.test("libraries that only some configurations need are not loaded at the start", () => {
  const loading = new RegExp(
    `^(?:import(?! type\\b)|export)\\b[^;]*?from\\s+"(?:${lazyLibraries.join("|")})[/"]`,
    "gm",
  );
  assertNone(programs.filter((path) => loading.test(read(path))).map((path) => `${path} loads a library at the start`));
});

Deno.test(`no file is longer than ${linesMax} lines`, () => {
  assertNone(
    [...sources, ...tests].map((path) => [path, read(path).split("\n").length - 1] as const)
      .filter(([, lines]) => lines > linesMax).map(([path, lines]) => `${path} has ${lines} lines`),
  );
});

Deno.test("time, chance and timers are passed in: only the core's clock and dice ask the machine", () => {
  const asking =
    /\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b|\bMath\.random\b|\bsetTimeout\b|\bsetInterval\b|\bsetImmediate\b/;
  const core = ["src/core/clock.ts", "src/core/dice.ts"];
  assertNone(linesWith(programs.filter((path) => !core.includes(path)), asking));
});

Deno.test("nothing is of the type any", () => {
  assertNone(linesWith(programs, /(?:[:<,|&(]|\bas)\s*any\b(?!\s*\()/));
});

Deno.test("functions rather than classes, but for those with a reason", () => {
  assertNone(
    linesWith(
      programs.filter((path) => !Object.hasOwn(classes, path)),
      /^\s*(?:export )?(?:abstract )?class\b|=\s*class\b/,
    ),
  );
});

Deno.test("nothing is left for later", () => {
  const later = new RegExp(["TO" + "DO", "FIX" + "ME", "XX" + "X", "not " + "implemented"].join("|"));
  assertNone(
    [...sources, ...tests].filter((path) => later.test(read(path))).map((path) => `${path} leaves something for later`),
  );
});

Deno.test("every file of the program opens with what it is and why", () => {
  assertNone(
    sources.filter((path) => !/^\/\*\*[\s\S]*?\* @module\b[\s\S]*?\*\//.test(read(path))).map((path) =>
      `${path} has no @module`
    ),
  );
});

Deno.test(`every file of the program with ${testedFromLines} lines of logic is reached by the tests of its part`, () => {
  assertNone(
    programs.filter((path) => linesOfLogic(path) >= testedFromLines && !isTested(path))
      .filter((path) => !Object.hasOwn(testedElsewhere, path))
      .map((path) => `${path} (${linesOfLogic(path)} lines of logic) has no test`),
  );
});

Deno.test("the lists of exceptions name only what is there", () => {
  assertNone(
    [...Object.keys(testedElsewhere), ...Object.keys(classes)].filter((path) => !exists(path)).map((path) =>
      `${path} is not there`
    ),
  );
});

Deno.test("every test lies in the mirror of a folder of the program, or in a folder of its own kind", () => {
  const kinds = /^tests\/(?:e2e|contract|simulation|support|bench)\/|^tests\/[a-z_]+_test\.ts$/;
  assertNone(
    tests.filter((path) => path.endsWith("_test.ts") && !kinds.test(path))
      .filter((path) => !exists(dirname(path).replace(/^tests/, "src")))
      .map((path) => `${path} lies in the mirror of nothing`),
  );
});

Deno.test("libraries come from npm by their pinned names, and no registry's address is in the project", () => {
  const address = new RegExp(
    ["registry\\." + "npmjs", "jsr\\." + "io", "deno\\.land/" + "(?:x|std)", "repo1?\\." + "maven", "esm\\." + "sh"]
      .join("|"),
  );
  const files = [...sources, ...tests, "deno.json", "deno.lock", "README.md", ...filesBelow("tools", ".ts")].filter(
    exists,
  );
  assertNone(files.filter((path) => address.test(read(path))).map((path) => `${path} holds the address of a registry`));
  assertNone(
    sources.flatMap((path) =>
      importsOf(path).filter((target) => /^(?:jsr|npm|https?):/.test(target)).map((target) =>
        `${path} imports ${target}`
      )
    ),
  );
  const { imports } = JSON.parse(read("deno.json"));
  assertNone(
    Object.values<string>(imports).filter((target) => !/^npm:.+@\d+\.\d+\.\d+$/.test(target)).map((target) =>
      `${target} is not pinned`
    ),
  );
});

Deno.test("the pages that are made out of the code are current: deno task docs", () => {
  for (const [path, page] of Object.entries(pages)) assert.equal(read(path), page(), `${path} is not current`);
});

Deno.test("the papers are there", () => {
  assertNone(
    ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "docs/architecture.md"].filter((path) => !exists(path))
      .map((path) => `${path} is missing`),
  );
});

Deno.test("every way to run it that is written down gives V8 the flag that ends patterns which backtrack too much", () => {
  const flag = "--enable-experimental-regexp-engine-on-excessive-backtracks";
  const { tasks } = JSON.parse(Deno.readTextFileSync(join(root, "deno.json")));
  assert.ok(tasks.run.includes(flag));
  assert.ok(Deno.readTextFileSync(join(root, "tools/compile.ts")).includes(flag));
  for (const path of ["README.md", "CONTRIBUTING.md", ...filesBelow("docs", ".md")]) {
    assert.doesNotMatch(Deno.readTextFileSync(join(root, path)), /run -A main\.ts run\b/, path);
  }
});
