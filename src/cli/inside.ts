/**
 * Files that lie inside the program: in the compiled one what it was compiled with (`tools/compile.ts`), else those of the project.
 *
 * @module
 */
const root = Deno.build.standalone ? new URL("./", Deno.mainModule) : new URL("../../", import.meta.url);

/**
 * Text of a file inside the program.
 *
 * @param path from the root of the project: `systemd/weir.service`
 * @throws {Error} when it was compiled without it: `deno task compile` puts it in.
 */
export function textInside(path: string): string {
  return Deno.readTextFileSync(new URL(path, root));
}

/** What a person types to start the program that runs. */
export function programWords(): string {
  return Deno.build.standalone ? Deno.execPath() : "deno run -A main.ts";
}

/** `0.1.0 (commit 0123456789ab, x86_64)` of a compiled program; of one that runs from its sources the version alone. */
export function versionText(version: string): string {
  if (!Deno.build.standalone) return version;
  const build: unknown = JSON.parse(textInside("dist/build.json"));
  const commit = typeof build === "object" && build !== null && "commit" in build ? build.commit : null;
  return `${version} (${typeof commit === "string" ? `commit ${commit}, ` : ""}${Deno.build.arch})`;
}
