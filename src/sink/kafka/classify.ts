/**
 * What to do about each way in which sending can fail, and what to tell people. Pure: two tables and two functions.
 *
 * Only what a record caused itself ends in a refusal; everything else is tried again for ever.
 *
 * Source of the codes: https://kafka.apache.org/protocol#protocol_error_codes
 *
 * @module
 */
import type { PathError, PathFailure } from "./path_error.ts";

/** What becomes of a batch. */
export type Action =
  /** It is in the log. */
  | "done"
  /** The same bytes again, with the same sequence. */
  | "again"
  /** Something in it is refused: halve it; a single record is refused for good. */
  | "split"
  /** The same records with a new time. */
  | "restamp"
  /** The same records under a new producer id. */
  | "new_id";

/** What a code means. */
export interface Verdict {
  readonly action: Action;
  /** Whether the batch may be in the log all the same. */
  readonly inDoubt: boolean;
  /** A passing thing that is told only when it happens twice in a row: leaders move, followers lag. */
  readonly passing: boolean;
  /** What is wrong, as the end of a sentence: "Topic x: ...". */
  readonly what: string;
  /** What to do about it. */
  readonly advice: string;
}

const waitAdvice = "This passes by itself as a rule; if it stays, look at the health of the Kafka cluster";

function again(what: string, advice: string): Verdict {
  return { action: "again", inDoubt: false, passing: false, what, advice };
}

/** May be in the log: it was written before the answer went wrong. */
function againInDoubt(what: string, advice = waitAdvice): Verdict {
  return { action: "again", inDoubt: true, passing: true, what, advice };
}

function split(what: string, advice: string): Verdict {
  return { action: "split", inDoubt: false, passing: true, what, advice };
}

function newId(what: string): Verdict {
  return { action: "new_id", inDoubt: false, passing: true, what, advice: waitAdvice };
}

const done: Verdict = { action: "done", inDoubt: false, passing: true, what: "delivered", advice: "" };

const verdicts: ReadonlyMap<number, Verdict> = new Map([
  [0, done],
  // A duplicate of what is in the log already: an earlier attempt arrived.
  [46, done],
  [-1, {
    ...againInDoubt("Kafka reports an unexpected error of its own", "Look into the broker's log"),
    passing: false,
  }],
  [2, {
    ...again(
      "a batch was damaged on its way (checksum)",
      "Look for a faulty network device or memory; a Kafka before 2.5 also says so of a record without a key in a compacted topic (--kafka-key)",
    ),
    inDoubt: true,
  }],
  [3, {
    ...againInDoubt(
      "the topic does not exist",
      "Create it, or correct --kafka-topic; without permission to describe a topic Kafka says the same",
    ),
    passing: false,
  }],
  [5, againInDoubt("a partition has no leader at the moment")],
  [6, againInDoubt("the leader of a partition moved")],
  [7, againInDoubt("followers did not confirm in time", "Look at the health and load of the Kafka brokers")],
  [8, againInDoubt("a broker is not available")],
  [9, againInDoubt("a replica is not available")],
  [
    10,
    split("a record is larger than the topic takes", "Raise max.message.bytes of the topic, or send smaller records"),
  ],
  [13, againInDoubt("a broker lost its connection to another")],
  [14, { ...again("Kafka is still starting", waitAdvice), passing: true }],
  [15, { ...again("Kafka's coordinator is not available", waitAdvice), passing: true }],
  [16, { ...again("Kafka's coordinator moved", waitAdvice), passing: true }],
  [
    17,
    again("Kafka does not allow to write to this topic", "Name another topic; internal topics cannot be written to"),
  ],
  [18, split("a batch is larger than a log segment", "Raise segment.bytes of the topic, or send smaller records")],
  [19, {
    ...again(
      "too few replicas are in sync (min.insync.replicas)",
      "Bring the missing brokers back, or lower min.insync.replicas of the topic",
    ),
    passing: true,
  }],
  [20, againInDoubt("too few replicas are in sync (min.insync.replicas)", "Bring the missing brokers back")],
  [
    29,
    again(
      "this user has no permission to write to the topic",
      "Allow Write and Describe on the topic for this user (kafka-acls)",
    ),
  ],
  [
    31,
    again(
      "this user has no permission to send idempotently",
      "Allow Write on the topic, or IdempotentWrite on the cluster, for this user (kafka-acls)",
    ),
  ],
  [32, {
    action: "restamp",
    inDoubt: false,
    passing: false,
    what: "Kafka refuses the time of the records",
    advice:
      "Set the clock of this gateway (NTP), or look at message.timestamp.before.max.ms and after.max.ms of the topic",
  }],
  [35, again("Kafka does not speak our version of the protocol", "Kafka 2.1 or newer is needed")],
  [43, again("the topic's message format is too old", "Raise log.message.format.version to 2.1 or newer")],
  [44, again("a policy of the cluster refuses the records", "Ask who runs the cluster which policy that is")],
  [45, newId("Kafka has lost track of our sequence")],
  [47, newId("Kafka has replaced our producer id")],
  [
    50,
    again(
      "Kafka allows transactions of less than a second only",
      "Raise transaction.max.timeout.ms of the Kafka brokers, to 30000 or more if you may",
    ),
  ],
  [51, { ...again("Kafka is still ending the transaction before", waitAdvice), passing: true }],
  [
    53,
    again(
      "this user has no permission to use the transactional id",
      "Allow Describe and Write on the transactional id <gateway>-files for this user (kafka-acls)",
    ),
  ],
  [55, {
    ...again("Kafka left this out because another partition of the same request failed", waitAdvice),
    passing: true,
  }],
  [56, {
    ...againInDoubt("a broker has trouble with its disk", "Look at the disks and the log of the Kafka brokers"),
    passing: false,
  }],
  [59, newId("Kafka has forgotten our producer id")],
  [72, againInDoubt("the broker has no suitable listener", "Look at advertised.listeners of the Kafka brokers")],
  [74, againInDoubt("the leader of a partition moved")],
  [75, againInDoubt("the leader of a partition moved")],
  [76, again("the topic does not take this compression", "Choose another --kafka-compression")],
  [
    87,
    split(
      "Kafka refuses a record as invalid",
      "A compacted topic takes only records with a key: look at --kafka-key",
    ),
  ],
  [89, againInDoubt("Kafka asks to slow down")],
]);

