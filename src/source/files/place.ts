/**
 * Where a file goes on, as the sink keeps it: the file's record as text. Read back, it brings the ledger up to date, so that everything
 * else goes by the ledger alone.
 *
 * @module
 */
import type { Place } from "../../core/chunk.ts";
import { isDecoderState } from "../../core/decoder_state.ts";
import type { CheckpointStore, FileCounts, FileIdentity, FileRecord } from "../../core/store.ts";

/** The form of the text. */
const version = 1;

/** The place of a file that is read. */
export function placeOf(gateway: string, record: FileRecord): Place {
  const { fileId, folder, path, identity, checkpoint, counts, firstSeenAtMs, updatedAtMs, movedTo } = record;
  const file = { fileId, folder, path, identity, checkpoint, counts, firstSeenAtMs, updatedAtMs, movedTo };
  return { key: `${gateway}/${fileId}`, value: JSON.stringify({ version, file }) };
}

/** The record that a place was made of; null when it is none that this version knows. */
export function recordOf({ value }: Place): FileRecord | null {
  try {
    const parsed: unknown = JSON.parse(value);
    if (!hasFields(parsed, { version: "number", file: "object" }) || parsed["version"] !== version) return null;
    const file = parsed["file"];
    return isKept(file) ? { ...file, state: "reading", sha256: null } : null;
  } catch {
    return null;
  }
}

/**
 * Brings the records of the ledger to these places, where they are behind or missing; returns how many. What is finished stays finished:
 * a finished file was finished after its last place.
 */
export async function restore(
  places: readonly Place[],
  store: Pick<CheckpointStore, "fileById" | "saveFiles">,
): Promise<number> {
  const furthest = new Map<string, FileRecord>();
  for (const place of places) {
    const record = recordOf(place);
    if (record !== null && byteOf(record) > byteOf(furthest.get(record.fileId))) furthest.set(record.fileId, record);
  }
  const behind: FileRecord[] = [];
  for (const record of furthest.values()) {
    const known = await store.fileById(record.fileId);
    if (known === null || known.state === "reading" && byteOf(known) < byteOf(record)) behind.push(record);
  }
  if (behind.length > 0) await store.saveFiles(behind);
  return behind.length;
}

function byteOf(record: FileRecord | undefined): number {
  return record?.checkpoint?.byte ?? -1;
}

type Kept = Omit<FileRecord, "state" | "sha256">;

function isKept(value: unknown): value is Kept {
  return hasFields(value, {
    fileId: "string",
    folder: "string",
    path: "string",
    firstSeenAtMs: "number",
    updatedAtMs: "number",
  }) && isIdentity(value["identity"]) && isCounts(value["counts"]) && isDecoderState(value["checkpoint"]) &&
    (value["movedTo"] === null || typeof value["movedTo"] === "string");
}

function isIdentity(value: unknown): value is FileIdentity {
  return hasFields(value, { device: "number", inode: "number", sizeBytes: "number", mtimeMs: "number" });
}

function isCounts(value: unknown): value is FileCounts {
  return hasFields(value, {
    read: "number",
    delivered: "number",
    filtered: "number",
    deadLettered: "number",
    dropped: "number",
  });
}

function hasFields(
  value: unknown,
  fields: Readonly<Record<string, "string" | "number" | "object">>,
): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false;
  const entries: Readonly<Record<string, unknown>> = { ...value };
  return Object.entries(fields).every(([name, type]) => kindOf(entries[name]) === type);
}

function kindOf(value: unknown): string {
  return typeof value;
}
