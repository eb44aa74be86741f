/**
 * The program put together: settings in, a running gateway out. It takes the state folder's lock, opens the ledger, builds the parts named
 * in the registry, and starts and stops them in order.
 *
 * @module
 */
import { type Clock, sleep, type Timer } from "./core/clock.ts";
import type { Normalizer } from "./core/decoder.ts";
import type { Dice } from "./core/dice.ts";
import { WeirError } from "./core/error.ts";
import type { Emit } from "./core/event.ts";
import type { Finding } from "./core/finding.ts";
import type { LetterFollower } from "./core/letter_follower.ts";
import type { AppStatus, FileStatus, LetterSums } from "./core/status.ts";
import type { Ledger } from "./core/store.ts";
import { createTally, type Sums, type Tally } from "./core/tally.ts";
import type { Settings } from "./config/settings.ts";
import { storedFields } from "./decode/stored_fields.ts";
import { startStatusServer, type StatusServer } from "./ops/status/status_server.ts";
import { createPipeline, type Pipeline, type PipelineParts } from "./pipeline.ts";
import { buildParts, foldersOf, normalizerOf, type Parts, schedulingOf, termsOf } from "./registry.ts";
import { createDeadlineWatch, type DeadlineWatchOptions, type Watched } from "./scheduler/deadline_watch.ts";
import type { FairShareOptions } from "./scheduler/defaults.ts";
import { openLedger } from "./store/ledger.ts";
import { lockState, type StateLock } from "./store/lock.ts";
import { createLetterRetention, type LetterRetention } from "./store/letter_retention.ts";
import { memoryLedger } from "./store/memory_ledger.ts";
import { checkStateDir } from "./store/state_dir.ts";

/** What the program is given besides its settings. */
export interface AppDeps {
  readonly clock: Clock;
  readonly dice: Dice;
  readonly emit: Emit;
  readonly version: string;
  /** Where `--sink stdout` and `--dry-run` write. */
  readonly stdout: { write(bytes: Uint8Array): Promise<number> };
}

/** One run of the program. */
export interface App {
  /**
   * Takes the lock, opens the ledger and the sink, starts the sources. Does not wait for a broker, for Kafka or for a folder.
   *
   * @throws {WeirError} `locked` when a second instance runs on the state folder, `permission`, `storage`, `configuration`.
   */
  start(): Promise<void>;
  /** Resolves when there is nothing left to do without new input (`--once`), or when the reader of stdout is gone. */
  finished(): Promise<void>;
  /** Never resolves; rejects when the program cannot go on: another instance has taken over (`fenced`). */
  failed(): Promise<never>;
  /** Takes in nothing new, waits at most `drainTimeoutMs` for what is on its way, then closes everything. True: all of it arrived. */
  stop(drainTimeoutMs: number): Promise<boolean>;
  /** Ends a `stop` that is under way without waiting any longer. */
  abort(): void;
  status(): AppStatus;
  /**
   * Takes over caps, pace, floor, limits in flight, weights, periods and the rules for readings from other settings, for everything that is
   * read or sent from now on. All other settings stay as they are.
   *
   * @throws {WeirError} `configuration`; nothing has changed then.
   */
  reload(settings: Settings): void;
  /** Tries the peers, the folders and the state folder, without touching a gateway that runs. Needs no `start`. */
  check(): Promise<readonly Finding[]>;
  /** What `doctor` asks beyond `check`, in the same way. */
  examine(): Promise<readonly Finding[]>;
}

/** A running gateway: everything that `start` opened. */
interface Running {
  readonly lock: StateLock | null;
  readonly ledger: Ledger;
  readonly parts: Parts;
  readonly pipeline: Pipeline;
  readonly retention: LetterRetention;
  /** The daily look at certificates. */
  readonly certificates: Timer;
  /** Null: dead letters are not sent on. */
  readonly follower: LetterFollower | null;
  readonly tally: Tally;
  readonly startedMs: number;
  /** Null: none is wanted. */
  readonly statusServer: StatusServer | null;
}

/** Among the last so many files of a folder there is one that was read whole. */
const recordsLooked = 20;
const noSums: Sums = { read: 0, delivered: 0, filtered: 0, dead_lettered: 0, dropped: 0, open: 0 };

/**
 * Makes an {@linkcode App}. Checks what needs no peer: the schema, the rules, the templates.
 *
 * @throws {WeirError} `configuration`.
 */
