/**
 * Readings of plain payloads, packed: the JSON text and the id stand as bytes in pages that some messages share, so that a message leaves two
 * small objects behind it and no texts. A page goes when the last of its readings has its verdict.
 *
 * @module
 */
import { isUtf8 } from "node:buffer";
import { type PayloadWriter, turnedAway } from "../../core/decoder.ts";
import type { Delivery } from "../../core/delivery.ts";
import { PackedText, writeId } from "../../core/packed_text.ts";
import type { Reading } from "../../core/reading.ts";

/** When a message came in. */
export interface Moment {
  /** Monotonic ms. */
  readonly nowMs: number;
  /** Wall-clock ms. */
  readonly wallMs: number;
}

/** `left`: only the decoder and the normalizer can tell what becomes of it; `turned_away`: the operator's filter turns it away. */
export type Packed = "packed" | "turned_away" | "left";

/** Packs messages. */
export interface PackedMessages {
  /** Writes the text of a payload, and `<idPrefix><counter>` as its id. */
  write(writer: PayloadWriter, payload: Uint8Array, counter: number, moment: Moment): Packed;
  /** The reading of what was written last: the only one of its delivery. */
  reading(delivery: Delivery, moment: Moment, redelivered: boolean): Reading;
}

/** Bytes of a page: some fifty messages. Small, for one reading that the sink cannot get rid of keeps a whole page. */
const pageBytes = 8 * 1024;
const counterDigitsMax = 16;

/** Makes {@linkcode PackedMessages}. */
export function createPackedMessages(idPrefix: string): PackedMessages {
  const prefix = new TextEncoder().encode(idPrefix);
  let page = new Uint8Array(pageBytes);
  let used = 0;
  let from = 0;
  let valueEnd = 0;

  return {
    write(writer, payload, counter, { wallMs }) {
      if (!isAscii(payload) && !isUtf8(payload)) return "left";
      const needed = payload.length + writer.extraBytes() + prefix.length + counterDigitsMax;
      if (used + needed > page.length) {
        page = new Uint8Array(Math.max(pageBytes, needed));
        used = 0;
      }
      const end = writer.write(payload, wallMs, page, used);
      if (end === turnedAway) return "turned_away";
      if (end < 0) return "left";
      from = used;
      valueEnd = end;
      used = writeId(prefix, counter, page, end);
      return "packed";
    },
    reading: (delivery, moment, redelivered) =>
      new PackedMessage(delivery, moment, redelivered, page, from, valueEnd, used),
  };
}

/** Quicker than to ask `isUtf8`, for payloads as short as they are. */
function isAscii(bytes: Uint8Array): boolean {
  let all = 0;
  for (let i = 0; i < bytes.length; i++) all |= bytes[i] ?? 0;
  return all < 0x80;
}

class PackedMessage extends PackedText implements Reading {
  constructor(
    readonly delivery: Delivery,
    readonly moment: Moment,
    readonly redelivered: boolean,
    page: Uint8Array,
    from: number,
    valueEnd: number,
    idEnd: number,
  ) {
    super(page, from, valueEnd, idEnd);
  }

  get index(): number {
    return 0;
  }

  get row(): number {
    return 0;
  }

  get byte(): number {
    return -1;
  }

  get arrivedMs(): number {
    return this.moment.nowMs;
  }
}
