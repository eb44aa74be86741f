/**
 * The spool: where readings of streams wait on disk while the sink is slow or away. While all is well nothing of it is in their way, and
 * no reading touches the disk; they pass by `books.ts`, which knows of each reading once something is unusual.
 *
 *     source --> live queue ------------------> scheduler --> sink
 *                    |                             ^            |
 *                    +--> writer --> disk --> reader            +- no verdict for 5 s: written too, and held or given back
 *
 * - A reading goes to the disk when its source is half full and the sink takes long, when the sink does not answer at all, or when its
 *   topic has readings before it there. Once it is written its delivery is settled (`spooled`): the broker gets its PUBACK.
 * - What the sink has had for 5 s without a verdict is written as well. Its whole topic stands still then; of what the sink has not begun
 *   to send, it gives back all it can; the rest is *held*: the sink goes on trying it, it is never sent a second time, and its verdict
 *   removes it from the disk and sets the topics going that wait behind it.
 * - Order within a topic: numbers are given by arrival, the disk is read in their order, and the sink keeps the order in which it is given
 *   readings. So a new reading of a topic passes by the disk only when nothing of the topic is left on it but what the sink has already.
 * - Before a reading is written, what is in memory of its topic is written as well: after a crash no reading of the topic that is not on
 *   disk is older than one that is. So what the broker sends again goes behind what is on disk, like everything new.
 *
 * @module
 */
import { itemQueue } from "../core/item_queue.ts";
import type { Item } from "../core/reading.ts";
import type { SpooledReading, SpoolTotals } from "../core/spool.ts";
import { createBooks } from "./books.ts";
import type { Spool, SpoolParts } from "./contract.ts";
import { type Entry, leaveIn, newEntry, queueFirst, type Topic, topicIn } from "./entry.ts";
import { liveFlows } from "./live_flows.ts";
import { createNotices } from "./notices.ts";
import { createReader } from "./reader.ts";
import { restoredItem } from "./restored.ts";
import { createSinkWatch } from "./sink_watch.ts";
import { createWaiters } from "./waiters.ts";
import { createWriter } from "./writer.ts";

export type { Spool, SpoolParts } from "./contract.ts";
export type { WhenFull } from "./writer.ts";

/** From this share of a source's bounds on, what arrives goes to the disk when the sink is slow. */
const overflowFill = 0.5;

