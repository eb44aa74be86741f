/**
 * What the ledger knows of the files of one folder, in memory: so that listing a folder of thousands of finished files costs no query
 * and no read.
 *
 * @module
 */
import type { FileIdentity, FileRecord } from "../../core/store.ts";
import { contentOf } from "./identity.ts";

/** Finished files remembered in memory for each folder. Beyond it the ledger is asked. */
export const knownMax = 50_000;

/** An index of records. */
export interface KnownFiles {
  put(record: FileRecord): void;
  /** The record last put for this inode, or null. */
  byInode(identity: FileIdentity): FileRecord | null;
  /** Whether a finished file is known that begins with the same bytes and has the same size. */
  finishedLike(content: string, sizeBytes: number): boolean;
}

/** Makes an empty {@linkcode KnownFiles}. */
export function createKnownFiles(): KnownFiles {
  const byInode = new Map<string, FileRecord>();
  const finished = new Map<string, string>();
  return {
    put(record) {
      const key = inodeKey(record.identity);
      byInode.delete(key);
      byInode.set(key, record);
      if (record.sha256 !== null) {
        finished.set(likeness(contentOf(record.fileId), record.identity.sizeBytes), record.fileId);
      }
      trim(byInode);
      trim(finished);
    },
    byInode: (identity) => byInode.get(inodeKey(identity)) ?? null,
    finishedLike: (content, sizeBytes) => finished.has(likeness(content, sizeBytes)),
  };
}

function trim(map: Map<string, unknown>): void {
  if (map.size <= knownMax) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}

function inodeKey(identity: FileIdentity): string {
  return `${identity.device}:${identity.inode}`;
}

function likeness(content: string, sizeBytes: number): string {
  return `${content}:${sizeBytes}`;
}
