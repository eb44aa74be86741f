/**
 * Tells systemd how the gateway is, by its protocol sd_notify(3): `READY=1` when everything is started, `STATUS=` with a line for
 * `systemctl status`, `WATCHDOG=1` while the data path does its work (`progress.ts`), `RELOADING=1` around a reload, `STOPPING=1` before
 * the drain. Where there is no systemd (`NOTIFY_SOCKET` is not set) all of it does nothing.
 *
 * A datagram socket of Deno needs a path of its own, so one is made in a new folder under `RUNTIME_DIRECTORY`, or the temporary one.
 * Sockets in the abstract name space (`NOTIFY_SOCKET=@...`) cannot be named in Deno; the system's and the user's service manager use paths.
 *
 * @module
 */
import { join } from "node:path";
import type { Clock, Timer } from "../core/clock.ts";
import { messageOf } from "../core/error.ts";
import type { Emit, Event } from "../core/event.ts";
import type { AppStatus } from "../core/status.ts";
import { formatCount, printable, quoted } from "../core/text.ts";
import { createProgressWatch, stuckMs } from "./progress.ts";

/** What the service manager is told with. */
export interface ServiceManagerOptions {
  readonly environment: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly emit: Emit;
  readonly status: () => AppStatus;
}

/** The service manager, told. Nothing here throws or waits but `close`. */
export interface ServiceManager {
  /** Everything is started. From now on it gets status lines and signs of life. */
  ready(): void;
  /** A reload begins; `ready` ends it. */
  reloading(): void;
  /** A stop begins. */
  stopping(reason: string): void;
  /** Listens to what happens. */
  take(event: Event): void;
  /** Tells nothing more. Resolves when what was told has left. */
  close(): Promise<void>;
}

/** Status lines are told so often at most. */
const beatMs = 10_000;

/** Signs of life come this many times within the time that the watchdog allows: two may be lost or late. */
const beatsPerWatchdog = 3;

/** Makes a {@linkcode ServiceManager}. */
export function tellServiceManager(options: ServiceManagerOptions): ServiceManager {
  const { environment, clock, emit, status } = options;
  const socket = openNotifySocket(environment, emit);
  if (socket === null) return nobody;
  const progress = createProgressWatch(clock);
  const watchdogMs = watchdogOf(environment);
  const everyMs = Math.min(beatMs, (watchdogMs ?? Infinity) / beatsPerWatchdog);
  let timer: Timer | null = null;
  let moved = true;
  let closed = false;
  let stopping = false;

  function beat(): void {
    const now = status();
    const moves = progress.moves(now);
    if (moves !== moved) tellStuck(moves, now);
    moved = moves;
    socket?.send([
      ...(stopping ? [] : [`STATUS=${moves ? statusLine(now) : "stuck: no reading moves"}`]),
      ...(moves && watchdogMs !== null ? ["WATCHDOG=1"] : []),
    ]);
    if (!closed) timer = clock.after(everyMs, beat);
  }

  function tellStuck(moves: boolean, { sums }: AppStatus): void {
    const open = sums.real_time.open + sums.batch.open;
    if (moves) return emit("info", "app.unstuck", "Readings move again");
    const consequence = watchdogMs === null ? "" : "; systemd gets no more signs of life and will restart the gateway";
    emit(
      "error",
      "app.stuck",
      `Nothing has moved for ${stuckMs / 1000} s although ${
        formatCount(open)
      } readings are on their way and nothing is ` +
        `in their way: this is a defect${consequence}`,
      { open },
    );
  }

  return {
    ready() {
      socket.send(["READY=1"]);
      timer?.cancel();
      beat();
    },
    reloading: () => socket.send(["RELOADING=1", "STATUS=reading the settings again"]),
    stopping(reason) {
      stopping = true;
      socket.send(["STOPPING=1", `STATUS=stopping: ${printable(reason)}`]);
    },
    take: progress.take,
    close() {
      closed = true;
      timer?.cancel();
      return socket.close();
    },
  };
}

