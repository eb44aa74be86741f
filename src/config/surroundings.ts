/**
 * What the settings take from the machine: environment, working folder, host name, files. Passed in, so that tests have a machine of
 * their own.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { messageOf } from "../core/error.ts";

/** The machine, as far as the settings look at it. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string>>;
  /** Absolute path of the working folder. */
  readonly folder: string;
  hostname(): string;
  /** @throws {Error} as the system does: not found, no permission, a folder. */
  readTextFile(path: string): string;
}

/** The machine that the program runs on. */
export function machine(): Surroundings {
  return {
    environment: Deno.env.toObject(),
    folder: Deno.cwd(),
    hostname: () => Deno.hostname(),
    readTextFile: (path) => new TextDecoder("utf-8", { fatal: true }).decode(Deno.readFileSync(path)),
  };
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
