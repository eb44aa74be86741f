/**
 * The flow of one folder: the rows that were read ahead and wait for the scheduler. It is small on purpose. The reader waits for room in
 * it, and that is all the back-pressure there is: what the scheduler does not take is not read.
 *
 * @module
 */
import type { Flow } from "../../core/flow.ts";
import type { Item } from "../../core/reading.ts";
import type { FileDelivery } from "./file_delivery.ts";

/** A {@linkcode Flow} that is filled by a reader. */
export interface RowBuffer extends Flow<Item> {
  /** Rows that fit in now; 0 also when the bytes are used up. */
  room(): number;
  /** Adds an item of a file. Items of one file are added in order, and no file comes back after another. */
  push(delivery: FileDelivery, item: Item): void;
  /** Forgets the items of a file, or of all, that were not taken. Returns how many. */
  forget(delivery?: FileDelivery): number;
  /** Items of a file that wait. */
  waiting(delivery: FileDelivery): number;
}

/** How large it may become, and how the scheduler sees it. */
export interface RowBufferOptions {
  readonly name: string;
  readonly weight: number;
  readonly capRows: number | null;
  readonly rowsMax: number;
  readonly bytesMax: number;
  /** Called after something was taken. */
  readonly taken: () => void;
}

/** Items of one file, in order; those before `next` are taken already. */
interface Segment {
  readonly delivery: FileDelivery;
  readonly items: Item[];
  next: number;
}

/** Makes a {@linkcode RowBuffer}. */
export function createRowBuffer(options: RowBufferOptions): RowBuffer {
  let segments: Segment[] = [];
  let rows = 0;
  let bytes = 0;

  function takeFrom(segment: Segment, into: Item[], rowsMax: number, bytesMax: number): number {
    let taken = 0;
    let takenBytes = 0;
    for (
      let item = segment.items[segment.next];
      item !== undefined && taken < rowsMax;
      item = segment.items[segment.next]
    ) {
      if (takenBytes + item.bytes > bytesMax && into.length > 0) break;
      into.push(item);
      takenBytes += item.bytes;
      taken += 1;
      segment.next += 1;
    }
    segment.delivery.taken(taken);
    rows -= taken;
    bytes -= takenBytes;
    return takenBytes;
  }

  return {
    name: options.name,
    lane: "files",
    weight: options.weight,
    capRows: options.capRows,
    ready: () => rows,
    room: () => bytes >= options.bytesMax ? 0 : options.rowsMax - rows,
    take(maxRows, maxBytes) {
      const into: Item[] = [];
      let bytesLeft = maxBytes;
      for (let segment = segments[0]; segment !== undefined && into.length < maxRows; segment = segments[0]) {
        bytesLeft -= takeFrom(segment, into, maxRows - into.length, bytesLeft);
        if (segment.next < segment.items.length) break;
        segments.shift();
      }
      // What was taken is let go of once it is more than what stays, so that a segment never holds on to a whole file.
      const first = segments[0];
      if (first !== undefined && first.next > first.items.length / 2) {
        first.items.splice(0, first.next);
        first.next = 0;
      }
      if (into.length > 0) options.taken();
      return into;
    },
    push(delivery, item) {
      const last = segments.at(-1);
      if (last?.delivery === delivery) last.items.push(item);
      else segments.push({ delivery, items: [item], next: 0 });
      rows += 1;
      bytes += item.bytes;
    },
    forget(delivery) {
      const gone = segments.filter((segment) => delivery === undefined || segment.delivery === delivery);
      segments = segments.filter((segment) => !gone.includes(segment));
      const items = gone.flatMap((segment) => segment.items.slice(segment.next));
      rows -= items.length;
      bytes -= items.reduce((sum, item) => sum + item.bytes, 0);
      return items.length;
    },
    waiting(delivery) {
      const segment = segments.find((one) => one.delivery === delivery);
      return segment === undefined ? 0 : segment.items.length - segment.next;
    },
  };
}
