/**
 * What packed readings of all sources have in common: the JSON text and the id stand as bytes in a page that many share.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { ownFieldsOf } from "./own_fields.ts";
import type { Fields, PackedReading } from "./reading.ts";

/** A class, for its getters cost nothing a reading: texts are made only for who asks. The id begins where the JSON text ends. */
export abstract class PackedText implements PackedReading {
  constructor(readonly page: Uint8Array, readonly from: number, readonly valueEnd: number, readonly idEnd: number) {}

  get kind(): "reading" {
    return "reading";
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
