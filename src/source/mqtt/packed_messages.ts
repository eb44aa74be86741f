/**
 * Readings of plain payloads, packed: the JSON text and the id stand as bytes in pages that some messages share, so that a message leaves two
 * small objects behind it and no texts. A page goes when the last of its readings has its verdict.
 *
 * @module
 */
import { Buffer, isUtf8 } from "node:buffer";
import { type PayloadWriter, turnedAway } from "../../core/decoder.ts";
import type { Delivery } from "../../core/delivery.ts";
import { writeNumber } from "../../core/digits.ts";
import { ownFieldsOf } from "../../core/own_fields.ts";
import type { Fields, PackedReading, Reading } from "../../core/reading.ts";

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
      const needed = payload.length + writer.extraBytes + prefix.length + counterDigitsMax;
      if (used + needed > page.length) {
        page = new Uint8Array(Math.max(pageBytes, needed));
        used = 0;
      }
      const end = writer.write(payload, wallMs, page, used);
      if (end === turnedAway) return "turned_away";
      if (end < 0) return "left";
      from = used;
      valueEnd = end;
      for (let i = 0; i < prefix.length; i++) page[end + i] = prefix[i] ?? 0;
      used = writeNumber(counter, page, end + prefix.length);
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

/** A class, for its getters cost nothing a message: texts are made only for who asks. */
class PackedMessage implements Reading, PackedReading {
  constructor(
    readonly delivery: Delivery,
    readonly moment: Moment,
    readonly redelivered: boolean,
    readonly page: Uint8Array,
    readonly from: number,
    readonly valueEnd: number,
    readonly idEnd: number,
  ) {}

  get kind(): "reading" {
    return "reading";
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

  get packed(): PackedReading {
    return this;
  }

  get bytes(): number {
    return this.valueEnd - this.from;
  }

  get value(): string {
    return textOf(this.page, this.from, this.valueEnd);
  }

  get id(): string {
    return textOf(this.page, this.valueEnd, this.idEnd);
  }

  get fields(): Fields {
    return ownFieldsOf(JSON.parse(this.value));
  }
}

function textOf(page: Uint8Array, from: number, to: number): string {
  return Buffer.from(page.buffer, page.byteOffset + from, to - from).toString("utf8");
}
