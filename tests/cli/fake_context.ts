/**
 * A terminal, a machine and an app under a test's control, to run whole commands with.
 *
 * @module
 */
import type { App } from "../../src/app.ts";
import type { CommandContext, LetterBook, Output } from "../../src/cli/command.ts";
import type { Settings } from "../../src/config/settings.ts";
import { seededDice } from "../../src/core/dice.ts";
import { WeirError } from "../../src/core/error.ts";
import type { AppStatus } from "../../src/core/status.ts";
import type { LetterDesk } from "../../src/store/letter_desk.ts";
import { type FakeMachine, fakeMachine } from "../config/fake_machine.ts";
import { type VirtualClock, virtualClock } from "../support/virtual_clock.ts";

/** What a test sets and sees. */
export interface FakeContext {
  readonly context: CommandContext;
  readonly clock: VirtualClock;
  /** All that was written, by stream. */
  out(): string;
  err(): string;
  /** Sends a signal. Nothing happens when nobody listens. */
  signal(name: string): void;
  /** How many listen for signals. */
  listeners(): number;
  /** What the app was made with, and what was called on it. */
  readonly seen: { settings: Settings | null; calls: string[] };
}

/** What a test may replace. */
export interface FakeOptions {
  readonly machine?: FakeMachine;
  readonly app?: Partial<App>;
  /** Thrown when an app is made. */
  readonly refusal?: unknown;
  readonly letters?: Partial<LetterBook>;
  readonly desk?: Partial<LetterDesk>;
  /** What the person at the terminal answers; absent: there is no terminal. */
  readonly answer?: string;
  readonly columns?: number;
  readonly colour?: boolean;
  readonly stdout?: CommandContext["stdout"];
  readonly complaintsOf?: CommandContext["complaintsOf"];
}

/** A status with a few readings, all settled but `open` of the stream. */
export function fakeStatus(open = 0): AppStatus {
  const sums = { read: 0, delivered: 0, filtered: 0, dead_lettered: 0, dropped: 0, open: 0 };
  return {
    gateway: "gw",
    upMs: 65_000,
    sums: { real_time: { ...sums, read: 1005, delivered: 1003 - open, dead_lettered: 2, open }, batch: sums },
    capRows: 500,
    floorRows: 50,
    streamDelay: { count: 0, p50Ms: 0, p99Ms: 0, maxMs: 0 },
    sources: [{
      kind: "mqtt",
      connected: true,
      protocolVersion: 5,
      pendingMessages: open,
      pendingBytes: 0,
      inboxReadings: 0,
      reconnects: 0,
    }],
    sink: { kind: "kafka", connected: true, trouble: null, inFlightReadings: open, retries: 0, throttledMs: 0 },
  };
}

/** Makes the context of a command. */
export function fakeContext(args: readonly string[], options: FakeOptions = {}): FakeContext {
  const clock = virtualClock();
  const streams = { out: "", err: "" };
  const listeners = new Set<(signal: string) => void>();
  const hangups = new Set<(signal: string) => void>();
  const seen: FakeContext["seen"] = { settings: null, calls: [] };

  const output = (stream: "out" | "err"): Output => ({
    write(text) {
      streams[stream] += text;
    },
    isGone: false,
    isTerminal: options.colour ?? false,
    colour: options.colour ?? false,
    columns: options.columns ?? 80,
    rows: 24,
  });

  const context: CommandContext = {
    args,
    surroundings: fakeMachine(options.machine),
    clock,
    dice: seededDice(1),
    version: "1.2.3",
    output: output("out"),
    errors: output("err"),
    stdout: options.stdout ?? { write: (bytes) => Promise.resolve(bytes.length) },
    onStopSignal(callback) {
      listeners.add(callback);
      return () => listeners.delete(callback);
    },
    onReloadSignal(callback) {
      const listener = (name: string) => name === "SIGHUP" && callback();
      hangups.add(listener);
      return () => hangups.delete(listener);
    },
    complaintsOf: options.complaintsOf ?? (() => []),
    createApp(settings) {
      if (options.refusal !== undefined) throw options.refusal;
      seen.settings = settings;
      return fakeApp(seen.calls, options.app ?? {});
    },
    openRecords: () => Promise.reject(new WeirError("unavailable", "There is no ledger")),
    openLetters(stateDir) {
      seen.calls.push(`open ${stateDir}`);
      if (options.letters === undefined) throw new WeirError("unavailable", "There is no ledger");
      return Promise.resolve({
        list: () => Promise.resolve([]),
        letter: () => Promise.resolve(null),
        letterCount: () => Promise.resolve({ letters: 0, bytes: 0 }),
        close() {
          seen.calls.push("close");
          return Promise.resolve();
        },
        ...options.letters,
      });
    },
    openLetterDesk(stateDir) {
      seen.calls.push(`desk ${stateDir}`);
      return Promise.resolve({
        letterCount: () => Promise.resolve({ letters: 0, bytes: 0 }),
        removeLetters: () => Promise.resolve(0),
        askReplay: () => Promise.reject(new Error("Nobody was to ask")),
        replay: () => Promise.resolve(null),
        gatewayRuns: () => Promise.resolve(true),
        close() {
          seen.calls.push("close");
          return Promise.resolve();
        },
        ...options.desk,
      });
    },
    ask(question) {
      seen.calls.push(`ask ${question}`);
      return options.answer ?? null;
    },
  };
  return {
    context,
    clock,
    out: () => streams.out,
    err: () => streams.err,
    signal: (name) => [...(name === "SIGHUP" ? hangups : listeners)].forEach((listener) => listener(name)),
    listeners: () => listeners.size + hangups.size,
    seen,
  };
}

function fakeApp(calls: string[], parts: Partial<App>): App {
  const app: App = {
    start: () => Promise.resolve(),
    failed: () => new Promise<never>(() => {}),
    finished: () => new Promise(() => {}),
    stop: () => Promise.resolve(true),
    abort: () => {},
    status: () => fakeStatus(),
    reload: () => {},
    check: () => Promise.resolve([]),
    examine: () => Promise.resolve([]),
    ...parts,
  };
  return {
    start() {
      calls.push("start");
      return app.start();
    },
    failed: () => new Promise<never>(() => {}),
    finished: () => app.finished(),
    stop(drainTimeoutMs) {
      calls.push(`stop ${drainTimeoutMs}`);
      return app.stop(drainTimeoutMs);
    },
    abort() {
      calls.push("abort");
      app.abort();
    },
    status: () => app.status(),
    reload(settings) {
      calls.push("reload");
      app.reload(settings);
    },
    check: () => app.check(),
    examine: () => app.examine(),
  };
}
