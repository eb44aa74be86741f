/**
 * A status that a test sets, and dead letters.
 *
 * @module
 */
import type { DeadLetterStore, StoredLetter } from "../../../src/core/store.ts";
import type { AppStatus, FileStatus } from "../../../src/core/status.ts";

/** Text that is markup for who takes it so, and turns the text around it. */
export const hostile = `<img src=x onerror="document.title='owned'">\u202e</script><script>alert(1)</script>`;

/** A file half read. */
export function fakeFile(changes: Partial<FileStatus> = {}): FileStatus {
  return {
    folder: "/dumps",
    name: "a.csv",
    sizeBytes: 2_000_000,
    readBytes: 1_000_000,
    rowsRead: 40_000,
    rowsFinished: 39_900,
    badRows: 3,
    rowsEstimated: 80_000,
    etaMs: 80_000,
    verdict: "on_time",
    ...changes,
  };
}

/** A gateway with streams, a file and Kafka, `upMs` after its start: 300 streams/s and 500 rows/s. */
export function fakeStatus(upMs: number, changes: Partial<AppStatus> = {}): AppStatus {
  const read = { real_time: Math.round(upMs * 0.3), batch: Math.round(upMs * 0.5) };
  const none = { filtered: 0, dead_lettered: 0, dropped: 0, open: 0 };
  return {
    gateway: "press-line-3",
    upMs,
    sums: {
      real_time: { ...none, read: read.real_time, delivered: read.real_time },
      batch: { ...none, read: read.batch, delivered: read.batch - 10, dead_lettered: 3, open: 7 },
    },
    capRows: 500,
    floorRows: 50,
    streamDelay: { count: 3000, p50Ms: 2.5, p99Ms: 41, maxMs: 60 },
    sources: [
      {
        kind: "mqtt",
        connected: true,
        protocolVersion: 5,
        pendingMessages: 4,
        pendingBytes: 800,
        inboxReadings: 2,
        reconnects: 1,
      },
      {
        kind: "files",
        active: [fakeFile()],
        waitingFiles: 2,
        waitingBytes: 3_000_000,
        doneFiles: 5,
        quarantinedFiles: 1,
      },
    ],
    sink: { kind: "kafka", connected: true, trouble: null, inFlightReadings: 12, retries: 1, throttledMs: 2500 },
    ...changes,
  };
}

/** A dead letter of a file. */
export function fakeLetter(number: number, changes: Partial<StoredLetter> = {}): StoredLetter {
  return {
    number,
    tries: 0,
    storedAtMs: Date.UTC(2026, 0, 1) + number,
    id: `gw/f/${number}`,
    reason: "bad_csv",
    detail: "The row has 1 cell",
    origin: "batch",
    source: "/dumps/a.csv",
    row: number,
    byte: number * 10,
    decoder: "csv",
    header: ["device_id", "value"],
    raw: new TextEncoder().encode("secret\u0007row\n"),
    arrivedAtMs: 0,
    ...changes,
  };
}

/** Dead letters, newest first, and how often they were asked for. */
export function fakeLetters(...letters: readonly StoredLetter[]): Pick<DeadLetterStore, "list" | "letterCount"> & {
  asked(): number;
} {
  let asked = 0;
  return {
    asked: () => asked,
    list(_filter, limit) {
      asked += 1;
      return Promise.resolve(letters.slice(0, limit));
    },
    letterCount: () => Promise.resolve({ letters: letters.length, bytes: letters.length * 100 }),
  };
}
