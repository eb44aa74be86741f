/**
 * What the parts tell of themselves at a moment: plain data for the live view, the log's sums and the status page.
 *
 * @module
 */
import type { Origin } from "./delivery.ts";
import type { Sums } from "./tally.ts";

/** Whether a file will be in before its deadline. `none`: its folder has no period. */
export type DeadlineVerdict = "on_time" | "at_risk" | "late" | "none";

/** A file that is being read. */
export interface FileStatus {
  readonly folder: string;
  /** Base name. Hostile text. */
  readonly name: string;
  /** Size on disk, in bytes. */
  readonly sizeBytes: number;
  /** Bytes on disk up to the last row that was handed to the scheduler (of a compressed file: compressed bytes, estimated). */
  readonly readBytes: number;
  /** Rows handed to the scheduler, by this process or one before it. */
  readonly rowsRead: number;
  /** Rows whose verdict is in (the finished prefix). */
  readonly rowsFinished: number;
  readonly badRows: number;
  /** Estimated rows in the whole file, from the mean bytes a row so far; null before the first row. */
  readonly rowsEstimated: number | null;
  /** Estimated ms until it is read at the present rate; null when nothing is known yet. */
  readonly etaMs: number | null;
  readonly verdict: DeadlineVerdict;
  /** Ms until its deadline, negative when it is past; null or absent: it has none. */
  readonly timeLeftMs?: number | null;
  /** Rows/s that would just make its deadline; null or absent: it has none, it is past, or nothing is known yet. */
  readonly needRows?: number | null;
  /** The least cap of all files, in rows/s, that would make it `on_time`; null or absent: none is needed, or none would do. */
  readonly capNeededRows?: number | null;
}

/** State of the file source. */
export interface FilesStatus {
  readonly kind: "files";
  /** The most urgent first: late, at risk, being read, and last those whose rows are all under way. */
  readonly active: readonly FileStatus[];
  /** Complete files that wait for their turn. */
  readonly waitingFiles: number;
  readonly waitingBytes: number;
  /** Files finished and quarantined by this process. */
  readonly doneFiles: number;
  readonly quarantinedFiles: number;
}

/** State of the MQTT source. */
export interface MqttStatus {
  readonly kind: "mqtt";
  readonly connected: boolean;
  /** 4 is MQTT 3.1.1, 5 is MQTT 5; null before the first connection. */
  readonly protocolVersion: 4 | 5 | null;
  /** Messages taken in and not yet acknowledged. */
  readonly pendingMessages: number;
  readonly pendingBytes: number;
  /** Readings waiting in the inbox for the scheduler. */
  readonly inboxReadings: number;
  readonly reconnects: number;
}

/** State of the replay of dead letters. */
export interface LettersStatus {
  readonly kind: "letters";
  /** The request that is worked off: its letters, and those read ahead; null when there is none. */
  readonly replaying: { readonly letters: number; readonly waiting: number } | null;
  /** Letters replayed by this process, by what became of them. */
  readonly delivered: number;
  readonly filtered: number;
  readonly failed: number;
}

/** State of a source. */
export type SourceStatus = FilesStatus | MqttStatus | LettersStatus;

/** State of a sink. */
export interface SinkStatus {
  readonly kind: string;
  readonly connected: boolean;
  /** What keeps it from sending now, for people; null when all is well. */
  readonly trouble: string | null;
  readonly inFlightReadings: number;
  readonly retries: number;
  /** How long the peer asked us to wait, in total, in ms. */
  readonly throttledMs: number;
}

/** Delay of the live stream from arrival at this process to the verdict, over the last ten seconds. */
export interface DelayStatus {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** What became of dead letters since the start. The first three are of letters that were replayed. */
export interface LetterSums {
  readonly delivered: number;
  readonly filtered: number;
  readonly failed: number;
  /** Deleted for their age (`--dead-letter-keep-for`). */
  readonly expired: number;
  /** Sent to `--dead-letter-topic`. */
  readonly forwarded: number;
}

/** Readings of streams that wait on disk for the sink. */
export interface SpoolStatus {
  readonly readings: number;
  readonly bytes: number;
  /** `--spool-max`; 0: only what an earlier run left is sent. */
  readonly bytesMax: number;
  /** Ms since the first in order came in; null when it is empty. */
  readonly oldestAgeMs: number | null;
  /** Readings that were dropped for want of room since the start. */
  readonly droppedReadings: number;
  /** Topics that stand still because the sink does not get on with them. */
  readonly stillTopics: number;
  /** Why nothing can be written; null when all is well. */
  readonly stuck: "full" | "failing" | null;
}

/** The whole program at a moment. */
export interface AppStatus {
  readonly gateway: string;
  readonly upMs: number;
  readonly sums: Readonly<Record<Origin, Sums>>;
  /** Cap of all files together in rows/s; null when uncapped. */
  readonly capRows: number | null;
  /** Rows/s promised to files even when streams overload the sink. */
  readonly floorRows: number;
  readonly streamDelay: DelayStatus;
  readonly sources: readonly SourceStatus[];
  readonly sink: SinkStatus;
  /** Absent before the start, and in a dry run. */
  readonly spool?: SpoolStatus;
  /** Absent before the start. */
  readonly letters?: LetterSums;
}
