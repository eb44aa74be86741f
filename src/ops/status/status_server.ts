/**
 * The status server: the page, the figures for programs, and the health of the process. It listens to the program and never holds it up:
 * it asks for the status once a second, is bounded in everything, and when it cannot listen the gateway goes on without it.
 *
 * @module
 */
import process from "node:process";
import type { Clock, Timer } from "../../core/clock.ts";
import { messageOf } from "../../core/error.ts";
import type { Emit } from "../../core/event.ts";
import type { AppStatus } from "../../core/status.ts";
import type { DeadLetterStore } from "../../core/store.ts";
import { createAccess } from "./access.ts";
import { createWatchers } from "./events.ts";
import { type HttpServer, type HttpServerOptions, listenHttp } from "./http_server.ts";
import { createLetters } from "./letters.ts";
import type { ProcessFigures } from "./metrics.ts";
import { buildPage } from "./page.ts";
import { createRoutes } from "./routes.ts";
import { createHistory, type Snapshot } from "./snapshot.ts";

/** What the server is made from. */
export interface StatusServerOptions {
  readonly hostname: string;
  /** 0: a free one. */
  readonly port: number;
  /** Null: nobody needs one, and the contents of dead letters are not given out. */
  readonly token: string | null;
  readonly version: string;
  readonly clock: Clock;
  readonly emit: Emit;
  status(): AppStatus;
  readonly letters: Pick<DeadLetterStore, "list" | "letterCount">;
}

/** The status server. */
export interface StatusServer {
  /** `http://127.0.0.1:9464`; null while it does not listen. */
  url(): string | null;
  /** Ends it and every answer that is under way. */
  close(): Promise<void>;
}

const tickMs = 1000;
/** Whoever holds the port may let go of it: a gateway that is being replaced, for example. */
const listenAgainMs = 10_000;

/** Starts it. An address that is not to be had is told once, and tried again. */
export function startStatusServer(options: StatusServerOptions): StatusServer {
  const { clock, emit } = options;
  const history = createHistory();
  const watchers = createWatchers();
  const letters = createLetters({ store: options.letters, clock, contentsShown: options.token !== null });
  const access = createAccess(options.token);
  const startedAtSeconds = clock.wallMs() / 1000;
  let server: HttpServer | null = null;
  let tickTimer: Timer = clock.after(0, tick);
  let listenTimer: Timer | null = null;
  let complained = false;
  let closed = false;

  const routes = createRoutes({
    page: buildPage(),
    watchers,
    history,
    snapshot: () => snapshotOf(options.status()),
    process: figures,
    notReady: () => options.status().sink.connected ? null : "The sink is not connected",
  });

  async function snapshotOf(status: AppStatus): Promise<Snapshot> {
    const deadLettered = status.sums.real_time.dead_lettered + status.sums.batch.dead_lettered;
    return {
      version: 1,
      program: options.version,
      atMs: Math.round(clock.wallMs()),
      ...status,
      rates: history.rates(),
      deadLetters: await letters.view(deadLettered),
    };
  }

  function tick(): void {
    tickTimer = clock.after(tickMs, tick);
    const status = options.status();
    history.add(status);
    if (watchers.count() === 0) return;
    snapshotOf(status).then((snapshot) => watchers.send({ name: "status", json: JSON.stringify(snapshot) }), onDefect);
  }

  function figures(): ProcessFigures {
    const { rss, heapUsed } = Deno.memoryUsage();
    const { user, system } = process.cpuUsage();
    return {
      startedAtSeconds,
      cpuSeconds: (user + system) / 1e6,
      residentBytes: rss,
      heapBytes: heapUsed,
      watchers: watchers.count(),
      connections: server?.connections() ?? 0,
      turnedAway: server?.turnedAway() ?? 0,
    };
  }

  function onDefect(thrown: unknown): void {
    emit("error", "status.defect", `The status server has a defect: ${messageOf(thrown)}`);
  }

  function listen(): void {
    if (closed) return;
    const handle: HttpServerOptions["handle"] = (request) => access(request) ?? routes(request);
    try {
      server = listenHttp({ hostname: options.hostname, port: options.port, clock, handle, onDefect });
      emit("info", "status.listening", `The status page is at ${urlOf(options.hostname, server.port)}`, {
        port: server.port,
      });
    } catch (thrown) {
      listenTimer = clock.after(listenAgainMs, listen);
      if (complained) return;
      complained = true;
      emit(
        "warn",
        "status.not_listening",
        `The status page cannot listen on ${hostOf(options.hostname)}:${options.port}: ${reasonOf(thrown)}. ` +
          "The gateway goes on without it and tries again; --status-listen names another address, or none",
      );
    }
  }

  listen();
  return {
    url: () => server === null ? null : urlOf(options.hostname, server.port),
    async close() {
      closed = true;
      tickTimer.cancel();
      listenTimer?.cancel();
      await server?.close();
    },
  };
}

function urlOf(hostname: string, port: number): string {
  return `http://${hostOf(hostname)}:${port}/`;
}

function hostOf(hostname: string): string {
  return hostname.includes(":") ? `[${hostname}]` : hostname;
}

function reasonOf(thrown: unknown): string {
  if (thrown instanceof Deno.errors.AddrInUse) return "somebody listens there already";
  if (thrown instanceof Deno.errors.AddrNotAvailable) return "this machine has no such address";
  if (thrown instanceof Deno.errors.PermissionDenied) return "the system does not allow it";
  return messageOf(thrown);
}
