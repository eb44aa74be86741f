/**
 * What a producer is put together from, and what it does.
 *
 * @module
 */
import type { BackoffOptions } from "../../core/backoff.ts";
import type { Clock } from "../../core/clock.ts";
import type { Dice } from "../../core/dice.ts";
import type { Emit } from "../../core/event.ts";
import type { Reading, Reason } from "../../core/reading.ts";
import type { Sink } from "../../core/sink.ts";
import type { Cluster } from "./cluster.ts";
import type { Compression, RecordShape } from "./record_batch.ts";
import type { Troubles } from "./troubles.ts";

/** How a producer works. */
export interface ProducerOptions {
  readonly clientId: string;
  readonly compression: Compression;
  /** Longest time that a record gathers company while a request is under way, in ms. */
  readonly lingerMs: number;
  /** Largest batch before compression, in bytes; a larger record is sent alone. */
  readonly batchBytesMax: number;
  /** Largest request, in bytes; a larger batch is sent alone. */
  readonly requestBytesMax: number;
  /** Largest value that is tried at all, in bytes. */
  readonly recordBytesMax: number;
  /** Requests under way to one leader. */
  readonly requestsInFlightMax: number;
  readonly metadataMaxAgeMs: number;
  readonly backoff: BackoffOptions;
}

/** What a producer works with. */
export interface ProducerDeps {
  readonly clock: Clock;
  readonly dice: Dice;
  readonly emit: Emit;
  readonly cluster: Cluster;
  readonly troubles: Troubles;
  readonly shape: RecordShape<Reading>;
  /** Readings of one acknowledged batch, in order. May send more. */
  readonly onDelivered: (readings: readonly Reading[]) => void;
  readonly onRejected: (reading: Reading, reason: Reason, detail: string) => void;
}

/** Counts of a producer. */
export interface ProducerStatus {
  readonly inFlightReadings: number;
  readonly retries: number;
  readonly throttledMs: number;
  /** Records that may be in Kafka twice: a producer id was lost while an attempt was in doubt. */
  readonly maybeDoubled: number;
}

/** A producer. */
export interface Producer {
  /** Connects and asks for what is needed to send to these topics. */
  warm(topics: readonly string[]): void;
  /** Takes a reading. Behind it, readings of the same key and topic stay in order. */
  send(reading: Reading, topic: string, key: string | null): void;
  takeBack: NonNullable<Sink["takeBack"]>;
  /** Stops gathering until all that is in here now is reported, then resolves; also when closed. */
  flush(): Promise<void>;
  /** Gives up: no more reports. */
  close(): void;
  status(): ProducerStatus;
}
