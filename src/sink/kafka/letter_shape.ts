/**
 * A dead letter as a record: the bytes as they came as value, reason and place as headers. Its key is its `weir.id`.
 *
 * @module
 */
import type { DeadLetter } from "../../core/reading.ts";
import type { RecordShape } from "./record_batch.ts";

/** Value and headers. What is not known of a letter has no header. */
export const letterShape: RecordShape<DeadLetter> = {
  value: () => null,
  valueBytes: (letter) => letter.raw.length,
  raw: (letter) => letter.raw,
  headers: [
    { name: "weir.id", text: (letter) => letter.id },
    { name: "weir.reason", text: (letter) => letter.reason },
    { name: "weir.detail", text: (letter) => letter.detail },
    { name: "weir.origin", text: (letter) => letter.origin },
    { name: "weir.source", text: (letter) => letter.source },
    { name: "weir.row", text: (letter) => letter.row?.toString() ?? null },
    { name: "weir.byte", text: (letter) => letter.byte?.toString() ?? null },
  ],
};
