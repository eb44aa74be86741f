/**
 * A small file in the state folder: which MQTT filters the broker's session for a client id may hold. Not in the state file: that one is
 * set aside whole when it is damaged, and this has nothing to do with it.
 *
 * @module
 */
import { ensureStateDir, stateDirError } from "./state_dir.ts";
import { quoted } from "../core/text.ts";

/** Larger ones are none of ours. */
const fileBytesMax = 16 * 1024 ** 2;

/** Reads and writes it. */
export interface FilterFile {
  /** Empty where there is none, it is not understood, or it is of another client id. Never rejects. */
  read(): Promise<readonly string[]>;
  /**
   * Replaces it; durable when it resolves.
   *
   * @throws {WeirError} `permission`, `storage` (as a rejection)
   */
  write(filters: readonly string[]): Promise<void>;
}

/** The file for this client id in this state folder: `mqtt-filters.json`. */
export function filterFile(stateDir: string, clientId: string): FilterFile {
  const path = `${stateDir}/mqtt-filters.json`;
  return {
    async read() {
      try {
        if ((await Deno.stat(path)).size > fileBytesMax) return [];
        const kept: unknown = JSON.parse(await Deno.readTextFile(path));
        return isKept(kept) && kept.clientId === clientId ? kept.filters : [];
      } catch {
        // Nothing hangs on it but an UNSUBSCRIBE: messages that fit no template say the same later.
        return [];
      }
    },
    async write(filters) {
      await ensureStateDir(stateDir);
      const unfinished = `${path}.new`;
      try {
        using file = await Deno.open(unfinished, { write: true, create: true, truncate: true, mode: 0o600 });
        const bytes = new TextEncoder().encode(JSON.stringify({ clientId, filters }) + "\n");
        for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
        await file.sync();
        await Deno.rename(unfinished, path);
      } catch (thrown) {
        throw stateDirError(`Cannot write ${quoted(path)}`, thrown);
      }
    },
  };
}

interface Kept {
  readonly clientId: string;
  readonly filters: readonly string[];
}

function isKept(value: unknown): value is Kept {
  return typeof value === "object" && value !== null && "clientId" in value && "filters" in value &&
    Array.isArray(value.filters) && value.filters.every((filter) => typeof filter === "string");
}