export function createApp(settings: Settings, deps: AppDeps): App {
  const { clock, emit } = deps;
  let fairShare = schedulingOf(settings);
  let rules = normalizerOf(settings);
  const normalizer: Normalizer = {
    checkHeader: (header) => rules.checkHeader(header),
    normalize: (row, arrival) => rules.normalize(row, arrival),
    lineWriter: (layout, arrival) => rules.lineWriter?.(layout, arrival) ?? null,
    payloadWriter: (topicFields) => rules.payloadWriter?.(topicFields) ?? null,
  };
  let folders = foldersByPath(settings);
  const deadlines = createDeadlineWatch(watchOptions(settings, fairShare), deps);
  const aborted = new AbortController();
  const stdoutGone = Promise.withResolvers<void>();
  // Built once for nothing: wrong expressions, schemas and templates are found before anything is opened.
  const idle = build(memoryLedger({ clock, deadLetterBytesMax: settings.limits.deadLetterBytesMax }), createTally());
  let running: Running | null = null;

  function build(ledger: Ledger, tally: Tally): Parts {
    return buildParts(settings, {
      ...deps,
      ledger,
      tally,
      normalizer,
      forecast: deadlines.forecast,
      folderInForce: (path) => folders.get(path),
      boot: bootId(deps),
      onStdoutClosed: stdoutGone.resolve,
    });
  }

  async function open(): Promise<Running> {
    const lock = settings.dryRun ? null : await lockState(settings.stateDir);
    try {
      const ledger = await whileLoading(ledgerFor(settings, deps));
      const tally = createTally();
      const parts = build(ledger, tally);
      const pipeline = createPipeline({
        ...deps,
        ...parts,
        ...spooling(settings, ledger),
        letters: ledger,
        fairShare,
        tally,
      });
      try {
        await pipeline.start();
        await deadlines.start(watchedBy({ ledger, parts, pipeline, tally }));
      } catch (thrown) {
        await ledger.close();
        throw thrown;
      }
      const keepForMs = settings.dryRun ? null : settings.limits.deadLetterKeepForMs;
      const retention = createLetterRetention({ store: ledger, clock, emit, keepForMs });
      retention.start();
      const follower = settings.dryRun ? null : parts.sink.followLetters?.(ledger) ?? null;
      const opened = { lock, ledger, parts, pipeline, retention, follower, tally };
      const statusServer = serveStatus(ledger);
      return { ...opened, startedMs: clock.nowMs(), statusServer, certificates: parts.watchCertificates() };
    } catch (thrown) {
      await lock?.release();
      throw thrown;
    }
  }

  /** Libraries are loaded meanwhile: the ledger's worker takes a tenth of a second to begin, in which this thread has nothing else to do. */
  async function whileLoading(opening: Promise<Ledger>): Promise<Ledger> {
    // What cannot be loaded is told to who needs it, when he does.
    for (const part of [idle.sink, ...idle.sources]) part.load?.().catch(() => {});
    return await opening;
  }

  function status(): AppStatus {
    const { sources, sink } = running?.parts ?? idle;
    return {
      gateway: settings.gateway,
      upMs: running === null ? 0 : clock.nowMs() - running.startedMs,
      sums: {
        real_time: running?.tally.sums("real_time") ?? noSums,
        batch: running?.tally.sums("batch") ?? noSums,
      },
      capRows: fairShare.capRows,
      floorRows: fairShare.floorRows,
      streamDelay: running?.pipeline.delay() ?? { count: 0, p50Ms: 0, p99Ms: 0, maxMs: 0 },
      sources: sources.map((source) => source.status()),
      sink: sink.status(),
      ...(running === null ? {} : { letters: letterSums(running) }),
      ...spoolStatus(running),
    };
  }

  function serveStatus(letters: Ledger): StatusServer | null {
    if (settings.status === null) return null;
    const { hostname, port, token } = settings.status;
    return startStatusServer({ ...deps, hostname, port, token: token?.reveal() ?? null, letters, status });
  }

  return {
    async start() {
      running = await open();
      emit("info", "app.started", startLine(settings, fairShare, deps.version), { gateway: settings.gateway });
    },
    async finished() {
      if (running === null) throw new Error("The app was not started");
      await Promise.race([running.pipeline.finished(), stdoutGone.promise]);
    },
    async failed() {
      const fenced = await (running?.parts.sink.chunks?.fenced ?? new Promise<never>(() => {}));
      throw fenced;
    },
    async stop(drainTimeoutMs) {
      if (running === null) return true;
      const { lock, ledger, pipeline, retention, follower, statusServer, certificates } = running;
      deadlines.stop();
      certificates.cancel();
      const timeout = new AbortController();
      const drained = await Promise.race([
        pipeline.drain().then(() => follower?.drain()).then(() => true),
        sleep(clock, drainTimeoutMs, AbortSignal.any([aborted.signal, timeout.signal])).then(() => false),
        stdoutGone.promise.then(() => false),
      ]);
      timeout.abort();
      await statusServer?.close();
      await retention.stop();
      await follower?.close();
      await pipeline.close();
      await ledger.close();
      await lock?.release();
      return drained;
    },
    abort: () => aborted.abort(),
    status,
    reload(next) {
      const [numbers, nextRules] = [schedulingOf(next), normalizerOf(next)];
      fairShare = numbers;
      rules = nextRules;
      folders = foldersByPath(next);
      deadlines.change(watchOptions(next, numbers));
      running?.pipeline.reschedule(numbers, termsOf(next));
    },
    async check() {
      const tried = await Promise.all([
        settings.dryRun ? [] : checkStateDir(settings.stateDir),
        idle.sink.check(),
        ...idle.sources.map((source) => source.check()),
      ]);
      return tried.flat();
    },
    examine: async () => await idle.sink.examine?.() ?? [],
  };
}

