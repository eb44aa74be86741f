/**
 * A file for a gateway that runs: with `--files-ready rename` it may read a file as soon as it is there, so it comes there whole.
 *
 * @module
 */

/** Writes a file beside its name, which no gateway reads, and renames it. */
export async function dropFile(folder: string, name: string, text: string): Promise<void> {
  const path = `${folder}/${name}`;
  await Deno.writeTextFile(`${path}.part`, text);
  await Deno.rename(`${path}.part`, path);
}
