/**
 * The folder that one demo plays in. It is kept, so that one can look into it afterwards.
 *
 * @module
 */
import { mkdir, readdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Dice } from "../core/dice.ts";
import type { FileStatus } from "../core/status.ts";
import type { PlannedDump } from "./dump_plan.ts";
import type { LeftFile } from "./summary.ts";

/** Where everything of one demo lies. */
export interface Workspace {
  readonly root: string;
  /** State folder of the gateway. */
  readonly state: string;
  /** Where dumps are dropped. */
  readonly folders: Readonly<Record<PlannedDump["folder"], string>>;
  /** The file of JSON lines, unless the user wants another sink. */
  readonly output: string;
}

/** Names the folders of a demo. Nothing is made yet. */
export function planWorkspace(parent: string, wallMs: number, dice: Dice): Workspace {
  const started = Math.floor(wallMs / 1000).toString(36);
  const chance = Math.floor(dice() * 36 ** 4).toString(36).padStart(4, "0");
  const root = join(parent, `weir-demo-${started}${chance}`);
  return {
    root,
    state: join(root, "state"),
    folders: { historian: join(root, "dumps", "historian"), shopfloor: join(root, "dumps", "shopfloor") },
    output: join(root, "readings.ndjson"),
  };
}

/** Makes the folders. */
export async function makeWorkspace({ state, folders }: Workspace): Promise<void> {
  for (const folder of [state, ...Object.values(folders)]) await mkdir(folder, { recursive: true });
}

/** Removes everything. */
export function removeWorkspace({ root }: Workspace): Promise<void> {
  return rm(root, { recursive: true, force: true });
}

/** The dumps that still lie where they were dropped, and how far those that were `active` at the end were read. */
export async function leftFiles({ folders }: Workspace, active: readonly FileStatus[]): Promise<readonly LeftFile[]> {
  const lists = await Promise.all(Object.values(folders).map((folder) => readdir(folder, { withFileTypes: true })));
  return lists.flat().filter((entry) => entry.isFile() && !entry.name.startsWith(".")).map(({ name }) => {
    const status = active.find((file) => basename(file.name) === name);
    return { name, rowsRead: status?.rowsRead ?? null };
  }).sort((a, b) => a.name < b.name ? -1 : 1);
}