function watchOptions(settings: Settings, { capRows, floorRows }: FairShareOptions): DeadlineWatchOptions {
  return { capRows, floorRows, pace: settings.files?.pace ?? "cap", folders: foldersOf(settings) };
}

function foldersByPath(settings: Settings): ReadonlyMap<string, ReturnType<typeof foldersOf>[number]> {
  return new Map(foldersOf(settings).map((folder) => [folder.path, folder]));
}

/** A dry run puts nothing aside. */
function spooling({ dryRun, limits }: Settings, store: Ledger): Pick<PipelineParts, "spool"> {
  if (dryRun) return {};
  const { spoolBytesMax: bytesMax, spoolWhenFull: whenFull } = limits;
  return { spool: { store, bytesMax, whenFull, parseFields: storedFields } };
}

function spoolStatus(running: Running | null): Pick<AppStatus, "spool"> {
  const spool = running?.pipeline.spool() ?? null;
  return spool === null ? {} : { spool };
}

function letterSums({ parts, retention, follower }: Running): LetterSums {
  const replayed = parts.sources.map((source) => source.status()).find((status) => status.kind === "letters");
  const { delivered = 0, filtered = 0, failed = 0 } = replayed ?? {};
  return { delivered, filtered, failed, expired: retention.expired, forwarded: follower?.sent ?? 0 };
}

/** The running gateway as the deadlines see it. */
function watchedBy(
  { ledger, parts, pipeline, tally }: Pick<Running, "ledger" | "parts" | "pipeline" | "tally">,
): Watched {
  return {
    files: () =>
      parts.sources.flatMap((source): readonly FileStatus[] => {
        const status = source.status();
        return status.kind === "files" ? status.active : [];
      }),
    rowsHandedOver: () => tally.sums("batch").read,
    setCap: pipeline.setCap,
    async lastDumpRows(folder) {
      try {
        const records = await ledger.files(folder, recordsLooked);
        return records.find((one) => one.sha256 !== null)?.counts.read ?? null;
      } catch (thrown) {
        // Only a forecast goes without: a ledger that is broken shows at the first checkpoint.
        if (thrown instanceof WeirError) return null;
        throw thrown;
      }
    },
  };
}

async function ledgerFor(settings: Settings, deps: AppDeps): Promise<Ledger> {
  const { clock, emit } = deps;
  const deadLetterBytesMax = settings.limits.deadLetterBytesMax;
  if (settings.dryRun) return memoryLedger({ clock, deadLetterBytesMax });
  return await openLedger({ stateDir: settings.stateDir, deadLetterBytesMax, clock, emit });
}

/** A name for this life of the process, so that ids of stream readings never repeat: start time and chance, base 36. */
function bootId(deps: AppDeps): string {
  return `${Math.floor(deps.clock.wallMs()).toString(36)}${
    Math.floor(deps.dice() * 36 ** 4).toString(36).padStart(4, "0")
  }`;
}

function startLine(settings: Settings, fairShare: FairShareOptions, version: string): string {
  const cap = fairShare.capRows === null ? "uncapped" : `capped at ${fairShare.capRows} rows/s`;
  const streams = settings.mqtt === null ? "no streams" : `streams from ${settings.mqtt.url}`;
  const files = settings.files === null
    ? "no files"
    : `files from ${settings.files.folders.map((folder) => folder.path).join(", ")} ${cap}`;
  const sink = settings.dryRun ? "stdout (dry run)" : settings.sink.kind;
  return `Weir ${version} is "${settings.gateway}": ${streams}; ${files}; to ${sink}`;
}
