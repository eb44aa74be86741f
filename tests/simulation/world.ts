/**
 * A whole gateway in virtual time: the real sources, decoders, rules, scheduler and outbox between a model broker, a disk in memory, a
 * ledger and a far side, all of which outlive it. One seed decides everything: what is published and dropped, how the surroundings
 * behave, what breaks, and at which moment each life of the program ends. After each end only what was durable is left, and a new program
 * begins on it.
 *
 * @module
 */
import { seededDice } from "../../src/core/dice.ts";
import { WeirError } from "../../src/core/error.ts";
import { createTally, type Tally } from "../../src/core/tally.ts";
import { recordOf } from "../../src/source/files/place.ts";
import { createNdjsonSink } from "../../src/sink/ndjson/ndjson_sink.ts";
import { modelBroker } from "../source/mqtt/model_broker.ts";
import { virtualClock } from "../support/virtual_clock.ts";
import { type Books, keyIn, openBooks } from "./books.ts";
import { type DurableLedger, durableLedger } from "./durable_ledger.ts";
import { type FarSide, farSide } from "./far_side.ts";
import { createGateway, type Gateway } from "./gateway.ts";
import { createLife, type Life } from "./life.ts";
import { lineDisk } from "./line_disk.ts";
import { type MemoryDisk, memoryDisk } from "./memory_disk.ts";
import { type Mutant, noMutant } from "./mutant.ts";
import { deathOf, type Nature, natureOf } from "./nature.ts";
import { placesTopic, simulatedChunks } from "./simulated_chunks.ts";
import { simulatedSink } from "./simulated_sink.ts";
import { createSpells } from "./spells.ts";
import { folders, keyOfMessage, traffic } from "./traffic.ts";
import { type LoggedRecord, transactionalKafka } from "./transactional_kafka.ts";
import { counted, linkFor, watchedDrops, watchedTally } from "./watched.ts";

/** One life as it looks from outside. */
export interface LifeStory {
  readonly number: number;
  readonly tally: Tally;
  /** Readings that the sink has reported as delivered. */
  delivered: number;
  /** Why it ended; null: it is the last and was stopped at rest. */
  cause: string | null;
  /** Readings in the spool by then. */
  spooled: number;
}

/** A world at its end. */
export interface Outcome {
  readonly nature: Nature;
  readonly books: Books;
  readonly far: FarSide;
  readonly ledger: DurableLedger;
  readonly disk: MemoryDisk;
  readonly lives: readonly LifeStory[];
  /** Rows of files let go: when, and how many. */
  readonly dispatched: readonly { readonly atMs: number; readonly rows: number }[];
  /** Letters of streams that the full store dropped, and ids that the operator deleted. */
  readonly droppedLetters: number;
  /** Readings that the full spool let go. */
  readonly spoolDrops: number;
  readonly purgedIds: ReadonlySet<string>;
  /** Ends of connections and lives after which messages come again. */
  readonly lostConnections: number;
  readonly virtualMs: number;
}

/** How long a stop may drain. */
const drainMs = 10_000;
/** Longer than any backoff: a world that is not at rest after so long hangs. */
const patienceMs = 600_000;

/**
 * Plays one seed to its end: everything that was sent has a verdict.
 *
 * @throws {Error} what a promise that was broken on the way says; the others are for the judge.
 */