/** For runs that no service manager started. */
const nobody: ServiceManager = {
  ready: () => {},
  reloading: () => {},
  stopping: () => {},
  take: () => {},
  close: () => Promise.resolve(),
};

/** One line for `systemctl status`. */
export function statusLine({ sums, sources, sink, capRows, streamDelay }: AppStatus): string {
  const files = sources.flatMap((source) => source.kind === "files" ? source.active : []);
  const mqtt = sources.find((source) => source.kind === "mqtt");
  const parts = [
    ...(mqtt === undefined ? [] : [
      `${mqtt.connected ? "" : "MQTT away, "}${formatCount(sums.real_time.delivered)} stream readings, p99 ${
        streamDelay.p99Ms.toFixed(1)
      } ms`,
    ]),
    ...(sources.some((source) => source.kind === "files")
      ? [`${formatCount(sums.batch.delivered)} rows of files, ${capRows === null ? "uncapped" : `cap ${capRows}/s`}`]
      : []),
    ...files.slice(0, 2).map(({ name, readBytes, sizeBytes }) =>
      `${printable(name, 40)} ${Math.floor(100 * readBytes / Math.max(1, sizeBytes))} %`
    ),
    sink.trouble === null ? `${sink.kind} ${sink.connected ? "well" : "away"}` : printable(sink.trouble, 200),
  ];
  return parts.join("; ");
}

/** Milliseconds after which systemd takes silence for death; null when it does not listen for ours (sd_watchdog_enabled(3)). */
function watchdogOf(environment: Readonly<Record<string, string>>): number | null {
  const pid = environment["WATCHDOG_PID"] ?? "";
  const micros = Number(environment["WATCHDOG_USEC"] ?? "");
  if (!(micros > 0 && Number.isFinite(micros)) || (pid !== "" && pid !== String(Deno.pid))) return null;
  return micros / 1000;
}

/** A datagram socket towards the service manager. */
interface NotifySocket {
  /** Sends `NAME=value` lines as one message, after those before it. No lines: nothing. */
  send(lines: readonly string[]): void;
  close(): Promise<void>;
}

/** Null when there is none, or it cannot be reached: that is said, and no reason not to work. */
function openNotifySocket(environment: Readonly<Record<string, string>>, emit: Emit): NotifySocket | null {
  const path = environment["NOTIFY_SOCKET"] ?? "";
  if (path === "") return null;
  let failed = false;
  const fail = (thrown: unknown): void => {
    if (failed) return;
    failed = true;
    emit(
      "warn",
      "systemd.unreachable",
      `The service manager cannot be told anything at NOTIFY_SOCKET=${quoted(path)}: ${printable(messageOf(thrown))}`,
    );
  };
  if (!path.startsWith("/")) {
    fail("only sockets with a path can be reached; start it with Type=exec and without WatchdogSec=");
    return null;
  }
  const encoder = new TextEncoder();
  let sent: Promise<void> = Promise.resolve();
  try {
    const runtime = environment["RUNTIME_DIRECTORY"]?.split(":")[0] ?? "";
    const folder = Deno.makeTempDirSync({ prefix: "notify-", ...(runtime === "" ? {} : { dir: runtime }) });
    const socket = Deno.listenDatagram({ transport: "unixpacket", path: join(folder, "socket") });
    return {
      send(lines) {
        if (lines.length === 0) return;
        const message = encoder.encode(lines.map((line) => `${line}\n`).join(""));
        sent = sent.then(() => socket.send(message, { transport: "unixpacket", path })).then(() => {}, fail);
      },
      async close() {
        await sent;
        socket.close();
        await Deno.remove(folder, { recursive: true }).catch(() => {});
      },
    };
  } catch (thrown) {
    fail(thrown);
    return null;
  }
}
