/**
 * Dead letters to a topic of their own: the bytes as they came as value, `weir.id` as key, reason and place as headers.
 *
 *     ledger: letters behind the mark --> one batch under way --> Kafka has them all --> the mark moves
 *
 * It reads what is stored, a bounded batch at a time, and moves its mark in the ledger when Kafka has all of the batch: so nothing waits in
 * memory, a Kafka that is away holds nobody up, and after a restart it goes on where it was. A letter may come twice, with the same key;
 * one that is gone (replayed, purged, expired) before its turn does not come.
 *
 * @module
 */
import { type Clock, sleep } from "../../core/clock.ts";
import { createBackoff } from "../../core/backoff.ts";
import type { Dice } from "../../core/dice.ts";
import { messageOf, WeirError } from "../../core/error.ts";
import type { Emit } from "../../core/event.ts";
import type { FollowedLetters, LetterFollower } from "../../core/letter_follower.ts";
import type { Reading } from "../../core/reading.ts";
import type { LetterFilter, StoredLetter } from "../../core/store.ts";
import { printable, quoted } from "../../core/text.ts";
import { letterShape } from "./letter_shape.ts";
import type { Producer, ProducerDeps } from "./producer.ts";
import type { RecordShape } from "./record_batch.ts";

/** What the follower works with. */
export interface LetterTopicParts {
  readonly topic: string;
  /** Which letters. Default: all. */
  readonly filter?: LetterFilter;
  readonly letters: FollowedLetters;
  readonly clock: Clock;
  readonly dice: Dice;
  readonly emit: Emit;
  /** Makes the producer of the letters. */
  readonly createProducer: (deps: Pick<ProducerDeps, "shape" | "onDelivered" | "onRejected">) => Producer;
}

/** Letters under way to Kafka, at most, and their bytes. */
export const lettersInFlightMax = 200;
const letterBytesInFlightMax = 1024 * 1024;
/** How often the ledger is asked for new letters. */
const lookMs = 1000;
/** How long a stop waits for Kafka to take the letters that are left. */
const drainMs = 5000;
const ledgerBackoff = { firstMs: 1000, maxMs: 30_000 } as const;

/** A letter in the form that a producer sends. */
interface LetterRecord extends Reading {
  readonly letter: StoredLetter;
}

/** Starts to follow. */
export function followToTopic(parts: LetterTopicParts): LetterFollower {
  const { topic, letters, clock, emit } = parts;
  const markName = `kafka topic ${topic}`;
  const backoff = createBackoff(ledgerBackoff, parts.dice);
  const closed = new AbortController();
  let hurry = new AbortController();
  let draining = false;
  const drained = Promise.withResolvers<void>();
  /** Letters of the batch under way that Kafka has not answered. */
  let unanswered = 0;
  let answered = Promise.withResolvers<void>();
  let sent = 0;

  function answer(count: number): void {
    unanswered -= count;
    if (unanswered === 0) answered.resolve();
  }

  const producer = parts.createProducer({
    shape,
    onDelivered(readings) {
      sent += readings.length;
      answer(readings.length);
    },
    onRejected(reading, reason, detail) {
      emit(
        "warn",
        "letters.not_forwarded",
        `Kafka topic ${quoted(topic)} does not take dead letter ${numberOf(reading)}: ${reason}: ${
          printable(detail)
        }; it stays in the ledger`,
        { letter: numberOf(reading), reason },
      );
      answer(1);
    },
  });
  producer.warm([topic]);

  /** Sends the next batch; false when there was none. */
  async function sendBatch(): Promise<boolean> {
    // Asked each time: a damaged ledger is begun anew, and its numbers with it.
    const after = await letters.mark(markName);
    const range = { after, upTo: Number.MAX_SAFE_INTEGER, limit: lettersInFlightMax, bytesMax: letterBytesInFlightMax };
    const batch = await letters.lettersInRange(parts.filter ?? {}, range);
    const last = batch.at(-1);
    if (last === undefined || closed.signal.aborted) return false;
    unanswered = batch.length;
    answered = Promise.withResolvers();
    for (const letter of batch) producer.send(recordOf(letter), topic, letter.id);
    await answered.promise;
    if (closed.signal.aborted) return false;
    await letters.saveMark(markName, last.number);
    return true;
  }

  async function follow(): Promise<void> {
    while (!closed.signal.aborted) {
      let waitMs = 0;
      try {
        if (!await sendBatch()) {
          if (draining) drained.resolve();
          waitMs = lookMs;
        }
        backoff.reset();
      } catch (thrown) {
        // Only a ledger that cannot be read or written is waited for; anything else is a defect.
        if (!(thrown instanceof WeirError)) throw thrown;
        waitMs = backoff.nextMs();
        if (backoff.failures === 1) {
          emit("error", "letters.forwarding_stuck", `Dead letters wait to be sent to Kafka: ${messageOf(thrown)}`);
        }
      }
      await sleep(clock, waitMs, AbortSignal.any([closed.signal, hurry.signal]));
      if (hurry.signal.aborted) hurry = new AbortController();
    }
  }

  const following = follow();
  return {
    get sent() {
      return sent;
    },
    async drain() {
      const enough = new AbortController();
      draining = true;
      hurry.abort();
      await Promise.race([drained.promise, sleep(clock, drainMs, AbortSignal.any([closed.signal, enough.signal]))]);
      enough.abort();
    },
    async close() {
      closed.abort();
      producer.close();
      answered.resolve();
      await following;
    },
  };
}

/** The letter's shape, of the form that a producer sends. */
const shape: RecordShape<Reading> = {
  value: () => null,
  valueBytes: (reading) => reading.bytes,
  raw: (reading) => letterOf(reading).raw,
  headers: letterShape.headers.map(({ name, text }) => ({ name, text: (reading) => text(letterOf(reading)) })),
};

function recordOf(letter: StoredLetter): LetterRecord {
  return {
    kind: "reading",
    delivery: { origin: letter.origin, source: letter.source, settle() {} },
    index: 0,
    bytes: letter.raw.length,
    id: letter.id,
    fields: {},
    value: "",
    row: letter.row ?? 0,
    byte: letter.byte ?? -1,
    arrivedMs: 0,
    redelivered: false,
    letter,
  };
}

function isLetterRecord(reading: Reading): reading is LetterRecord {
  return "letter" in reading;
}

function letterOf(reading: Reading): StoredLetter {
  if (!isLetterRecord(reading)) throw new Error("The producer of dead letters was given a reading");
  return reading.letter;
}

function numberOf(reading: Reading): number {
  return letterOf(reading).number;
}