export async function play(seed: number, mutant: Mutant = noMutant): Promise<Outcome> {
  const dice = seededDice(seed);
  const nature = natureOf(dice);
  const clock = virtualClock();
  const faults: string[] = [];
  const books = openBooks();
  let mended = false;
  const far = farSide(books, () => mended);
  const disk = memoryDisk(folders, nature.apart);
  disk.onMove = (from, to) => faults.push(...movedTooEarly(books, from, to));
  let droppedLetters = 0;
  let spoolDrops = 0;
  const purgedIds = new Set<string>();
  const ledger = durableLedger(nature, clock, {
    saved(records) {
      for (const record of records) {
        const fault = books.faultOf(record);
        if (fault !== null) faults.push(fault);
      }
    },
    lettered(letters, dropped) {
      books.lettered(letters);
      droppedLetters += dropped;
    },
    spooled(readings, { bytes }) {
      books.spooled(readings);
      const bytesMax = nature.spool?.bytesMax ?? 0;
      if (bytes > bytesMax) faults.push(`${bytes} bytes are in the spool, which may have ${bytesMax}`);
    },
    unspooled(numbers) {
      const fault = books.faultOfRemoval(numbers);
      if (fault !== null) faults.push(fault);
    },
    spoolDropped(readings) {
      spoolDrops += readings.length;
      for (const { number } of readings) books.dropped(books.keyOfSpooled(number));
    },
  });
  const broker = modelBroker(clock, 20, (message) => books.isSafe(keyOfMessage(message)));
  const lines = nature.lines ? lineDisk(far) : null;
  /** The places that were committed, the last of each file. */
  const places = new Map<string, string>();
  const kafka = transactionalKafka(clock, nature, {
    committed(topic, records) {
      if (topic === placesTopic) return records.forEach(keepPlace);
      for (const { value } of records) {
        far.accept({ lane: "files", id: null, redelivered: false, key: keyIn(value ?? "") ?? "" });
      }
    },
    refuses: ({ value }) => far.refuses(keyIn(value ?? "") ?? ""),
    isDown: () => far.down,
  });
  const outside = traffic(dice, nature.shares, books, broker, disk);
  const spells = createSpells(clock, dice, [
    { chance: nature.outages, maxMs: nature.outageMs, set: (on) => far.down = on },
    { chance: nature.troubles, maxMs: 4000, set: (on) => ledger.full = on },
    { chance: nature.troubles, maxMs: 5000, set: (on) => disk.trouble = on ? nature.diskTrouble : null },
    {
      chance: nature.troubles,
      maxMs: 3000,
      set(on) {
        if (lines !== null) lines.trouble = on ? "ENOSPC" : null;
      },
    },
  ]);

  const lives: LifeStory[] = [];
  const dispatched: { atMs: number; rows: number }[] = [];
  let lostConnections = 0;
  let running: { readonly life: Life; readonly gateway: Gateway; readonly diesAtMs: number } | null = null;
  let leaving = false;
  let beginAtMs = 0;

  function dropped(text: string): void {
    spoolDrops += 1;
    books.dropped(keyIn(text) ?? "");
  }

  function keepPlace({ key, value }: LoggedRecord): void {
    if (key === null || value === null) throw new Error("A place without key or value");
    places.set(key, value);
    const record = recordOf({ key, value });
    const fault = record === null ? `what is no place was committed: ${value}` : books.faultOfPlace(record);
    if (fault !== null) faults.push(fault);
  }

  // --- Lives

  function begin(): void {
    const number = lives.length + 1;
    const death = deathOf(nature, number, dice);
    const story: LifeStory = { number, tally: createTally(), delivered: 0, cause: null, spooled: 0 };
    const life = createLife(number, clock, death.at, (cause) => {
      story.cause = cause;
      ended(cause, death.powerCut);
    });
    const lifeDice = seededDice(seed * 31 + number);
    const simulated = lines === null ? simulatedSink(nature.moods, far, life, seededDice(seed * 17 + number)) : null;
    const emit = () => {};
    const wrap = mutant({ books });
    const chunks = nature.exactlyOnce
      ? simulatedChunks(life, lifeDice, wrap.cluster(kafka.forLife(life, seededDice(seed * 13 + number))))
      : null;
    chunks?.fenced.then(() => life.end("fenced"));
    chunks?.places().then((read) => {
      const furthest = JSON.stringify([...places].sort());
      const told = JSON.stringify(read.map(({ key, value }) => [key, value]).sort());
      if (told !== furthest) faults.push(`the places read back are ${told}, those committed ${furthest}`);
    }, () => {});
    const sink = simulated !== null
      ? { ...simulated, ...(chunks && { chunks }) }
      : createNdjsonSink({ path: "/lines.ndjson" }, {
        clock: life.clock,
        dice: lifeDice,
        emit,
        openDisk: () => lines === null ? Promise.reject(new Error("No lines")) : lines.openFor(life),
      });
    const gateway = createGateway(
      {
        clock: life.clock,
        dice: lifeDice,
        emit,
        tally: watchedTally(story.tally, (rows) => life.alive && dispatched.push({ atMs: clock.nowMs(), rows })),
        disk: disk.forLife(life),
        open: wrap.open(linkFor(life, broker)),
        ledger: wrap.ledger(ledger.forLife(life)),
        sink: counted(wrap.sink(sink), (count) => story.delivered += count),
        life: number,
      },
      nature,
      (source) => wrap.source(nature.spool?.whenFull === "drop_newest" ? watchedDrops(source, dropped) : source),
    );
    lives.push(story);
    running = { life, gateway, diesAtMs: clock.nowMs() + death.afterMs };
    leaving = false;
    broker.clientStops = false;
    gateway.pipeline.start().catch((error) => {
      if (error instanceof WeirError) life.end("start failed");
      else faults.push(`start: ${error}`);
    });

    function ended(cause: string, powerCut: boolean): void {
      story.spooled = ledger.spoolReadings;
      running = null;
      beginAtMs = clock.nowMs() + dice() * 2000;
      lostConnections += 1;
      simulated?.die();
      // Somebody has raised the limit: what was a dead letter of a chunk that never arrived is taken when it is read again.
      if (nature.exactlyOnce && dice() < 0.5) mended = true;
      if (dice() < 0.5) broker.readAcks(Infinity);
      broker.vanish();
      lines?.tear(dice);
      if (!powerCut || ["stopped", "quit", "fenced"].includes(cause)) return;
      disk.powerCut(dice);
      ledger.powerCut(dice);
    }
  }

  /** As SIGTERM does: drains, but not for ever; then closes. */
  function stop(): void {
    if (running === null || leaving) return;
    const { life, gateway } = running;
    leaving = true;
    let late = false;
    broker.clientStops = true;
    gateway.pipeline.drain().then(() => late ? undefined : gateway.pipeline.close().then(() => life.end("stopped")));
    life.clock.after(drainMs, () => {
      late = true;
      gateway.pipeline.close().then(() => life.end("quit"));
    });
  }

  function quit(): void {
    if (running === null || leaving) return;
    const { life, gateway } = running;
    leaving = true;
    gateway.pipeline.close().then(() => life.end("quit"));
  }

  // --- Time

  async function pass(ms: number): Promise<void> {
    if (running === null && clock.nowMs() >= beginAtMs) begin();
    await clock.advance(ms);
    if (running !== null && clock.nowMs() >= running.diesAtMs) running.life.end("by time");
    if (running !== null) faults.push(...boundsBroken(running.gateway, nature));
    if (faults[0] !== undefined) throw new Error(faults[0]);
  }

  function breakSomething(): void {
    if (dice() < nature.troubles) {
      lostConnections += 1;
      broker.cut(dice() < 0.5 ? {} : { kind: "disconnected", code: 0x8e, text: "taken over" });
    }
    if (dice() < nature.sessionsLost) {
      for (const message of broker.forget()) books.lostByBroker(keyOfMessage(message));
      lostConnections += 1;
      broker.cut();
    }
    if (dice() < nature.takeOvers) kafka.takeOver();
    if (dice() < 0.02) clock.stepWall((dice() - 0.5) * 7_200_000);
    if (dice() < 0.003) quit();
    if (dice() < 0.003) stop();
    spells.tick();
  }

  async function purge(): Promise<void> {
    for (const { id } of await ledger.now.list({}, Infinity)) purgedIds.add(id);
    await ledger.now.removeLetters({}, Infinity);
  }

  async function comeToRest(what: string): Promise<void> {
    const untilMs = clock.nowMs() + patienceMs;
    for (let turn = 0; !await atRest(); turn++) {
      spells.expire();
      broker.deliver(1000);
      broker.readAcks(1000);
      await pass(100);
      if (nature.smallStore && turn % 20 === 19) await purge();
      if (clock.nowMs() > untilMs) throw new Error(`Not at rest ${what}: ${await unrest()}`);
    }
  }

  /** No row of a file has arrived and is a dead letter too. */
  async function noneInBoth(): Promise<void> {
    for (const { id, origin } of await ledger.now.list({}, Infinity)) {
      const key = books.letteredIds.get(id)?.key ?? "";
      if (origin === "batch" && books.home.has(key)) throw new Error(`${key} has arrived, and is a dead letter too`);
    }
  }

  async function atRest(): Promise<boolean> {
    if (running === null || leaving || broker.kept > 0 || spells.active) return false;
    for (const path of books.files.keys()) if (nature.files.after !== "keep" && disk.has(path)) return false;
    if (ledger.spoolReadings > 0 || await ledger.now.nextReplay() !== null) return false;
    return nature.files.after !== "keep" || await allRead();
  }

  async function allRead(): Promise<boolean> {
    const read = new Set<string>();
    for (const folder of folders) {
      for (const { path, state } of await ledger.now.files(folder, Infinity)) {
        if (state === "archived") read.add(`${folder}/${path}`);
      }
    }
    return [...books.files.keys()].every((path) => read.has(path));
  }

  async function unrest(): Promise<string> {
    const replay = await ledger.now.nextReplay();
    const files = [...books.files.keys()].filter((path) => disk.has(path));
    const sums = lives.at(-1)?.tally;
    return `${broker.kept} messages at the broker, files ${files.join(" ")}, replay ${replay?.number ?? "none"}, ` +
      `spool ${JSON.stringify(running?.gateway.pipeline.spool())}, ` +
      `open ${sums?.sums("real_time").open} and ${sums?.sums("batch").open}, life ${lives.length}`;
  }

  // --- The story

  while (clock.nowMs() < nature.busyMs) {
    outside.publish();
    if (dice() < 0.02) outside.drop(clock.wallMs());
    if (nature.dropsAgain && dice() < 0.005) outside.dropAgain(clock.wallMs());
    if (dice() < 0.01) await ledger.now.askReplay({ filter: {}, ratePerSecond: 50 }).catch(() => {});
    broker.deliver(Math.floor(dice() * 30));
    broker.readAcks(Math.floor(dice() * 30));
    breakSomething();
    await pass(dice() * nature.stepMs);
  }
  await comeToRest("after the rush");
  if (nature.exactlyOnce) await noneInBoth();
  mended = true;
  await ledger.now.askReplay({ filter: {}, ratePerSecond: 200 });
  await comeToRest("after the replay");
  stop();
  while (running !== null) await pass(100);
  return {
    nature,
    books,
    far,
    ledger,
    disk,
    lives,
    dispatched,
    droppedLetters,
    spoolDrops,
    purgedIds,
    lostConnections,
    virtualMs: clock.nowMs(),
  };
}

