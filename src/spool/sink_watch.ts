/**
 * What the sink has and does not get on with. A reading that it has had for `stallMs` without a verdict makes its topic stand still:
 * what is in memory of the topic is written to the disk, and then the sink is asked to give back what it has not begun to send. What it
 * keeps is held there; each topic goes on when all that it waits for has its verdict.
 *
 * When there was no answer at all for as long, the sink counts as away, and all topics stand still.
 *
 * @module
 */
import type { Clock, Timer } from "../core/clock.ts";
import type { Item, Reading } from "../core/reading.ts";
import type { Books } from "./books.ts";
import { type Entry, type Topic, topicIn } from "./entry.ts";

/** What a watch works with. */
export interface SinkWatchParts {
  readonly clock: Clock;
  readonly books: Pick<Books, "known" | "passing" | "enterPassing">;
  readonly topics: Map<string, Topic>;
  readonly options: { readonly heldRowsMax: number; readonly heldBytesMax: number };
  /** Whether readings could be written now. */
  readonly isOn: () => boolean;
  readonly takeBack: (readings: ReadonlySet<Reading>) => ReadonlyMap<Reading, Reading>;
  readonly release: (rows: number, bytes: number) => void;
  /** Topics of these sources stand still from now on: nothing of them is to go to the sink, and what is in memory of them to the disk. */
  readonly stoodStill: (sources: ReadonlySet<string>) => void;
  /** This topic goes on. */
  readonly wentOn: (topic: Topic) => void;
  /** The sink gave this one back: it is on disk only. */
  readonly givenBack: (entry: Entry) => void;
  /** Something changed: more may be sent. */
  readonly progressed: () => void;
}

/** Watches the sink. */
export interface SinkWatch {
  /** Nothing has been answered for a while. */
  readonly away: boolean;
  /** The last verdict was long in coming. */
  readonly slow: boolean;
  /** Something went to the sink. */
  sent(): void;
  /** The sink answered. */
  answered(): void;
  /** An entry has its verdict. */
  settled(entry: Entry): void;
  /** A reading that passed by was delivered; `passing` does not know it yet. */
  passed(item: Item): void;
  /** Asks the sink for what topics that stand still have in it, once all of that is on disk. */
  askBack(): void;
  close(): void;
}

/** Without a verdict for so long, a reading is written to the disk. */
export const stallMs = 5_000;
/**
 * A sink that takes so long for a verdict is slow: with 2,000 readings in flight, the default, it takes less than 2,000 a second. Where
 * readings come faster than this machine can handle them the sink is not slow, and the disk would only add to its work.
 */
export const slowMs = 1_000;
/** Looked again no sooner. */
const lookAgainMs = 1_000;

