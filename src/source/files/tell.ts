/**
 * What is said about files.
 *
 * @module
 */
import { messageOf } from "../../core/error.ts";
import type { Emit } from "../../core/event.ts";
import type { FileRecord } from "../../core/store.ts";
import { formatBytes, formatCount, formatDuration, printable, quoted } from "../../core/text.ts";
import type { AtEnd } from "./file_status.ts";
import type { ListedFile } from "./folder.ts";
import type { Recognised } from "./recognise.ts";
import type { Trimmed } from "./retention.ts";

/** A file is being read. */
export function tellBegun(
  emit: Emit,
  folder: string,
  found: Recognised & { readonly kind: "read" },
  file: ListedFile,
): void {
  const { record, why } = found;
  const data = { folder, path: printable(file.path), bytes: file.facts.sizeBytes, file_id: record.fileId };
  const size = formatBytes(file.facts.sizeBytes);
  const row = formatCount(record.checkpoint?.row ?? 0);
  if (why === "new") emit("info", "files.file_started", `Reading ${quoted(file.path)} (${size})`, data);
  else if (why === "grown") {
    const message = `File ${quoted(file.path)} grew after it was read; reading on after row ${row}. ` +
      "Its writer pauses longer than the quiet time";
    emit("warn", "files.file_grew", message, data);
  } else emit("info", "files.file_resumed", `Reading ${quoted(file.path)} (${size}) on after row ${row}`, data);
}

/** All rows of a file are home. */
export function tellFinished(emit: Emit, record: FileRecord, wallMs: number, { verdict, overdueMs }: AtEnd): void {
  const { read, delivered, filtered, deadLettered, dropped } = record.counts;
  const durationMs = Math.max(0, wallMs - record.firstSeenAtMs);
  const parts = [
    `${formatCount(delivered)} delivered`,
    filtered > 0 ? `${formatCount(filtered)} filtered` : "",
    deadLettered > 0 ? `${formatCount(deadLettered)} dead-lettered` : "",
    dropped > 0 ? `${formatCount(dropped)} dropped` : "",
  ].filter((part) => part !== "").join(", ");
  const late = overdueMs === null || overdueMs <= 0 ? "" : `, late: ${formatDuration(overdueMs)} after its deadline`;
  const message = `Finished ${quoted(record.path)}: ${formatCount(read)} rows in ${
    formatDuration(durationMs)
  } (${parts})${late}`;
  emit("info", "files.file_finished", message, {
    folder: record.folder,
    path: printable(record.path),
    file_id: record.fileId,
    rows: read,
    delivered,
    filtered,
    dead_lettered: deadLettered,
    dropped,
    duration_ms: Math.round(durationMs),
    verdict,
  });
}

/** A file has the same bytes as one that is finished. */
export function tellDuplicate(emit: Emit, folder: string, file: ListedFile, of: FileRecord): void {
  const message = `File ${quoted(file.path)} has the same bytes as ${
    quoted(of.path)
  }, which is finished; its rows are not sent again`;
  emit("warn", "files.file_duplicated", message, { folder, path: printable(file.path), same_as: printable(of.path) });
}

/** A file was taken away by somebody else before the step after. */
export function tellGone(emit: Emit, record: FileRecord): void {
  const message = `File ${
    quoted(record.path)
  } was taken away by somebody else while it was read; all its rows were sent`;
  emit("warn", "files.file_vanished", message, { folder: record.folder, path: printable(record.path) });
}

/** Archived files were removed. */
export function tellTrimmed(emit: Emit, folder: string, trimmed: Trimmed): void {
  const message = `Removed ${formatCount(trimmed.files)} archived files (${formatBytes(trimmed.bytes)}) of ${
    quoted(folder)
  }`;
  emit("info", "files.archive_trimmed", message, { folder, ...trimmed });
}

/** Archived files should have been removed. */
export function tellTrimFailed(emit: Emit, folder: string, error: Error): void {
  const message = `Cannot remove archived files of ${quoted(folder)}: ${
    printable(messageOf(error))
  }; trying again in an hour`;
  emit("warn", "files.archive_trim_failed", message, { folder });
}
