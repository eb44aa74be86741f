/**
 * A whole gateway in virtual time: the real sources, decoders, rules, scheduler and outbox between a model broker, a disk in memory and a
 * sink with moods. One seed decides everything: what is published and dropped, how the sink behaves, when the connection breaks
 * and when the gateway is restarted without a drain.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Dice } from "../../src/core/dice.ts";
import { seededDice } from "../../src/core/dice.ts";
import type { Event } from "../../src/core/event.ts";
import type { DeadLetter } from "../../src/core/reading.ts";
import type { FileRecord, Ledger } from "../../src/core/store.ts";
import { createTally, type Tally } from "../../src/core/tally.ts";
import { createNormalizer } from "../../src/decode/normalizer.ts";
import { createOpenDecoder } from "../../src/decode/open_decoder.ts";
import { createPayloadDecoder } from "../../src/decode/payload.ts";
import { createPipeline, type Pipeline } from "../../src/pipeline.ts";
import { fairShareDefaults, type FairShareOptions } from "../../src/scheduler/defaults.ts";
import { createFilesSource } from "../../src/source/files/files_source.ts";
import { filesDefaults } from "../../src/source/files/options.ts";
import { createMqttSource } from "../../src/source/mqtt/mqtt_source.ts";
import { memoryLedger } from "../../src/store/memory_ledger.ts";
import { type ModelBroker, modelBroker } from "../source/mqtt/model_broker.ts";
import { defaultOptions as mqttDefaults } from "../source/mqtt/parts.ts";
import { type VirtualClock, virtualClock } from "../support/virtual_clock.ts";
import { type MemoryDisk, memoryDisk } from "./memory_disk.ts";
import { type Arrived, simulatedSink, type SinkMoods } from "./simulated_sink.ts";

/** What went in, so that it can be looked for on the other side. */
interface Sent {
  /** `<device>:<number>` of everything good. */
  readonly good: Set<string>;
  /** The same of what the filter turns away. */
  readonly filtered: Set<string>;
  /** How many bad rows and bad messages. */
  bad: number;
  /** What becomes of each row of a file, by path: its key, or null for a bad row. */
  readonly rowsOf: Map<string, readonly (string | null)[]>;
}

/** A world at its end. */
export interface Outcome {
  readonly sent: Sent;
  readonly arrived: readonly Arrived[];
  readonly letters: readonly DeadLetter[];
  /** Rows of files let go: when, and how many. */
  readonly dispatched: readonly { readonly atMs: number; readonly rows: number }[];
  readonly fairShare: FairShareOptions;
  readonly tallies: readonly Tally[];
  readonly disk: MemoryDisk;
  readonly events: readonly Event[];
  readonly restarts: number;
}

const folders = ["/drop/a", "/drop/b"] as const;
const stepMs = 50;

/** Plays one seed to its end: everything that was sent has a verdict. */
export async function play(seed: number): Promise<Outcome> {
  const dice = seededDice(seed);
  const clock = virtualClock();
  const disk = memoryDisk(folders);
  const sent: Sent = { good: new Set(), filtered: new Set(), bad: 0, rowsOf: new Map() };
  const arrived: Arrived[] = [];
  const dispatched: { atMs: number; rows: number }[] = [];
  const events: Event[] = [];
  const tallies: Tally[] = [];
  const letters: DeadLetter[] = [];
  const kept = memoryLedger({ clock, deadLetterBytesMax: 2 ** 30 });
  const ledger = watchedLedger(kept, letters, checkpointJudge(sent, arrived, letters));
  const broker = modelBroker(clock, 20);
  const moods = moodsOf(dice);
  const fairShare = fairShareDefaults({ capRows: pick(dice, [20, 100, 500, 2000]) });

  let lives = 0;
  const begin = async (): Promise<Pipeline> => {
    lives += 1;
    const tally = createTally();
    tallies.push(tally);
    const pipeline = makeGateway({
      clock,
      disk,
      broker,
      ledger,
      fairShare,
      life: lives,
      dice: seededDice(seed * 31 + lives),
      tally: watchedTally(tally, (rows) => dispatched.push({ atMs: clock.nowMs(), rows })),
      emit: (level, name, message, data = {}) => void events.push({ level, name, message, data }),
      sink: simulatedSink(moods, arrived, clock, seededDice(seed * 17 + lives)),
    });
    await pipeline.start();
    return pipeline;
  };

  let pipeline = await inTime(clock, begin(), "start");
  await clock.advance(1000);
  const busyUntilMs = clock.nowMs() + 20_000;
  let files = 0;
  while (clock.nowMs() < busyUntilMs) {
    publishSome(dice, broker, sent);
    if (dice() < 0.02) dropFile(dice, disk, sent, files++, clock.wallMs());
    broker.deliver(Math.floor(dice() * 30));
    broker.readAcks(Math.floor(dice() * 30));
    if (dice() < 0.01) broker.cut();
    if (dice() < 0.02) clock.stepWall((dice() - 0.5) * 7_200_000);
    if (dice() < 0.003) {
      await inTime(clock, pipeline.close(), "close");
      pipeline = await inTime(clock, begin(), "start");
    }
    await clock.advance(dice() * stepMs);
  }
  await comeToRest(clock, broker, disk, pipeline, seed);
  return { sent, arrived, letters, dispatched, fairShare, tallies, disk, events, restarts: lives - 1 };
}

