/**
 * Tests of the tests: programs with one fault each, made by wrapping the parts of a life. The simulation must find each of them within so
 * many seeds.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { ChunkSink } from "../../src/core/chunk.ts";
import type { Flow } from "../../src/core/flow.ts";
import type { Item } from "../../src/core/reading.ts";
import type { Source } from "../../src/core/source.ts";
import { changed } from "./changed.ts";
import { type Mutant, sound } from "./mutant.ts";
import { playAndJudge } from "./seeds.ts";

/** Wraps what is taken from the flows of one source. */
function taking(name: string, change: (item: Item, flow: Flow<Item>) => Item): Mutant {
  const wrapped = (source: Source): Source => ({
    ...source,
    flows: source.flows.map((flow) => ({
      ...flow,
      take: (maxRows, maxBytes) => flow.take(maxRows, maxBytes).map((item) => change(item, flow)),
    })),
  });
  return () => ({ ...sound, source: (source) => source.name === name ? wrapped(source) : source });
}

/** Wraps the sink of chunks, where there is one. */
function chunking(wrap: (chunks: ChunkSink) => ChunkSink): Mutant {
  return () => ({ ...sound, sink: (sink) => sink.chunks ? { ...sink, chunks: wrap(sink.chunks) } : sink });
}

/** The item settled already; the verdict that comes is not heard. */
function settledAtOnce(item: Item): Item {
  const { origin, source } = item.delivery;
  item.delivery.settle(
    item.index,
    item.kind === "reading" ? "delivered" : item.kind === "filtered" ? "filtered" : "dead_lettered",
  );
  return changed(item, { delivery: { origin, source, settle() {} } });
}

