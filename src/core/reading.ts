/**
 * What flows through the program. A source turns what it reads into items, in order; each item belongs to a delivery and is settled
 * there, whatever becomes of it. Bad and filtered rows are items too: they pass the cap like good ones.
 *
 * @module
 */
import type { Delivery, Origin } from "./delivery.ts";

/** The fields of a reading, in the order in which they leave. Values are JSON values. Made without a prototype: `__proto__` is just a field. */
export type Fields = Record<string, unknown>;

/** What all items share. */
interface ItemBase {
  readonly delivery: Delivery;
  /** Index inside the delivery, from 0. */
  readonly index: number;
  /** Size in bytes that credits and byte caps count: of `value` for a reading, of the raw bytes for the others. */
  readonly bytes: number;
}

/**
 * A reading as bytes: its JSON text and behind it its id, in a page that many readings share. A sink that sends bytes copies them and makes
 * no text. Neither the page nor the reading changes before the reading has its verdict; afterwards both are another's.
 */
export interface PackedReading {
  readonly page: Uint8Array;
  /** The JSON text in UTF-8, without white space: `[from, valueEnd)` of the page. */
  readonly from: number;
  readonly valueEnd: number;
  /** The id: `[valueEnd, idEnd)`. */
  readonly idEnd: number;
}

/** A good one: normalized, through the rules, ready to send. */
export interface Reading extends ItemBase {
  readonly kind: "reading";
  /** `weir.id`. A file row: `<gateway>/<file id>/<byte offset>`, the same after any restart. A stream reading: `<gateway>/<boot>/<counter>`. */
  readonly id: string;
  readonly fields: Fields;
  /** The JSON text that is sent: `fields` with the source's digits. */
  readonly value: string;
  /**
   * The same as bytes, when it was made so: `fields`, `value` and `id` are then made of these bytes at each call, and are what they are
   * until the verdict. Who needs them longer keeps what the call gave.
   */
  readonly packed?: PackedReading;
  /** Row number in the file, header not counted, from 1; for MQTT the index in the payload's array, from 0. */
  readonly row: number;
  /** Byte offset of the row in the (inflated) file; -1 for MQTT. */
  readonly byte: number;
  /** Monotonic ms at which it came in: the delay of a stream is measured from here. */
  readonly arrivedMs: number;
  /** An MQTT redelivery (DUP) whose first delivery this process does not know: it may have been sent before a restart. */
  readonly redelivered: boolean;
}

/** One that the operator's filter turned away. */
export interface Filtered extends ItemBase {
  readonly kind: "filtered";
}

/** One that cannot be used: it goes to the dead letters. */
export interface Misfit extends ItemBase {
  readonly kind: "misfit";
  readonly letter: DeadLetter;
}

/** What a flow carries. */
export type Item = Reading | Filtered | Misfit;

/** All reasons for which something is a dead letter. */
export const reasons = [
  /** Not JSON, or JSON that is not an object, array of objects or scalar. */
  "bad_json",
  /** A CSV row with too many or too few cells, a stray quote, a quote that is never closed. */
  "bad_csv",
  "invalid_utf8",
  /** A row or payload over the size limit. */
  "too_long",
  "missing_field",
  "wrong_type",
  /** A field that the schema does not know, with `--extra reject`. */
  "extra_field",
  /** A `--set` or `--filter` expression failed on this reading. */
  "rule_error",
  /** The topic fits no template. */
  "topic_mismatch",
  /** Kafka (or the sink) refuses the record for its size. */
  "too_large",
  /** The topic that the template gives is not on the allow-list or not a legal name. */
  "bad_topic",
  /** The sink refuses this one record for another reason of its own. */
  "rejected",
] as const;

/** Why something is a dead letter. */
export type Reason = typeof reasons[number];

/** Something that could not be forwarded, with all that a person needs to understand it and a replay needs to try again. */
export interface DeadLetter {
  /** `weir.id` of the reading it would have been. */
  readonly id: string;
  readonly reason: Reason;
  /** What was wrong, with the value seen. Hostile text may be inside: escape before printing. */
  readonly detail: string;
  readonly origin: Origin;
  /** MQTT topic or path of the file. */
  readonly source: string;
  /** Row number in the file, from 1, or index in the payload's array; null when it has none. */
  readonly row: number | null;
  /** Byte offset in the (inflated) file; null for MQTT. */
  readonly byte: number | null;
  /** Name of the decoder that read it (`csv`, `ndjson`, `json`, `payload`), or `reading` when `raw` is a finished reading that the sink refused. */
  readonly decoder: string;
  /** The CSV header in force, else null. */
  readonly header: readonly string[] | null;
  /** CSV: what sets the cells apart. Absent where there is none, or where it is not known any more. */
  readonly delimiter?: string;
  /** The bytes as they came. */
  readonly raw: Uint8Array;
  /** Wall-clock ms at which it came in. */
  readonly arrivedAtMs: number;
}