/** Makes a {@linkcode SinkWatch}. */
export function createSinkWatch(parts: SinkWatchParts): SinkWatch {
  const { clock, books, topics, options } = parts;
  const { known, passing } = books;
  const toAsk = new Set<Topic>();
  let away = false;
  let answeredMs = -Infinity;
  let tookMs = 0;
  let timer: Timer | null = null;
  let heldRows = 0;
  let heldBytes = 0;
  let closed = false;

  function look(): void {
    timer = null;
    const nowMs = clock.nowMs();
    if (parts.isOn() && nowMs - oldestSentMs() >= stallMs) {
      books.enterPassing();
      away = nowMs - answeredMs >= stallMs;
      const isStuck = away
        ? (entry: Entry) => isWatched(entry) || entry.place === "live"
        : (entry: Entry) => isWatched(entry) && nowMs - entry.sentMs >= stallMs;
      standStill(new Set([...known.values()].filter(isStuck).map(({ source }) => source)));
    }
    const dueMs = oldestSentMs() + stallMs;
    if (dueMs < Infinity) lookAfter(Math.max(lookAgainMs, dueMs - nowMs));
  }

  /** Since when the first waits of what is watched. */
  function oldestSentMs(): number {
    let oldestMs = passing.oldestSentMs;
    for (const entry of known.values()) if (isWatched(entry)) oldestMs = Math.min(oldestMs, entry.sentMs);
    return oldestMs;
  }

  function lookAfter(delayMs: number): void {
    if (timer === null && !closed) timer = clock.after(delayMs, look);
  }

  function standStill(sources: ReadonlySet<string>): void {
    for (const source of sources) {
      const topic = topicIn(topics, source);
      topic.still = true;
      topic.asked = false;
      toAsk.add(topic);
    }
    parts.stoodStill(sources);
    askBack();
  }

  function askBack(): void {
    const ready = [...toAsk].filter((topic) => topic.older.size === 0);
    if (ready.length === 0 || closed) return;
    for (const topic of ready) {
      toAsk.delete(topic);
      topic.asked = true;
    }
    // While the disk took nothing some may have been let go: what the sink has not got yet must not get there before what it gives back.
    parts.stoodStill(new Set(ready.map(({ source }) => source)));
    const asked: Entry[] = [];
    const readings = new Set<Reading>();
    for (const entry of known.values()) {
      const { item, source, durable } = entry;
      if (!durable || !isWatched(entry) || item.kind !== "reading") continue;
      if (topics.get(source)?.asked !== true) continue;
      asked.push(entry);
      readings.add(item);
    }
    const freed = readings.size === 0 ? { rows: 0, bytes: 0 } : sort(asked, parts.takeBack(readings));
    for (const topic of ready) goOnWhenFree(topic);
    if (freed.rows > 0) parts.release(freed.rows, freed.bytes);
  }

  /** Divides what was asked for into given back and held. */
  function sort(asked: readonly Entry[], given: ReadonlyMap<Reading, Reading>): { rows: number; bytes: number } {
    const freed = { rows: 0, bytes: 0 };
    const free = (entry: Entry) => {
      if (!entry.credit) return;
      entry.credit = false;
      freed.rows += 1;
      freed.bytes += entry.item.bytes;
    };
    for (const entry of asked) {
      const { item, source } = entry;
      const ahead = item.kind === "reading" ? given.get(item) : undefined;
      const topic = topics.get(source);
      if (topic === undefined) throw new Error("A topic that stands still is not known");
      if (ahead === undefined) {
        entry.held = true;
        block(topic, entry);
        if (heldRows >= options.heldRowsMax || heldBytes >= options.heldBytesMax) continue;
        heldRows += 1;
        heldBytes += item.bytes;
        free(entry);
        continue;
      }
      free(entry);
      const inTheWay = known.get(ahead);
      // What waited for this one waits for what it waits for.
      for (const waiting of [topic, ...entry.blocks.splice(0)]) {
        waiting.blockers.delete(entry);
        if (inTheWay !== undefined) block(waiting, inTheWay);
      }
      parts.givenBack(entry);
    }
    return freed;
  }

  function block(topic: Topic, entry: Entry): void {
    if (topic.blockers.has(entry)) return;
    topic.blockers.add(entry);
    entry.blocks.push(topic);
  }

  function goOnWhenFree(topic: Topic): void {
    if (!topic.still || !topic.asked || topic.blockers.size > 0) return;
    topic.still = false;
    topic.asked = false;
    parts.wentOn(topic);
  }

  return {
    get away() {
      return away;
    },
    get slow() {
      return tookMs >= slowMs;
    },
    sent: () => lookAfter(stallMs),
    answered() {
      answeredMs = clock.nowMs();
      if (!away) return;
      away = false;
      queueMicrotask(parts.progressed);
    },
    settled(entry) {
      if (entry.place === "sink" && !entry.held) tookMs = answeredMs - entry.sentMs;
      entry.place = "gone";
      if (entry.held && !entry.credit) {
        heldRows -= 1;
        heldBytes -= entry.item.bytes;
      }
      const older = topics.get(entry.source)?.older;
      if (older?.has(entry) === true && !entry.writing) {
        entry.wanted = false;
        older.delete(entry);
        if (older.size === 0) queueMicrotask(askBack);
      }
      for (const topic of entry.blocks.splice(0)) {
        topic.blockers.delete(entry);
        goOnWhenFree(topic);
      }
    },
    passed(item) {
      // No verdict took longer than the oldest has waited: which run it was of matters only when that is long.
      const mostMs = answeredMs - passing.oldestSentMs;
      tookMs = mostMs < slowMs ? mostMs : answeredMs - (passing.sentMsOf(item) ?? answeredMs);
    },
    askBack,
    close() {
      closed = true;
      timer?.cancel();
    },
  };
}

/** In the sink, and expected to get its verdict soon. */
function isWatched({ place, held, refused }: Entry): boolean {
  return place === "sink" && !held && !refused;
}