/** What to do about a code in an answer. An unknown code is tried again, and told. */
export function verdictOf(code: number): Verdict {
  return verdicts.get(code) ??
    {
      action: "again",
      inDoubt: true,
      passing: false,
      what: `Kafka answered with error code ${code}`,
      advice: "https://kafka.apache.org/protocol#protocol_error_codes tells what it means; Weir goes on trying",
    };
}

const pathAdvice: Readonly<Record<PathFailure, string>> = {
  refused: "Is Kafka running there, and is --kafka-brokers right?",
  unresolved:
    "Is the host name in --kafka-brokers (or in advertised.listeners of the broker) right, and does DNS work?",
  unreachable: "Is the network up?",
  timed_out: "Is the network up, and does the listener expect TLS (--kafka-tls)?",
  lost: "Does the listener expect TLS or SASL (--kafka-tls, --kafka-sasl)? If not, look into the broker's log",
  tls:
    "Is --kafka-ca-file the one that signed the broker's certificate, does the certificate name this host, and is the listener a TLS one?",
  authentication: "Check --kafka-username and --kafka-password-file",
  mechanism: "Check --kafka-sasl against the listener's sasl.enabled.mechanisms",
  unsupported: "Kafka 2.1 or newer is needed",
  garbled: "Is it Kafka that listens there?",
  unknown_node: waitAdvice,
  closed: "",
};

/** What to do about a path that failed. */
export function pathAdviceOf({ failure, advice }: Pick<PathError, "failure" | "advice">): string {
  return advice ?? pathAdvice[failure];
}

/** A connection that broke once is told only when it happens again: brokers restart, idle connections are closed. */
export function isPassing(failure: PathFailure): boolean {
  return failure === "lost" || failure === "unknown_node";
}

/** Failures that are one trouble for people: the network or the broker is away, however that shows at the moment. */
export function troubleOf(failure: PathFailure): string {
  const ownTrouble: readonly PathFailure[] = ["tls", "authentication", "mechanism", "unsupported"];
  return ownTrouble.includes(failure) ? failure : "connection";
}