/** Each with the number of seeds within which it must be found, and by what. */
const mutants: readonly (readonly [what: string, seedsMax: number, found: RegExp, mutant: Mutant])[] = [
  ["a PUBACK leaves before the reading is safe", 5, /PUBACK for .*not safe/, taking("mqtt", settledAtOnce)],
  [
    "a checkpoint moves over a row that is not finished",
    10,
    /the checkpoint of .* is not safe/,
    taking("files", (item) => item.index % 9 === 8 ? settledAtOnce(item) : item),
  ],
  [
    "a file is archived before the verdict of its last row",
    10,
    /the checkpoint of .* is not safe|was archived before/,
    ({ books }) => ({
      ...sound,
      source: (source) => {
        const isLast = ({ delivery, index }: Item) => (books.files.get(delivery.source)?.length ?? 0) === index + 1;
        const early = taking("files", (item) => isLast(item) ? settledAtOnce(item) : item);
        return early({ books }).source(source);
      },
    }),
  ],
  [
    "a delivery that was adopted is forgotten",
    30,
    /PUBACK out of order|Not at rest/,
    () => ({
      ...sound,
      open: (open) => {
        let connections = 0;
        return (options, events, clock) => {
          connections += 1;
          const first = connections === 1;
          return open(options, {
            ...events,
            message(topic, payload, packetId, dup, retained) {
              if (first || !dup) events.message(topic, payload, packetId, dup, retained);
            },
          }, clock);
        };
      },
    }),
  ],
  [
    "the sink reports a reading twice",
    5,
    /settled already|finished already|only \d+ to/,
    () => ({
      ...sound,
      sink: (sink) => ({
        ...sink,
        open: (report) =>
          sink.open({
            ...report,
            delivered(lane, readings) {
              report.delivered(lane, readings);
              if (readings.length > 3) report.delivered(lane, readings.slice(0, 1));
            },
          }),
      }),
    }),
  ],
  [
    "dead letters whose write failed are not tried again",
    60,
    /not safe/,
    () => ({
      ...sound,
      ledger(ledger) {
        let failed = false;
        return {
          ...ledger,
          append(letters) {
            if (failed) {
              failed = false;
              return Promise.resolve({ accepted: letters.length, droppedStreamLetters: 0 });
            }
            return ledger.append(letters).catch((error) => {
              failed = true;
              throw error;
            });
          },
        };
      },
    }),
  ],
  [
    "a full store of dead letters loses those that do not fit",
    60,
    /not safe/,
    () => ({
      ...sound,
      ledger: (ledger) => ({
        ...ledger,
        append: async (letters) => ({ ...await ledger.append(letters), accepted: letters.length }),
      }),
    }),
  ],
  [
    "a row has another id in each life",
    120,
    /a second copy of file/,
    taking("files", (item) => item.kind === "reading" ? changed(item, { id: `${item.id}+${item.arrivedMs}` }) : item),
  ],
  [
    "the mark of a redelivery is lost",
    30,
    /a second copy of (plant|hall)/,
    taking("mqtt", (item) => item.kind === "reading" ? changed(item, { redelivered: false }) : item),
  ],
  [
    "readings of one run leave in the wrong order",
    5,
    / came after /,
    () => ({
      ...sound,
      sink: (sink) => ({ ...sink, send: (lane, readings) => sink.send(lane, readings.toReversed()) }),
    }),
  ],
  [
    "a filtered reading is sent all the same",
    20,
    /never sent/,
    taking("files", (item) =>
      item.kind === "filtered"
        ? {
          ...item,
          kind: "reading",
          id: "x",
          fields: {},
          value: '{"n":"none"}',
          row: 1,
          byte: 0,
          arrivedMs: 0,
          redelivered: false,
        }
        : item),
  ],
  [
    "a chunk is committed without the places of its files",
    60,
    /rows came twice|has arrived too/,
    chunking((chunks) => ({ ...chunks, commit: (chunk) => chunks.commit({ ...chunk, places: [] }) })),
  ],
  [
    "files go on where the ledger says, whatever places are kept",
    120,
    /rows came twice|has arrived too/,
    chunking((chunks) => ({ ...chunks, places: () => chunks.places().then(() => []) })),
  ],
  [
    "dead letters behind the place of their file are not taken back",
    400,
    /and is a dead letter too/,
    () => ({
      ...sound,
      ledger: (ledger) => ({
        ...ledger,
        removeLetters: (filter, limit) =>
          filter.idPrefix === undefined ? ledger.removeLetters(filter, limit) : Promise.resolve(0),
      }),
    }),
  ],
  [
    "that a transaction was aborted is ignored",
    60,
    /not safe|is lost|has not arrived/,
    () => ({
      ...sound,
      cluster: (cluster) => ({
        ...cluster,
        end: (node, identity, commit) => cluster.end(node, identity, commit).then(() => ({ code: 0 })),
      }),
    }),
  ],
  [
    "a commit whose answer does not come counts as done",
    60,
    /not safe|is lost|has not arrived/,
    () => ({
      ...sound,
      cluster: (cluster) => ({
        ...cluster,
        end: (node, identity, commit) => cluster.end(node, identity, commit).catch(() => ({ code: 0 })),
      }),
    }),
  ],
  [
    "what goes to the spool is settled before it is written",
    20,
    /PUBACK for .*not safe/,
    () => ({
      ...sound,
      ledger: (ledger) => ({
        ...ledger,
        async spoolAppend(readings) {
          ledger.spoolAppend(readings).catch(() => {});
          return await ledger.spoolInventory();
        },
      }),
    }),
  ],
  [
    "after a start new readings overtake those of their topic in the spool",
    60,
    / came after /,
    () => ({
      ...sound,
      ledger: (ledger) => ({
        ...ledger,
        spoolInventory: async () => ({ ...await ledger.spoolInventory(), sources: [] }),
      }),
    }),
  ],
  [
    "a reading is removed from the spool when it is sent, not at its verdict",
    20,
    /removed from the spool before its verdict/,
    () => ({
      ...sound,
      ledger: (ledger) => ({
        ...ledger,
        async spoolRead(range) {
          const readings = await ledger.spoolRead(range);
          if (readings.length > 0) await ledger.spoolRemove(readings.map(({ number }) => number)).catch(() => {});
          return readings;
        },
      }),
    }),
  ],
];

for (const [what, seedsMax, expected, mutant] of mutants) {
  Deno.test(`found within ${seedsMax} seeds: ${what}`, async () => {
    for (let seed = 1; seed <= seedsMax; seed++) {
      const found = await playAndJudge(seed, mutant).then(() => null, (error) => error);
      if (found !== null && expected.test(String(found))) return;
    }
    assert.fail(`${seedsMax} seeds were played, and none found it`);
  });
}
