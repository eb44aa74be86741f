/**
 * A machine made of an environment and a few files.
 *
 * @module
 */
import { loadConfigReader } from "../../src/config/config_file.ts";
import type { Surroundings } from "../../src/config/surroundings.ts";

const readConfig = await loadConfigReader();

/** What is there; paths are absolute. */
export interface FakeMachine {
  readonly environment?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
  readonly hostname?: string;
  /** Permission bits of files; those not named here have 0600. */
  readonly modes?: Readonly<Record<string, number>>;
}

/** Makes the machine. Its working folder is `/place`; a file whose text is `denied` may not be read. */
export function fakeMachine(
  { environment = {}, files = {}, hostname = "box", modes = {} }: FakeMachine = {},
): Surroundings {
  return {
    environment,
    folder: "/place",
    hostname: () => hostname,
    readConfig,
    readTextFile(path) {
      const text = files[path];
      if (text === undefined) throw new Deno.errors.NotFound("No such file or directory (os error 2): readfile");
      if (text === "denied") throw new Deno.errors.PermissionDenied("Permission denied (os error 13): readfile");
      return text;
    },
    accessOf: (path) => files[path] === undefined ? null : { mode: modes[path] ?? 0o600, own: true },
  };
}
