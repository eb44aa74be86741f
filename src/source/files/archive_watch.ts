/**
 * A writer may pause for longer than the quiet time and write on after its file was archived: the rename does not stop it. So an archived
 * file is looked at for one more period; when it grew, and stands still again, it is read on from where it ended.
 *
 * @module
 */
import type { FileRecord } from "../../core/store.ts";
import { type Disk, type Facts, isSystemError } from "./disk.ts";
import type { ListedFile } from "./folder.ts";
import { identityOf, sameInode } from "./identity.ts";

/** Archived files under watch. */
export interface ArchiveWatch {
  add(record: FileRecord, archivedAt: string, nowMs: number): void;
  /** Looks at all of them and returns those that grew and stand still again; these are not watched any more. */
  look(nowMs: number): Promise<readonly ListedFile[]>;
}

/** Files watched at once; when there are more, the oldest are let go. */
export const watchedMax = 1000;

interface Watched {
  readonly record: FileRecord;
  readonly archivedAt: string;
  readonly untilMs: number;
  sizeBytes: number;
  changedMs: number;
}

/** Makes an {@linkcode ArchiveWatch} with this period. */
export function createArchiveWatch(disk: Disk, quietMs: number): ArchiveWatch {
  let all: Watched[] = [];

  /** Whether it is to be watched on. */
  function keep(one: Watched, facts: Facts | null, nowMs: number): facts is Facts {
    if (facts === null || !sameInode(identityOf(facts), one.record.identity)) return false;
    if (facts.sizeBytes !== one.sizeBytes) {
      one.sizeBytes = facts.sizeBytes;
      one.changedMs = nowMs;
    }
    return one.sizeBytes > one.record.identity.sizeBytes || nowMs < one.untilMs;
  }

  return {
    add(record, archivedAt, nowMs) {
      const { sizeBytes } = record.identity;
      all.push({ record, archivedAt, untilMs: nowMs + quietMs, sizeBytes, changedMs: nowMs });
      if (all.length > watchedMax) all.shift();
    },
    async look(nowMs) {
      const grown: ListedFile[] = [];
      const kept: Watched[] = [];
      for (const one of all.splice(0)) {
        const facts = await disk.facts(one.archivedAt).catch((error) => {
          if (isSystemError(error)) return null;
          throw error;
        });
        if (!keep(one, facts, nowMs)) continue;
        const grew = one.sizeBytes > one.record.identity.sizeBytes;
        if (grew && nowMs - one.changedMs >= quietMs) {
          grown.push({ path: one.record.path, fullPath: one.archivedAt, facts, mtimeMs: facts.mtimeMs });
        } else kept.push(one);
      }
      all = [...kept, ...all];
      return grown;
    },
  };
}
