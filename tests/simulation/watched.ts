/**
 * The surroundings of one life as the world hands them out: cut off when the life is over, and watched.
 *
 * @module
 */
import type { Delivery } from "../../src/core/delivery.ts";
import type { Item } from "../../src/core/reading.ts";
import type { Sink } from "../../src/core/sink.ts";
import type { Source } from "../../src/core/source.ts";
import type { Tally } from "../../src/core/tally.ts";
import type { Connection, OpenConnection } from "../../src/source/mqtt/connection.ts";
import type { ModelBroker } from "../source/mqtt/model_broker.ts";
import { changed } from "./changed.ts";
import type { Life } from "./life.ts";

/** What a life reaches that is over. */
const nobody: Connection = {
  holdsBack: true,
  acknowledge() {},
  subscribe() {},
  unsubscribe() {},
  publish() {},
  read() {},
  close() {},
};

/** The broker as one life reaches it. */
export function linkFor(life: Life, broker: ModelBroker): OpenConnection {
  return (options, events) => {
    if (!life.alive) return nobody;
    const heard = <A extends unknown[]>(hear: (...args: A) => void) => (...args: A): void => {
      if (life.alive) hear(...args);
    };
    const connection = broker.open(options, {
      opened: heard(events.opened),
      ready: heard(events.ready),
      message: heard(events.message),
      closed: heard(events.closed),
    }, life.clock);
    return {
      ...connection,
      acknowledge(packetId) {
        if (!life.passes("PUBACK: before")) return;
        connection.acknowledge(packetId);
        life.passes("PUBACK: after");
      },
      subscribe: (filter, qos, retain, done) => life.alive && connection.subscribe(filter, qos, retain, heard(done)),
      close: () => life.alive && connection.close(),
    };
  };
}

/** Tells of rows of files that are let go. */
export function watchedTally(tally: Tally, onFileRows: (rows: number) => void): Tally {
  return {
    ...tally,
    read(origin, count) {
      if (origin === "batch") onFileRows(count);
      tally.read(origin, count);
    },
  };
}

/** Tells of readings that are dropped before they were ever on disk. */
export function watchedDrops(source: Source, onDrop: (text: string) => void): Source {
  if (source.name !== "mqtt") return source;
  const watched = (item: Item): Item => {
    if (item.kind !== "reading") return item;
    const { delivery, value } = item;
    const settle: Delivery["settle"] = (index, verdict) => {
      if (verdict === "dropped") onDrop(value);
      delivery.settle(index, verdict);
    };
    return changed(item, { delivery: { ...delivery, settle } });
  };
  const flows = source.flows.map((flow) => ({
    ...flow,
    take: (maxRows: number, maxBytes: number) => flow.take(maxRows, maxBytes).map(watched),
  }));
  return { ...source, flows };
}

/** Counts what a sink reports as delivered. */
export function counted(sink: Sink, count: (readings: number) => void): Sink {
  const { chunks } = sink;
  return {
    ...sink,
    ...(chunks && {
      chunks: {
        ...chunks,
        async commit(chunk) {
          const refusals = await chunks.commit(chunk);
          if (refusals.length === 0) count(chunk.readings.length);
          return refusals;
        },
      },
    }),
    open: (report) =>
      sink.open({
        ...report,
        delivered(lane, readings) {
          count(readings.length);
          report.delivered(lane, readings);
        },
      }),
  };
}
