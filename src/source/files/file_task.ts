/**
 * A file from the moment it was chosen until it has left: its record as it is true at each moment, first as the reader's finished prefix
 * says, then as it is decided.
 *
 * @module
 */
import type { Clock } from "../../core/clock.ts";
import type { FileRecord } from "../../core/store.ts";
import type { FileReader } from "./file_reader.ts";
import type { ListedFile } from "./folder.ts";
import type { Leaving } from "./settling.ts";

/** A file under way. */
export interface FileTask extends Leaving {
  readonly listed: ListedFile;
  /** The record it was chosen with. */
  readonly begun: FileRecord;
  /** Its reader while its rows decide the record, else null. */
  readonly reader: FileReader | null;
  readBy(reader: FileReader): void;
}

/** Makes a {@linkcode FileTask}. `changed` is called after each decision. */
export function createFileTask(
  listed: ListedFile,
  begun: FileRecord,
  clock: Clock,
  changed: (task: FileTask) => void,
): FileTask {
  let decided = begun;
  let reader: FileReader | null = null;
  const task: FileTask = {
    fullPath: listed.fullPath,
    listed,
    begun,
    get reader() {
      return reader;
    },
    record: () => reader === null ? decided : reader.record(),
    readBy(one) {
      reader = one;
    },
    become(change) {
      decided = { ...task.record(), updatedAtMs: clock.wallMs(), ...change };
      reader = null;
      changed(task);
    },
  };
  return task;
}
