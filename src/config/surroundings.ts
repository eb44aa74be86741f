/**
 * What the settings take from the machine: environment, working folder, host name, files. Passed in, so that tests have a machine of
 * their own.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { messageOf } from "../core/error.ts";
import { loadConfigReader, mayNameConfig, type ReadConfig } from "./config_file.ts";

/** The machine, as far as the settings look at it. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string>>;
  /** Absolute path of the working folder. */
  readonly folder: string;
  hostname(): string;
  /** @throws {Error} as the system does: not found, no permission, a folder. */
  readTextFile(path: string): string;
  /** Reads a config file's text. */
  readonly readConfig: ReadConfig;
  /** Who may do what with a file; null when that cannot be told. */
  accessOf(path: string): FileAccess | null;
}

/** Who may do what with a file. */
export interface FileAccess {
  /** The permission bits: 0o600. */
  readonly mode: number;
  /** Whether this process runs as the file's owner. */
  readonly own: boolean;
}

/** The machine that the program runs on. A config file can be read when these arguments, or the environment, name one. */
export async function machine(args: readonly string[]): Promise<Surroundings> {
  const environment = Deno.env.toObject();
  return {
    environment,
    readConfig: mayNameConfig(args, environment) ? await loadConfigReader() : noConfig,
    folder: Deno.cwd(),
    hostname: () => Deno.hostname(),
    readTextFile,
    accessOf,
  };
}

function noConfig(name: string): never {
  throw new Error(`Nobody had named the config file ${name}`);
}

/** @throws {Error} as the system does; `TypeError` when it is not UTF-8. */
export function readTextFile(path: string): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(Deno.readFileSync(path));
}

function accessOf(path: string): FileAccess | null {
  try {
    const { mode, uid } = Deno.statSync(path);
    return mode === null ? null : { mode: mode & 0o777, own: uid === Deno.uid() };
  } catch {
    return null;
  }
}

/** Why a file could not be read, without the noise of the runtime: `No such file or directory`. */
export function reasonOf(thrown: unknown): string {
  if (thrown instanceof TypeError) return "Not UTF-8";
  return messageOf(thrown).replace(/ \(os error \d+\).*$/s, "");
}

/**
 * The name of a gateway that was given none: its host name and four hex digits of a hash of the machine id, since gateways made from one
 * image often share their host name. A machine without an id (`/etc/machine-id`) goes by its host name alone.
 */
export function defaultGateway(surroundings: Surroundings): string {
  const host = surroundings.hostname().replace(/[^A-Za-z0-9._-]/g, "-").slice(0, 80) || "gateway";
  try {
    const machineId = surroundings.readTextFile("/etc/machine-id").trim();
    if (machineId === "") return host;
    // Hashed, since the id itself is meant to stay on the machine (machine-id(5)).
    return `${host}-${createHash("sha256").update(`weir:${machineId}`).digest("hex").slice(0, 4)}`;
  } catch {
    return host;
  }
}
