/**
 * The tail of a text like `/var/lib/dumps,weight=2,every=1h`: named parts behind commas. The head may hold commas itself, as topics and
 * paths may: only what looks like `,word=value` at the end is a part (no slash in the value, but for that of a rate, `200/s`).
 *
 * @module
 */
import { printable } from "../core/text.ts";
import { nearest } from "./nearest.ts";

/** A text taken apart. */
export interface Tail {
  readonly head: string;
  readonly tail: ReadonlyMap<string, string>;
  /** What is wrong with the parts, or null. */
  readonly mistake: string | null;
}

/** Takes the named parts off the end of a text. A name that is not allowed, or stands twice, is a mistake. */
export function splitTail(text: string, allowed: readonly string[]): Tail {
  const tail = new Map<string, string>();
  let head = text;
  let mistake: string | null = null;
  for (;;) {
    const [whole, name = "", value = ""] = /,([A-Za-z_-]+)=([^,/]*(?:\/s)?)$/.exec(head) ?? [];
    if (whole === undefined) return { head, tail, mistake };
    head = head.slice(0, -whole.length);
    if (!allowed.includes(name)) {
      const hint = nearest(name, allowed);
      mistake = `Unknown part "${printable(name)}": must be ${allowed.map((one) => `${one}=`).join(", ")}${
        hint === null ? "" : `. Did you mean ${hint}=?`
      }`;
    } else if (tail.has(name)) mistake = `The part ${name}= stands twice`;
    tail.set(name, value);
  }
}

/** The weight of a part; 1 when it is not given, null when it is none. */
export function tailWeight(text: string | undefined): number | null {
  if (text === undefined) return 1;
  const weight = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
  return weight >= 0.001 && weight <= 1000 ? weight : null;
}
