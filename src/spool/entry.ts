/**
 * The nouns of the spool: a reading on its way, with what is known of its whereabouts, and a topic that does not go its usual way.
 *
 * @module
 */
import type { Item } from "../core/reading.ts";

/**
 * Where a reading is: in a queue for the scheduler; waiting to be written; on disk only; read ahead from disk; in the sink; or done with.
 */
export type Place = "live" | "queue" | "disk" | "window" | "sink" | "gone";

/** A reading on its way. */
export interface Entry {
  readonly item: Item;
  readonly source: string;
  /** Order of arrival. */
  readonly number: number;
  /** Which of the flows it came by; -1: the spool's. */
  readonly flow: number;
  place: Place;
  /** It is on disk, whatever else; its delivery is settled. */
  durable: boolean;
  /** It is to be written. */
  wanted: boolean;
  /** It is in the write that is under way. */
  writing: boolean;
  /** When it went to the sink, monotonic ms. */
  sentMs: number;
  /** It stays in the sink although the sink does not get on: not to be sent again, and nothing waits for it. */
  held: boolean;
  /** The sink refused it: it is on its way to the dead letters. */
  refused: boolean;
  /** Its credit is out. */
  credit: boolean;
  /** Topics that stand still until this reading has its verdict. */
  readonly blocks: Topic[];
}

/** A reading at its beginning; one from the `window` is durable. */
export function newEntry(
  { item, source, number, flow, place }: Pick<Entry, "item" | "source" | "number" | "flow" | "place">,
): Entry {
  return {
    item,
    source,
    number,
    flow,
    place,
    durable: place === "window",
    wanted: false,
    writing: false,
    sentMs: 0,
    held: false,
    refused: false,
    credit: true,
    blocks: [],
  };
}

/** A topic with readings that are on disk or on their way there. */
export interface Topic {
  readonly source: string;
  /** Readings on disk that are not in the sink. */
  stored: number;
  /** Readings that came after this topic went to the disk, and are to be written. */
  readonly queued: Set<Entry>;
  /** Readings that were in memory by then: they are to be written before. */
  readonly older: Set<Entry>;
  /** Nothing of it goes to the sink. */
  still: boolean;
  /** The sink was asked what it gives back. */
  asked: boolean;
  /** Readings in the sink whose verdicts set it going again. */
  readonly blockers: Set<Entry>;
}

function newTopic(source: string): Topic {
  const sets = { queued: new Set<Entry>(), older: new Set<Entry>(), blockers: new Set<Entry>() };
  return { source, stored: 0, still: false, asked: false, ...sets };
}

/** The topic of a source; a new one when it went its usual way so far. */
export function topicIn(topics: Map<string, Topic>, source: string): Topic {
  const found = topics.get(source);
  if (found !== undefined) return found;
  const topic = newTopic(source);
  topics.set(source, topic);
  return topic;
}

/** Forgets a topic if it goes its usual way again. */
export function leaveIn(topics: Map<string, Topic>, { source, stored, queued, older, still }: Topic): void {
  if (stored === 0 && queued.size === 0 && older.size === 0 && !still) topics.delete(source);
}

/** The first of these older ones are on disk, and there is no room for the rest: it waits behind those, before all that came after it. */
export function queueFirst({ older, queued }: Topic, rest: readonly Entry[]): void {
  const newer = [...queued];
  queued.clear();
  for (const entry of rest) older.delete(entry);
  for (const entry of [...rest, ...newer]) queued.add(entry);
}