/** Lets everything that is under way arrive, then stops as SIGTERM would. */
async function comeToRest(
  clock: VirtualClock,
  broker: ModelBroker,
  disk: MemoryDisk,
  pipeline: Pipeline,
  seed: number,
): Promise<void> {
  const patienceMs = clock.nowMs() + 4 * 3_600_000;
  const atRest = () => broker.kept === 0 && disk.paths().every((path) => /\/(done|error)\//.test(path));
  while (!atRest()) {
    broker.deliver(1000);
    broker.readAcks(1000);
    await clock.advance(200);
    if (clock.nowMs() > patienceMs) {
      assert.fail(
        `Seed ${seed}: not at rest: ${broker.kept} messages at the broker, files ${disk.paths().join(" ")}`,
      );
    }
  }
  await inTime(clock, pipeline.drain(), "drain");
  await inTime(clock, pipeline.close(), "close");
}

/** Moves time on until a promise is settled. */
async function inTime<T>(clock: VirtualClock, promise: Promise<T>, what: string): Promise<T> {
  let settled = false;
  promise.then(() => (settled = true), () => (settled = true));
  for (let i = 0; i < 6000 && !settled; i++) await clock.advance(10);
  assert.ok(settled, `A ${what} hangs`);
  return await promise;
}

interface GatewayParts {
  readonly clock: VirtualClock;
  readonly disk: MemoryDisk;
  readonly broker: ModelBroker;
  readonly ledger: Ledger;
  readonly fairShare: FairShareOptions;
  readonly life: number;
  readonly dice: Dice;
  readonly tally: Tally;
  readonly emit: (level: Event["level"], name: string, message: string, data?: Event["data"]) => void;
  readonly sink: ReturnType<typeof simulatedSink>;
}

function makeGateway(parts: GatewayParts): Pipeline {
  const normalizer = createNormalizer({
    schema: null,
    aliases: {},
    extra: "keep",
    sets: [],
    filter: "value != 13",
    timeZone: "UTC",
    timeFormat: "epoch",
  });
  const mqtt = createMqttSource({
    ...mqttDefaults,
    subscriptions: [{ template: "plant/{device_id}", weight: 1 }, { template: "hall/{device_id}", weight: 2 }],
    receiveMax: 20,
  }, {
    ...parts,
    open: parts.broker.open,
    decodePayload: createPayloadDecoder({ payloadBytesMax: 1024 ** 2 }),
    normalizer,
    gateway: "gw",
    boot: `b${parts.life}`,
  });
  const files = createFilesSource({
    ...filesDefaults,
    folders: folders.map((path, i) => ({ path, weight: 1 + 2 * i, everyMs: null, capRows: null })),
    ready: "rename",
    pollMs: 500,
    readAheadRows: 2 * parts.fairShare.quantumRows,
  }, {
    ...parts,
    store: parts.ledger,
    openDecoder: createOpenDecoder({
      format: null,
      delimiter: null,
      comment: null,
      skipLines: 0,
      columns: null,
      rowBytesMax: 1024 ** 2,
      checkHeader: (header) => normalizer.checkHeader(header),
    }),
    normalizer,
    gateway: "gw",
  });
  return createPipeline({ ...parts, sources: [mqtt, files], letters: parts.ledger });
}

/** How the sink of this world behaves. It is never so slow that the world does not come to an end. */
function moodsOf(dice: Dice): SinkMoods {
  return {
    perSecond: pick(dice, [500, 3000, 50_000]),
    stallShare: dice() * 0.05,
    stallMaxMs: dice() * 5000,
    rejectShare: dice() < 0.5 ? 0 : 0.02,
  };
}

function publishSome(dice: Dice, broker: ModelBroker, sent: Sent): void {
  for (let i = Math.floor(dice() * 4); i > 0; i--) {
    // Order is promised for each topic, so a device speaks on one.
    const place = dice() < 0.7 ? "plant" : "hall";
    const device = `${place}${Math.floor(dice() * 3)}`;
    const number = sent.good.size + sent.filtered.size + 100;
    const topic = `${place}/${device}`;
    if (!broker.connected && dice() < 0.5) continue;
    const before = broker.kept;
    const kind = dice();
    const good = `{"metric":"m","value":${number},"n":"${device}:${number}"}`;
    const filtered = `{"metric":"m","value":13,"n":"${device}:${number}"}`;
    const payload = kind < 0.9 ? good : kind < 0.95 ? filtered : '{"metric":"m","value":[1]}';
    broker.publish({ topic, payload, qos: 1 });
    // Before the first subscription a broker keeps nothing: what it did not take was not sent.
    if (broker.kept === before) continue;
    if (kind < 0.9) sent.good.add(`${device}:${number}`);
    else if (kind < 0.95) sent.filtered.add(`${device}:${number}`);
    else sent.bad += 1;
  }
}

function dropFile(dice: Dice, disk: MemoryDisk, sent: Sent, file: number, wallMs: number): void {
  const folder = pick(dice, [...folders]);
  const format = pick(dice, ["csv", "ndjson", "json"]);
  const rows = Math.floor(dice() ** 3 * 2000);
  const keys: (string | null)[] = [];
  const lines: string[] = [];
  for (let row = 0; row < rows; row++) {
    const device = `file${file}-${row % 3}`;
    const key = `${device}:${row}`;
    const kind = dice();
    const bad = kind > 0.98;
    const value = kind < 0.95 ? row + 100 : 13;
    keys.push(bad ? null : key);
    if (bad) sent.bad += 1;
    else (value === 13 ? sent.filtered : sent.good).add(key);
    lines.push(
      format === "csv"
        ? bad ? `${device},m` : `${device},m,${value},${key}`
        : bad
        ? `{"device_id":"${device}","value":1}`
        : `{"device_id":"${device}","metric":"m","value":${value},"n":"${key}"}`,
    );
  }
  const text = format === "csv"
    ? `device_id,metric,value,n\n${lines.map((line) => `${line}\n`).join("")}`
    : format === "ndjson"
    ? lines.map((line) => `${line}\n`).join("")
    : `[${lines.join(",\n")}]`;
  const path = `${folder}/dump-${String(file).padStart(4, "0")}.${format}`;
  sent.rowsOf.set(path, keys);
  disk.put(path, text, wallMs);
}

/** A checkpoint says that every row up to it has a durable home. The check remembers how far it got in each file. */
function checkpointJudge(sent: Sent, arrived: readonly Arrived[], letters: readonly DeadLetter[]) {
  const home = new Set<string>();
  let known = 0;
  const checkedTo = new Map<string, number>();
  return (record: FileRecord): void => {
    for (; known < arrived.length; known++) home.add(keyOf(arrived[known]?.value ?? "{}"));
    const path = `${record.folder}/${record.path}`;
    const rows = sent.rowsOf.get(path);
    if (record.checkpoint === null || rows === undefined) return;
    const lettered = new Set(letters.filter((letter) => letter.source.endsWith(record.path)).map(({ row }) => row));
    for (let row = (checkedTo.get(path) ?? 0) + 1; row <= record.checkpoint.row; row++) {
      const key: string | null = rows[row - 1] ?? null;
      const safe: boolean = lettered.has(row) || (key !== null && (home.has(key) || sent.filtered.has(key)));
      assert.ok(safe, `The checkpoint of ${path} is at row ${record.checkpoint.row}, but row ${row} has no home`);
      checkedTo.set(path, row);
    }
  };
}

/** What a reading is known by. */
export function keyOf(value: string): string {
  return String(JSON.parse(value)["n"]);
}

function watchedLedger(ledger: Ledger, letters: DeadLetter[], check: (record: FileRecord) => void): Ledger {
  return {
    ...ledger,
    saveFiles(records) {
      for (const record of records) check(record);
      return ledger.saveFiles(records);
    },
    async append(added) {
      const result = await ledger.append(added);
      letters.push(...added.slice(0, result.accepted));
      return result;
    },
  };
}

function watchedTally(tally: Tally, onFileRows: (rows: number) => void): Tally {
  return {
    ...tally,
    read(origin, count) {
      if (origin === "batch") onFileRows(count);
      tally.read(origin, count);
    },
  };
}

function pick<T>(dice: Dice, choices: readonly T[]): T {
  const choice = choices[Math.floor(dice() * choices.length)];
  if (choice === undefined) throw new Error("Nothing to choose from");
  return choice;
}
