/**
 * What packed readings of all sources have in common: the JSON text and the id stand as bytes in a page that many share.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { writeNumber } from "./digits.ts";
import { ownFieldsOf } from "./own_fields.ts";
import type { Fields, PackedReading } from "./reading.ts";

/** A class, for its getters cost nothing a reading: texts are made only for who asks. The id begins where the JSON text ends. Only who made it writes to it. */
export abstract class PackedText implements PackedReading {
  constructor(public page: Uint8Array, public from: number, public valueEnd: number, public idEnd: number) {}

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

/** Writes an id: what all of one origin begin with, and a number; returns the position behind it. */
export function writeId(prefix: Uint8Array, number: number, page: Uint8Array, at: number): number {
  for (let i = 0; i < prefix.length; i++) page[at + i] = prefix[i] ?? 0;
  return writeNumber(number, page, at + prefix.length);
}

function textOf(page: Uint8Array, from: number, to: number): string {
  return Buffer.from(page.buffer, page.byteOffset + from, to - from).toString("utf8");
}