/** A file goes to the archive only after its last row is safe. */
function movedTooEarly(books: Books, from: string, to: string): readonly string[] {
  if (!/\/done\//.test(to)) return [];
  const unsafe = books.files.get(from)?.find((key) => !books.isSafe(key));
  return unsafe === undefined ? [] : [`${from} was archived before ${unsafe} was safe`];
}

/** Everything that has a limit keeps to it. */
function boundsBroken({ sources, sink }: Gateway, nature: Nature): readonly string[] {
  const broken: string[] = [];
  const { inFlightReadings } = sink.status();
  // What the sink does not get on with may stay there beside what is in flight.
  if (inFlightReadings > nature.fairShare.inFlightRows * (nature.spool === null ? 1 : 2)) {
    broken.push(`${inFlightReadings} readings are in flight`);
  }
  for (const source of sources) {
    const status = source.status();
    if (status.kind === "mqtt") {
      // One message may overstep it, and what was read already when reading stopped: three of the model broker's packets.
      const over = status.pendingBytes - nature.mqtt.inboxBytesMax;
      if (over > 4 * 400) broken.push(`${status.pendingBytes} bytes are pending`);
    } else if (status.kind === "files") {
      for (const flow of source.flows) {
        if (flow.ready() > 2 * nature.fairShare.quantumRows) broken.push(`${flow.ready()} rows are read ahead`);
      }
    }
  }
  return broken;
}
