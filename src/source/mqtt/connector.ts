/**
 * Keeps a connection to the broker: connects, comes back with backoff and jitter when it is lost, falls back to MQTT 3.1.1 where 5 is
 * refused, and says each trouble once, until a connection has held for a while.
 *
 * @module
 */
import { createBackoff } from "../../core/backoff.ts";
import type { Clock, Timer } from "../../core/clock.ts";
import type { Dice } from "../../core/dice.ts";
import type { Emit, Level } from "../../core/event.ts";
import { quoted, sentence } from "../../core/text.ts";
import type { Connection, ConnectionOptions, Loss, OpenConnection, Opened, ProtocolVersion } from "./connection.ts";
import { troubleOf } from "./trouble.ts";

/** First and longest wait between tries. */
const backoffFirstMs = 1_000;
const backoffMaxMs = 30_000;

/** A connection that has held for so long was a good one: the backoff begins anew, and troubles are said anew. */
const stableMs = 10_000;

/** So many connections lost soon after they were made, without a reason given, look like two clients with one id. */
const flappingAfter = 3;

/** What a connector needs. */
export interface ConnectorParts {
  readonly open: OpenConnection;
  /** Without the version, which the connector chooses. */
  readonly options: Omit<ConnectionOptions, "version">;
  readonly version: "auto" | "5" | "3.1.1";
  /** `mqtt://host:port`, for messages. */
  readonly address: string;
  readonly clock: Clock;
  readonly dice: Dice;
  readonly emit: Emit;
}

/** What happens, to who keeps the connector. */
export interface ConnectorEvents {
  opened(connection: Connection, opened: Opened, version: ProtocolVersion): void;
  ready(connection: Connection): void;
  message(topic: string, payload: Uint8Array, packetId: number, dup: boolean, retained: boolean): void;
  /** Comes only after `opened`. */
  closed(): void;
}

/** A connection that comes back. */
export interface Connector {
  /** Connects as soon as it can, and stays. */
  come(): void;
  /** Says goodbye to the broker, which keeps the session, and stays away until `come`. */
  leave(): void;
  /** Resolves when there is no connection any more (after `leave`). */
  away(): Promise<void>;
  /** CONNACK was received and the connection still stands. */
  readonly connected: boolean;
  /** Of the present or the last connection; null before the first. */
  readonly version: ProtocolVersion | null;
  /** Connections made after the first. */
  readonly reconnects: number;
}

/** Makes a {@linkcode Connector}. */
export function createConnector(parts: ConnectorParts, events: ConnectorEvents): Connector {
  const { clock, emit, address } = parts;
  const { clientId } = parts.options;
  const backoff = createBackoff({ firstMs: backoffFirstMs, maxMs: backoffMaxMs }, parts.dice);
  const said = new Set<string>();
  const awayWaiters: (() => void)[] = [];
  let wanted = false;
  let current: Connection | null = null;
  let openedAtMs: number | null = null;
  let retry: Timer | null = null;
  let lastVersion: ProtocolVersion | null = null;
  let connections = 0;
  let shortLives = 0;
  // MQTT 5 was refused by name: not tried again. Or only perhaps, by closing without a word: 3.1.1 is tried once, then 5 again.
  let fiveRefused = false;
  let fiveDoubted = false;

  function sayOnce(key: string, level: Level, name: string, message: string, data = {}): void {
    if (said.has(key)) return emit("debug", name, message, data);
    said.add(key);
    emit(level, name, message, data);
  }

  function chooseVersion(): ProtocolVersion {
    if (parts.version !== "auto") return parts.version === "5" ? 5 : 4;
    return fiveRefused || fiveDoubted ? 4 : 5;
  }

  function connect(): void {
    retry = null;
    if (!wanted || current !== null) return;
    const version = chooseVersion();
    const connection = parts.open({ ...parts.options, version }, {
      opened(opened) {
        openedAtMs = clock.nowMs();
        lastVersion = version;
        connections += 1;
        const session = opened.sessionPresent ? "session resumed" : "new session";
        sayOnce(
          "connected",
          "info",
          "mqtt.connected",
          `Connected to ${address} as ${quoted(clientId)}, MQTT ${version === 5 ? "5" : "3.1.1"}, ${session}`,
          { version, session_present: opened.sessionPresent },
        );
        events.opened(connection, opened, version);
      },
      ready: () => events.ready(connection),
      message: events.message,
      closed: (loss) => closed(loss, version),
    }, clock);
    current = connection;
  }

  function closed(loss: Loss, version: ProtocolVersion): void {
    const livedMs = openedAtMs === null ? null : clock.nowMs() - openedAtMs;
    current = null;
    openedAtMs = null;
    if (livedMs !== null) events.closed();
    for (const waiter of awayWaiters.splice(0)) waiter();
    if (loss.kind === "left") return connect();
    const atOnce = learn(loss, version, livedMs);
    if (wanted) retry = clock.after(atOnce ? 0 : backoff.nextMs(), connect);
  }

  /** Draws conclusions from a loss and tells of it. Returns whether to try again at once. */
  function learn(loss: Loss, version: ProtocolVersion, livedMs: number | null): boolean {
    const stable = livedMs !== null && livedMs >= stableMs;
    if (stable) {
      said.clear();
      backoff.reset();
    }
    const trouble = troubleOf(loss, { address, clientId, version });
    if (
      livedMs === null && parts.version === "auto" && version === 5 && (trouble.versionRefused || mayBeVersion(loss))
    ) {
      if (trouble.versionRefused) fiveRefused = true;
      else fiveDoubted = true;
      emit("debug", "mqtt.version_refused", `${trouble.message}. Trying MQTT 3.1.1`);
      return true;
    }
    fiveDoubted = false;
    const began = livedMs === null ? "mqtt.connect_failed" : "mqtt.connection_lost";
    sayOnce(
      trouble.key,
      "error",
      began,
      `${trouble.message}. ${sentence(trouble.advice)} Trying again until it works`,
      {
        reason: trouble.key,
        code: loss.code,
      },
    );
    shortLives = livedMs === null || stable || loss.kind !== "closed" ? 0 : shortLives + 1;
    if (shortLives === flappingAfter) {
      sayOnce(
        "flapping",
        "error",
        "mqtt.connection_unstable",
        `The broker ${address} has closed ${shortLives} connections soon after they were made. ` +
          `Perhaps another client uses the client id ${
            quoted(clientId)
          }: give each gateway its own --gateway or --mqtt-client-id`,
      );
    }
    return false;
  }

  return {
    get connected() {
      return openedAtMs !== null;
    },
    get version() {
      return lastVersion;
    },
    get reconnects() {
      return Math.max(0, connections - 1);
    },
    come() {
      wanted = true;
      if (current === null && retry === null) connect();
    },
    leave() {
      wanted = false;
      retry?.cancel();
      retry = null;
      current?.close();
    },
    away() {
      if (current === null) return Promise.resolve();
      return new Promise((resolve) => void awayWaiters.push(resolve));
    },
  };
}

/** Brokers that do not know MQTT 5 answer it in many ways: silence, a reset, a CONNACK in the old form, which does not parse. */
function mayBeVersion(loss: Loss): boolean {
  return loss.reached && loss.tls === undefined && (loss.kind === "closed" || loss.kind === "failed");
}
