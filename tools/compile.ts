/**
 * Makes the programs: `deno task compile` (x86_64), `deno task compile:arm64`, or both with `deno run -A tools/compile.ts x86_64 aarch64`.
 * `dist/` then holds each program, the unit and what belongs to it, the licences of what is inside, and SHA256SUMS.
 *
 * The packages are inside as they are, not bundled: docs/decisions/0080-the-binary.md says why. `WEIR_TEST_COMPILE_DENO` names another Deno to
 * compile with; what `deno compile` itself understands (`DENORT_BIN`) is passed on.
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
  "--allow-sys=hostname,uid,gid,statfs,osRelease",
  // A permission that is missing is an error, never a question.
  "--no-prompt",
];

/**
 * Old generation of V8, in MiB: of the main thread and of the ledger's worker each. Beyond it the program ends rather than make the gateway
 * swap. What is in flight (32 MiB by default) is held as text and bytes a few times over; `MemoryMax=` of the unit stands above it.
 */
const heapMiB = 256;

/** A pattern of an operator that backtracks too much goes on in linear time: docs/decisions/0178-patterns-end.md. */
const patternsEnd = "--enable-experimental-regexp-engine-on-excessive-backtracks";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");
/** What the program knows of its making, while it is made (`src/cli/inside.ts` reads it). */
const buildFile = "dist/build.json";
const architectures = ["x86_64", "aarch64"] as const;

/** What lies beside the programs. */
const guide = "docs/operations.md";
const companions = ["weir.service", "weir.env.example", "weir.sysusers", "weir.tmpfiles"] as const;

if (import.meta.main) await main(Deno.args);

async function main(args: readonly string[]): Promise<void> {
  const wanted = architectures.filter((architecture) => args.includes(architecture));
  if (wanted.length === 0 || wanted.length !== args.length) {
    throw new Error(`Give ${architectures.join(" or ")}, or both: Deno has no runtime for other ARM or x86 machines`);
  }
  const deno = Deno.env.get("WEIR_TEST_COMPILE_DENO") ?? Deno.execPath();
  await Deno.mkdir(dist, { recursive: true });
  await Deno.writeTextFile(join(root, buildFile), JSON.stringify({ commit: await commit() }));
  try {
    for (const architecture of wanted) await compile(deno, architecture);
  } finally {
    await Deno.remove(join(root, buildFile));
  }
  for (const name of companions) await Deno.copyFile(join(root, "systemd", name), join(dist, name));
  await Deno.copyFile(join(root, guide), join(dist, "operations.md"));
  await Deno.writeTextFile(
    join(dist, "LICENCES.txt"),
    await licencesOf(await packageFolders(deno), join(root, "LICENSE")),
  );
  await writeSums();
}

/** The folders of the npm packages that the program is made of. */
async function packageFolders(deno: string): Promise<readonly string[]> {
  const about: unknown = JSON.parse(await run(deno, ["info", "--json", "main.ts"]));
  const { npmPackages } = about as {
    npmPackages: Record<string, { name: string; version: string; registryUrl: string }>;
  };
  const { npmCache } = JSON.parse(await run(deno, ["info", "--json"])) as { npmCache: string };
  const folders = Object.values(npmPackages).map(({ name, version, registryUrl }) =>
    join(npmCache, new URL(registryUrl).hostname, name, version)
  );
  return [...new Set(folders)].sort();
}

async function compile(deno: string, architecture: typeof architectures[number]): Promise<void> {
  const output = join(dist, `weir-${architecture}`);
  await run(deno, [
    "compile",
    "--quiet",
    // Types are the gate's business.
    "--no-check",
    ...(await understands(deno, "--exclude-unused-npm") ? ["--exclude-unused-npm"] : []),
    // The cache would be a file with a known name in /tmp that the next start trusts; and it saves nothing that can be measured.
    "--no-code-cache",
    // sd_notify(3) needs a datagram socket.
    "--unstable-net",
    `--v8-flags=--max-old-space-size=${heapMiB},--max-semi-space-size=2,${patternsEnd}`,
    ...permissions,
    "--target",
    `${architecture}-unknown-linux-gnu`,
    ...["src/store/ledger_worker.ts", "systemd", guide, buildFile].flatMap((name) => ["--include", name]),
    "--output",
    output,
    "main.ts",
  ]);
  const { size } = await Deno.stat(output);
  say(`${output}: Weir ${config.version}, ${(size / 1e6).toFixed(1)} MB`);
}

/** Whether this Deno has an option of `deno compile`. */
async function understands(deno: string, flag: string): Promise<boolean> {
  return (await run(deno, ["compile", "--help=full"])).includes(flag);
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
  // The screenshots that tests leave here are in a folder.
  const names = (await Array.fromAsync(Deno.readDir(dist))).filter((entry) => entry.isFile).map((entry) => entry.name)
    .filter((name) => name !== "SHA256SUMS").sort();
  const lines = await Promise.all(names.map(async (name) => {
    const sum = createHash("sha256").update(await Deno.readFile(join(dist, name))).digest("hex");
    return `${sum}  ${name}\n`;
  }));
  await Deno.writeTextFile(join(dist, "SHA256SUMS"), lines.join(""));
}

/** Runs a program; gives what it printed. @throws {Error} with what it said when it fails. */
async function run(program: string, args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args: [...args], cwd: root }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`${program} ${args.join(" ")} failed:\n${decoder.decode(stderr)}`);
  return decoder.decode(stdout);
}

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