/** Makes a {@linkcode Spool}. */
export function createSpool(parts: SpoolParts): Spool {
  const { options, clock, tally, store } = parts;
  const enabled = options.bytesMax > 0;
  const topics = new Map<string, Topic>();
  const topicOf = (source: string) => topicIn(topics, source);
  const leave = (topic: Topic) => leaveIn(topics, topic);
  const window = itemQueue();
  const notices = createNotices(parts);
  const books = createBooks();
  const { known, passing } = books;
  let totals: SpoolTotals = { readings: 0, bytes: 0, oldestAtMs: null };
  let dropped = 0;
  /** On disk as far as we know; should the store have fewer, they were lost with a damaged file. */
  let expected = 0;
  let stopping = false;
  let closed = false;
  const waiters = createWaiters();

  const lives = liveFlows(parts.flows, isBusy);

  const writer = createWriter({
    ...parts,
    bytesMax: options.bytesMax,
    whenFull: options.whenFull,
    bytesUsed: () => totals.bytes,
    append: (readings) =>
      reader.whileWriting(readings.map(({ number }) => number), async () => {
        const now = await store.spoolAppend(readings);
        expected += readings.length;
        noteTotals(now);
        return now;
      }),
    makeRoom: (bytes) => reader.paused(() => makeRoom(bytes)),
    onWritten: written,
    onRefused: refused,
    onStuck: letGo,
  });

  const reader = createReader({
    ...parts,
    async remove(numbers) {
      const now = await store.spoolRemove(numbers);
      expected -= numbers.length;
      noteTotals(now);
      writer.roomFreed();
    },
    still: () => [...topics.values()].filter((topic) => topic.still).map(({ source }) => source),
    wanted: () => topics.size > 0 && !stopping && !watch.away,
    ahead: () => window.length,
    onRead: readAhead,
  });

  const watch = createSinkWatch({
    ...parts,
    books,
    topics,
    isOn: () => enabled && writer.stuck === null,
    stoodStill,
    wentOn,
    givenBack: toDisk,
    progressed: progress,
  });

  // --- From the source

  /** Whether anything is not as usual. */
  function isBusy(): boolean {
    return topics.size > 0 || watch.away;
  }

  function isOverflowing(): boolean {
    return watch.away || (watch.slow && parts.fill() >= overflowFill);
  }

  function route(): void {
    const begun = new Set<string>();
    lives.pull((item, flow) => {
      if (item.kind !== "reading") return lives.push(flow, item);
      const entry = books.arrival(item, flow);
      if (!goesToDisk(entry.source)) return pushLive(entry);
      const topic = topicOf(entry.source);
      if (topic.queued.size === 0) begun.add(entry.source);
      entry.place = "queue";
      topic.queued.add(entry);
      writer.add(entry, false);
    });
    if (begun.size > 0) cover(begun);
  }

  function goesToDisk(source: string): boolean {
    const topic = topics.get(source);
    if (topic !== undefined && (topic.still || topic.queued.size > 0 || topic.stored > 0)) return true;
    return writer.stuck === null && isOverflowing();
  }

  /** What is in memory of these topics is written before anything newer of them. */
  function cover(sources: ReadonlySet<string>): void {
    for (const entry of known.values()) {
      if (entry.durable || entry.wanted || entry.refused || !sources.has(entry.source)) continue;
      topicOf(entry.source).older.add(entry);
      writer.add(entry, true);
    }
  }

  function pushLive(entry: Entry): void {
    entry.place = "live";
    known.set(entry.item, entry);
    lives.push(entry.flow, entry.item);
  }

  // --- To the disk

  function written(entries: readonly Entry[]): void {
    let least = Infinity;
    for (const entry of entries) {
      least = Math.min(least, entry.number);
      const topic = topicOf(entry.source);
      topic.queued.delete(entry);
      topic.older.delete(entry);
      // Its verdict may have been faster than the disk.
      if (entry.place === "gone") reader.done(entry.number);
      else {
        entry.durable = true;
        entry.item.delivery.settle(entry.item.index, "spooled");
        if (entry.place === "queue") toDisk(entry);
      }
      leave(topic);
    }
    notices.written(entries.length, totals, watch.away);
    reader.added(least);
    watch.askBack();
    progress();
  }

  /** From now on it is on disk only. */
  function toDisk(entry: Entry): void {
    if (entry.place !== "sink") tally.read("real_time", 1);
    entry.place = "disk";
    known.delete(entry.item);
    reader.forget(entry.number);
    topicOf(entry.source).stored += 1;
  }

  /** `drop_newest`: there is no room. */
  function refused(entries: readonly Entry[]): void {
    for (const entry of entries) {
      const topic = topicOf(entry.source);
      topic.queued.delete(entry);
      entry.place = "gone";
      entry.item.delivery.settle(entry.item.index, "dropped");
      tally.read("real_time", 1);
      leave(topic);
    }
    countDropped(entries.length);
    progress();
  }

  /** `drop_oldest`. */
  async function makeRoom(bytes: number): Promise<void> {
    const { dropped: gone, ...now } = await store.spoolDropOldest(bytes, reader.out());
    expected -= gone.length;
    noteTotals(now);
    for (const topic of gone.map(({ source }) => topicOf(source))) {
      topic.stored -= 1;
      leave(topic);
    }
    countDropped(gone.length);
    progress();
  }

  function countDropped(count: number): void {
    if (count === 0) return;
    dropped += count;
    tally.settled("real_time", "dropped", count);
    notices.dropped(count, options.whenFull);
  }

  /** The disk takes nothing: what need not wait for it goes on from memory. */
  function letGo(): void {
    if (closed) return;
    for (const topic of [...topics.values()]) {
      const waiting = [...topic.older].filter(({ place }) => place === "queue");
      if (topic.stored === 0) waiting.forEach(pushLive);
      else queueFirst(topic, waiting);
      letPass(topic);
    }
    watch.askBack();
    progress();
  }

  /** What is queued for the disk goes to the scheduler instead when nothing of its topic is before it there. */
  function letPass(topic: Topic): void {
    const isFree = !topic.still && topic.stored === 0 && (writer.stuck !== null || !isOverflowing());
    const entries = [...topic.queued];
    if (isFree && entries.length > 0 && !entries.some((entry) => entry.writing)) {
      topic.queued.clear();
      for (const entry of entries) {
        entry.wanted = false;
        pushLive(entry);
      }
      // What set the topic going may have had its credit back long ago: nobody else wakes the scheduler.
      queueMicrotask(parts.wake);
    }
    leave(topic);
  }

  // --- To the sink

  function noteSent(item: Item, nowMs: number): void {
    const entry = known.get(item) ?? (item.kind === "reading" ? books.arrival(item, -1) : null);
    if (entry === null) return;
    known.set(item, entry);
    const wasAhead = entry.place === "window";
    entry.place = "sink";
    entry.sentMs = nowMs;
    if (!wasAhead) return;
    const topic = topicOf(entry.source);
    topic.stored -= 1;
    if (topic.stored === 0) letPass(topic);
  }

  // --- From the disk

  function readAhead(readings: readonly SpooledReading[]): void {
    for (const reading of readings) {
      const item = restoredItem(reading, parts);
      known.set(item, newEntry({ ...reading, item, flow: -1, place: "window" }));
      window.push(item);
    }
    parts.wake();
  }

  function noteTotals(now: SpoolTotals): void {
    totals = now;
    if (now.readings === 0 && topics.size === 0) notices.emptied();
    if (now.readings >= expected || closed) return;
    // The state file was damaged and set aside: what was only there is gone.
    expected = now.readings;
    const ahead = [...known.values()].filter(({ place }) => place === "window");
    let lost = 0;
    for (const topic of [...topics.values()]) {
      const kept = ahead.filter(({ source }) => source === topic.source).length;
      lost += topic.stored - kept;
      topic.stored = kept;
      letPass(topic);
    }
    tally.settled("real_time", "dropped", lost);
    notices.lost(lost);
  }

  // --- Topics that stand still, and go on

  function stoodStill(sources: ReadonlySet<string>): void {
    window.keep((item) => {
      const entry = known.get(item);
      if (entry === undefined || !sources.has(entry.source)) return true;
      known.delete(item);
      reader.forget(entry.number);
      return false;
    });
    const waiting = [...known.values()].filter(({ place, source }) => place === "live" && sources.has(source));
    cover(sources);
    for (const entry of waiting) {
      known.delete(entry.item);
      if (entry.durable) toDisk(entry);
      else entry.place = "queue";
    }
    const gone = new Set(waiting.map(({ item }) => item));
    if (gone.size > 0) lives.keep((item) => !gone.has(item));
    route();
  }

  function wentOn(topic: Topic): void {
    if (topic.stored > 0) reader.rewind();
    letPass(topic);
  }

  function progress(): void {
    if (closed) return;
    reader.more();
    parts.wake();
    waiters.look();
  }

  return {
    flows: lives.flows,
    flow: {
      ...{ name: "spool", lane: "stream", weight: 1, capRows: null },
      ready: () => stopping || watch.away ? 0 : window.length,
      take: window.take,
    },
    async open() {
      const { sources, firstNumber: _first, lastNumber, ...now } = await store.spoolInventory();
      totals = now;
      expected = now.readings;
      books.beginAt(lastNumber + 1);
      for (const { source, readings } of sources) topicOf(source).stored = readings;
      tally.read("real_time", now.readings);
      if (now.readings > 0) notices.found(now);
      reader.more();
    },
    arrived() {
      if (isBusy() || (enabled && isOverflowing())) route();
      parts.wake();
    },
    dispatched(items) {
      if (!enabled && topics.size === 0) return;
      const nowMs = clock.nowMs();
      if (!books.passesBy(items, nowMs)) { for (const item of items) noteSent(item, nowMs); }
      watch.sent();
      reader.more();
    },
    answered: () => watch.answered(),
    replaced: books.replaced,
    settle(items, ending) {
      const credits = { rows: 0, bytes: 0 };
      let passed: Item | null = null;
      for (const item of items) {
        // Before its verdict: after that it may be another's.
        const { bytes } = item;
        const entry = known.size === 0 ? undefined : known.get(item);
        passed = entry === undefined ? item : null;
        if (entry !== undefined) known.delete(item);
        if (entry?.durable === true) reader.done(entry.number);
        else item.delivery.settle(item.index, ending);
        if (entry !== undefined) watch.settled(entry);
        if (entry?.credit === false) continue;
        credits.rows += 1;
        credits.bytes += bytes;
      }
      if (passed !== null && ending === "delivered") watch.passed(passed);
      passing.trim();
      if (waiters.any) queueMicrotask(progress);
      return credits;
    },
    live: books.live,
    quiet() {
      stopping = true;
      return waiters.when(() => passing.isEmpty && !books.some(({ place, held }) => place === "sink" && !held));
    },
    emptied: () => waiters.when(() => topics.size === 0 && !books.some(({ durable }) => durable)),
    status: () => ({
      readings: totals.readings,
      bytes: totals.bytes,
      bytesMax: options.bytesMax,
      oldestAgeMs: totals.oldestAtMs === null ? null : Math.max(0, clock.wallMs() - totals.oldestAtMs),
      droppedReadings: dropped,
      stillTopics: [...topics.values()].filter((topic) => topic.still).length,
      stuck: enabled ? writer.stuck : null,
    }),
    async close() {
      closed = true;
      watch.close();
      writer.close();
      notices.close();
      await reader.close();
    },
  };
}
