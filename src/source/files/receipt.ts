/**
 * The paper that goes with a file: beside an archived one what became of its rows, beside a quarantined one why it is there.
 *
 * @module
 */
import type { WeirError } from "../../core/error.ts";
import { printable } from "../../core/text.ts";
import type { DeadlineVerdict } from "../../core/status.ts";
import type { FileRecord } from "../../core/store.ts";

/** Ending of a receipt, after the file's full name. */
export const receiptEnding = ".receipt.json";
/** Ending of the note beside a file in `error/`. */
export const errorEnding = ".error.json";

/** What a receipt says besides the record. */
export interface ReceiptFacts {
  readonly gateway: string;
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
  readonly verdict: DeadlineVerdict;
  /** First byte of the first row that was read, when it was read by this process. */
  readonly firstByte: number | null;
}

/** The text of a receipt. `read = delivered + filtered + dead_lettered + dropped`. */
export function receiptText(record: FileRecord, facts: ReceiptFacts): string {
  const durationMs = Math.max(0, facts.finishedAtMs - facts.startedAtMs);
  return json({
    version: 1,
    ...whichFile(record, facts.gateway),
    ...counts(record),
    first_byte: facts.firstByte,
    end_byte: record.checkpoint?.byte ?? 0,
    started_at: new Date(facts.startedAtMs).toISOString(),
    finished_at: new Date(facts.finishedAtMs).toISOString(),
    duration_ms: Math.round(durationMs),
    rows_per_second: durationMs === 0 ? null : Math.round(record.counts.read * 1_000_000 / durationMs) / 1000,
    verdict: facts.verdict,
  });
}

/** The text of a note beside a quarantined file. */
export function errorText(record: FileRecord, error: WeirError, gateway: string, atMs: number): string {
  return json({
    version: 1,
    ...whichFile(record, gateway),
    reason: printable(error.message, 2000),
    advice: error.advice ?? null,
    ...counts(record),
    row: record.checkpoint?.row ?? 0,
    offset: record.checkpoint?.byte ?? 0,
    unread: "rows after this row and offset were not read",
    at: new Date(atMs).toISOString(),
  });
}

function whichFile(record: FileRecord, gateway: string): Record<string, unknown> {
  return {
    file: record.path,
    folder: record.folder,
    file_id: record.fileId,
    gateway,
    size_bytes: record.identity.sizeBytes,
    mtime: new Date(record.identity.mtimeMs).toISOString(),
    sha256: record.sha256,
    ...inEncoding(record),
  };
}

/** Offsets are those of the text in UTF-8: of a file in another encoding it must be said which. */
function inEncoding({ checkpoint }: FileRecord): Record<string, unknown> {
  const encoding = checkpoint?.encoding;
  return encoding === undefined ? {} : { encoding };
}

function counts(record: FileRecord): Record<string, number> {
  const { read, delivered, filtered, deadLettered, dropped } = record.counts;
  return { read, delivered, filtered, dead_lettered: deadLettered, dropped };
}

function json(value: unknown): string {
  return JSON.stringify(value, null, 2) + "\n";
}
