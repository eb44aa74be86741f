/**
 * Makes the programs: `deno task compile` (x86_64), `deno task compile:arm64`, or both with `deno run -A tools/compile.ts x86_64 aarch64`.
 * `dist/` then holds each program, the unit and what belongs to it, the licences of what is inside, and SHA256SUMS.
 *
 * The modules are bundled first and the bundle is compiled: a sixth smaller than with the packages inside, and it starts in two thirds of
 * the time (docs/decisions/0080-the-binary.md has the figures). `WEIR_COMPILE_DENO` names another Deno to compile with; what `deno compile`
 * itself understands (`DENORT_BIN`) is passed on.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import config from "../deno.json" with { type: "json" };
import { licencesOf } from "./licences.ts";

/** What the program may do. Paths and addresses are settings, so systemd confines them; it starts no program and loads no library. */
const permissions = [
  "--allow-net",
  "--allow-env",
  "--allow-read",
  "--allow-write",
  "--allow-sys=hostname,uid,gid",
  // A permission that is missing is an error, never a question.
  "--no-prompt",
];

/**
 * Old generation of V8, in MiB: of the main thread and of the ledger's worker each. Beyond it the program ends rather than make the gateway
 * swap. What is in flight (32 MiB by default) is held as text and bytes a few times over; `MemoryMax=` of the unit stands above it.
 */
const heapMiB = 256;

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");
const architectures = ["x86_64", "aarch64"] as const;

/** What lies beside the programs. */
const companions = ["weir.service", "weir.env.example", "weir.sysusers", "weir.tmpfiles"] as const;

if (import.meta.main) await main(Deno.args);

async function main(args: readonly string[]): Promise<void> {
  const wanted = architectures.filter((architecture) => args.includes(architecture));
  if (wanted.length === 0 || wanted.length !== args.length) {
    throw new Error(`Give ${architectures.join(" or ")}, or both: Deno has no runtime for other ARM or x86 machines`);
  }
  const deno = Deno.env.get("WEIR_COMPILE_DENO") ?? Deno.execPath();
  const stage = await Deno.makeTempDir({ prefix: "weir-compile-" });
  try {
    const packages = await bundle(deno, stage);
    await Deno.mkdir(dist, { recursive: true });
    for (const architecture of wanted) await compile(deno, stage, architecture);
    for (const name of companions) await Deno.copyFile(join(root, "systemd", name), join(dist, name));
    await Deno.writeTextFile(join(dist, "LICENCES.txt"), await licencesOf(packages, join(root, "LICENSE")));
  } finally {
    await Deno.remove(stage, { recursive: true });
  }
  await writeSums();
}

/** Puts into `stage` what the program is made of; gives the folders of the packages that are inside. */
async function bundle(deno: string, stage: string): Promise<readonly string[]> {
  await run(deno, [
    "bundle",
    "--quiet",
    "--platform",
    "deno",
    "--outdir",
    stage,
    "main.ts",
    "src/store/ledger_worker.ts",
  ]);
  // The program asks for its worker by the name of the source file.
  const worker = await Deno.readTextFile(join(stage, "src/store/ledger_worker.js"));
  await Deno.writeTextFile(join(stage, "ledger_worker.js"), worker);
  await Deno.writeTextFile(join(stage, "ledger_worker.ts"), 'import "./ledger_worker.js";\n');
  await Deno.mkdir(join(stage, "systemd"));
  for (const name of companions) await Deno.copyFile(join(root, "systemd", name), join(stage, "systemd", name));
  await Deno.writeTextFile(join(stage, "build.json"), JSON.stringify({ commit: await commit() }));
  // The bundler writes above each module the path that it came from, relative to the project.
  const origins = (await Deno.readTextFile(join(stage, "main.js"))).matchAll(
    /^\s*\/\/ (\S+\/npm\/[^/\s]+\/(?:@[^/\s]+\/)?[^/\s]+\/[^/\s]+)\//gm,
  );
  const folders = [...new Set([...origins].map((match) => join(root, match[1] ?? "")))].sort();
  if (folders.length === 0) throw new Error("The bundle names no package: its licences cannot be told");
  return folders;
}

async function compile(deno: string, stage: string, architecture: typeof architectures[number]): Promise<void> {
  const output = join(dist, `weir-${architecture}`);
  await run(deno, [
    "compile",
    "--quiet",
    "--no-config",
    "--no-lock",
    "--no-check",
    // The cache would be a file with a known name in /tmp that the next start trusts; and it saves nothing that can be measured.
    "--no-code-cache",
    // sd_notify(3) needs a datagram socket.
    "--unstable-net",
    `--v8-flags=--max-old-space-size=${heapMiB}`,
    ...permissions,
    "--target",
    `${architecture}-unknown-linux-gnu`,
    ...["ledger_worker.ts", "ledger_worker.js", "build.json", "systemd"].flatMap((name) => ["--include", name]),
    "--output",
    output,
    "main.js",
  ], stage);
  const { size } = await Deno.stat(output);
  say(`${output}: Weir ${config.version}, ${(size / 1e6).toFixed(1)} MB`);
}

/** The commit, with a plus when files were changed since; null where there is no git. */
async function commit(): Promise<string | null> {
  try {
    const head = await run("git", ["rev-parse", "--short=12", "HEAD"]);
    const changed = await run("git", ["status", "--porcelain", "--untracked-files=no"]);
    return `${head.trim()}${changed.trim() === "" ? "" : "+"}`;
  } catch {
    return null;
  }
}

async function writeSums(): Promise<void> {
  const names = [...Deno.readDirSync(dist)].map((entry) => entry.name).filter((name) => name !== "SHA256SUMS").sort();
  const lines = names.map((name) => {
    const sum = createHash("sha256").update(Deno.readFileSync(join(dist, name))).digest("hex");
    return `${sum}  ${name}\n`;
  });
  await Deno.writeTextFile(join(dist, "SHA256SUMS"), lines.join(""));
}

/** Runs a program; gives what it printed. @throws {Error} with what it said when it fails. */
async function run(program: string, args: readonly string[], cwd = root): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args: [...args], cwd }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`${program} ${args.join(" ")} failed:\n${decoder.decode(stderr)}`);
  return decoder.decode(stdout);
}

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
