/**
 * One connection to one broker: TCP, TLS and SASL are kafkajs's, everything above is ours. No other file imports kafkajs.
 *
 * A connection is thrown away with its socket on the first error of any kind and never repaired: kafkajs's own connection, used again
 * after a half-received answer, reads the rest of the old one as the beginning of the new one. Deadlines are ours as well.
 *
 * @module
 */
/// <reference types="./kafkajs_internals.d.ts" />
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type Broker from "kafkajs/src/broker/index.js";
import type { PooledConnection, SilentLogger, SocketFactoryArguments } from "kafkajs/src/network/connectionPool.js";
import type { Clock } from "../../core/clock.ts";
import { messageOf } from "../../core/error.ts";
import { current, type Renewable } from "../../core/renewable.ts";
import { printable } from "../../core/text.ts";
import { explainTls, isTlsError, type TlsMaterial, tlsOptions } from "../../core/tls.ts";
import { exchange } from "./exchange.ts";
import { PathError, type PathFailure } from "./path_error.ts";
import type { KafkaRequest } from "./requests.ts";
import { createTimeLimits } from "./time_limits.ts";

/** User and password, and how they are proved. */
export interface SaslOptions {
  readonly mechanism: "plain" | "scram-sha-256" | "scram-sha-512";
  readonly username: string;
  readonly password: Renewable<string>;
}

/** How connections are made. */
export interface ConnectionOptions {
  readonly clientId: string;
  /** Null: no TLS. */
  readonly tls: Renewable<TlsMaterial> | null;
  readonly sasl: SaslOptions | null;
  /** Longest time for TCP, TLS and SASL together, in ms. */
  readonly connectTimeoutMs: number;
}

/** Where a broker listens. */
export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
}

/** A connection that is open. */
export interface Connection {
  readonly address: BrokerAddress;
  /** False once it failed, and when its SASL session is about to end: open another. */
  readonly live: boolean;
  /**
   * Sends a request and waits for its answer.
   *
   * @throws {PathError} when there is no answer in `timeoutMs`, or the connection broke; then the connection is gone.
   */
  request<T>(request: KafkaRequest<T>, timeoutMs: number): Promise<T>;
  /** Closes once the answers that are still due have come. */
  retire(): void;
  /** Destroys the socket; requests under way fail with `closed`. */
  close(): void;
}

/** Opens a connection, or throws {@linkcode PathError}. `signal` gives up the attempt. */
export type OpenConnection = (address: BrokerAddress, signal: AbortSignal) => Promise<Connection>;

/** A session is left this long before the broker would end it. */
const sessionMarginMs = 10_000;

/** What of kafkajs is used. */
export interface Library {
  readonly Broker: typeof Broker;
  readonly ConnectionPool: typeof import("kafkajs/src/network/connectionPool.js").default;
}

/** Loaded with the first connection, or ahead of it: who writes to a file or to stdout does without. */
export async function loadLibrary(): Promise<Library> {
  const [broker, pool] = await Promise.all([
    import("kafkajs/src/broker/index.js"),
    import("kafkajs/src/network/connectionPool.js"),
  ]);
  return { Broker: broker.default, ConnectionPool: pool.default };
}

/** The real {@linkcode OpenConnection}. */
export function connectionOpener(options: ConnectionOptions, clock: Clock): OpenConnection {
  return async (address, signal) => {
    const channel = createChannel(await loadLibrary(), address, options, clock);
    const giveUp = () => channel.fail(new PathError("closed", "The connection was closed"));
    signal.addEventListener("abort", giveUp, { once: true });
    if (signal.aborted) giveUp();
    try {
      await channel.within(options.connectTimeoutMs, connectBroker(channel.broker, address));
      return channel.connection;
    } finally {
      signal.removeEventListener("abort", giveUp);
    }
  };
}

/** Connects. While it does, kafkajs reads the answers itself, and stumbles over what is not one. */
async function connectBroker(broker: Broker, { host, port }: BrokerAddress): Promise<void> {
  try {
    await broker.connect();
  } catch (thrown) {
    if (!(thrown instanceof TypeError || thrown instanceof RangeError)) throw thrown;
    throw notKafka(printable(`${host}:${port}`), thrown);
  }
}

interface Channel {
  readonly broker: Broker;
  readonly connection: Connection;
  /** The outcome of `work`, or the failure of the connection if that comes first, or a timeout, which is such a failure. */
  within<T>(timeoutMs: number, work: Promise<T>): Promise<T>;
  fail(error: PathError): void;
}

function createChannel(
  { Broker, ConnectionPool }: Library,
  address: BrokerAddress,
  options: ConnectionOptions,
  clock: Clock,
): Channel {
  const name = printable(`${address.host}:${address.port}`);
  const waiting = new Set<(error: PathError) => void>();
  const limits = createTimeLimits(clock, (limitMs) => {
    fail(new PathError("timed_out", `Kafka broker ${name} did not answer within ${limitMs} ms`));
  });
  const tls = options.tls === null ? null : current(options.tls);
  const sasl = options.sasl === null ? null : { ...options.sasl, password: current(options.sasl.password) };
  let socket: Socket | null = null;
  let failed: PathError | null = null;
  /** The socket is gone because of TLS, and the server's certificate is being looked at for the reason. */
  let explaining = false;
  let retiring = false;

  const pool = new ConnectionPool({
    host: address.host,
    port: address.port,
    clientId: options.clientId,
    ssl: tls,
    sasl,
    socketFactory,
    connectionTimeout: options.connectTimeoutMs,
    requestTimeout: options.connectTimeoutMs,
    enforceRequestTimeout: false,
    reauthenticationThreshold: sessionMarginMs,
    logger: silentLogger,
  });
  // The second one of the pool is for fetching, which nobody does here.
  const [pooled] = pool.pool;
  tame(pooled);
  const broker = new Broker({ connectionPool: pool, logger: silentLogger });

  const connection: Connection = {
    address,
    get live() {
      return failed === null && !retiring && broker.isConnected();
    },
    request(request, timeoutMs) {
      const speaks = broker.versions?.[request.apiKey];
      if (speaks === undefined || speaks.minVersion > request.apiVersion || speaks.maxVersion < request.apiVersion) {
        const error = new PathError(
          "unsupported",
          `Kafka broker ${name} does not speak ${request.apiName} version ${request.apiVersion}`,
        );
        fail(error);
        return Promise.reject(error);
      }
      return within(timeoutMs, exchange(pooled, options.clientId, request));
    },
    retire() {
      retiring = true;
      leaveWhenIdle();
    },
    close: () => fail(new PathError("closed", `The connection to Kafka broker ${name} was closed`)),
  };
  return { broker, connection, within, fail };

  function within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (failed !== null) {
        work.catch(() => {}); // its failure is a consequence of the one that is told
        return reject(failed);
      }
      const inTime = limits.begin(timeoutMs);
      const settle = () => {
        inTime();
        waiting.delete(lost);
      };
      const lost = (error: PathError) => {
        settle();
        reject(error);
      };
      waiting.add(lost);
      work.then((value) => {
        settle();
        resolve(value);
        leaveWhenIdle();
      }, (thrown: unknown) => {
        if (failed !== null || explaining) return;
        const failure = thrown instanceof PathError ? thrown.failure : failureOf(thrown);
        if (failure === null) {
          settle();
          return reject(thrown);
        }
        fail(thrown instanceof PathError ? thrown : pathErrorOf(failure, thrown, name));
      });
    });
  }

  function leaveWhenIdle(): void {
    // Not `closed`: who still asks this connection is to try another one.
    if (retiring && waiting.size === 0) {
      fail(new PathError("lost", `The connection to Kafka broker ${name} was replaced`));
    }
  }

  function fail(error: PathError): void {
    if (failed !== null) return;
    failed = error;
    limits.endAll();
    // With an error, so that kafkajs clears the timers of an attempt to connect.
    socket?.destroy(error);
    for (const lost of [...waiting]) lost(error);
  }

  function socketFactory({ host, port, onConnect }: SocketFactoryArguments): Socket {
    const opened = tls === null
      ? connectTcp({ host, port }, onConnect)
      : connectTls(tlsOptions({ host, port }, tls), onConnect);
    opened.setNoDelay(true);
    opened.setKeepAlive(true, 60_000);
    // Ahead of kafkajs, which tells of an error only after the socket is closed.
    opened.once("error", (thrown: Error) => {
      if (tls !== null && failureOfSocket(thrown) === "tls") return failForTls(thrown, tls);
      fail(pathErrorOf(failureOfSocket(thrown), thrown, name));
    });
    opened.once("close", () => {
      if (!explaining) fail(new PathError("lost", `Kafka broker ${name} closed the connection`));
    });
    socket = opened;
    // Given up before kafkajs came to open it.
    if (failed !== null) opened.destroy(failed);
    return opened;
  }

  function failForTls(thrown: Error, material: TlsMaterial): void {
    if (failed !== null || explaining) return;
    explaining = true;
    void explainTls(thrown, address, material, "kafka", clock).then(({ what, advice }) => {
      fail(new PathError("tls", `Kafka broker ${name} ${words.tls}: ${what}`, thrown, advice));
    });
  }

  /** Takes three bad habits off a kafkajs connection. */
  function tame(pooled: PooledConnection): void {
    // It looks after each answer for requests that wait, with a timer of negative length, which makes the runtime print a warning.
    // None ever waits: we set no limit of requests in flight and honour throttling ourselves.
    pooled.requestQueue.scheduleCheckPendingRequests = () => {};
    // It would make requests wait, for ever then, once the broker asks for patience while it is being connected to.
    pooled.requestQueue.maybeThrottle = () => {};
    // It throws out of the socket's event, where nobody can catch it, when what comes is not Kafka.
    const processData = pooled.processData.bind(pooled);
    pooled.processData = (data) => {
      try {
        processData(data);
      } catch (thrown) {
        // Nothing but kafkajs's framing runs in there: whatever it throws, it is about the bytes.
        fail(notKafka(name, thrown));
      }
    };
  }
}

/** kafkajs logs what we say ourselves, and more: it gets no voice. */
const silentLogger: SilentLogger = {
  namespace: () => silentLogger,
  debug() {},
  info() {},
  warn() {},
  error() {},
};

const failureOfSystemCode: Readonly<Record<string, PathFailure>> = {
  ECONNREFUSED: "refused",
  ENOTFOUND: "unresolved",
  EAI_AGAIN: "unresolved",
  EAI_NODATA: "unresolved",
  EAI_NONAME: "unresolved",
  EHOSTUNREACH: "unreachable",
  ENETUNREACH: "unreachable",
  EADDRNOTAVAIL: "unreachable",
  ETIMEDOUT: "timed_out",
  ECONNRESET: "lost",
  ECONNABORTED: "lost",
  EPIPE: "lost",
};

const words: Readonly<Record<PathFailure, string>> = {
  refused: "refused the connection",
  unresolved: "cannot be found by name",
  unreachable: "cannot be reached over the network",
  timed_out: "did not answer in time",
  lost: "closed the connection",
  tls: "and this gateway could not agree on TLS",
  authentication: "refused the user name or the password",
  mechanism: "does not offer this SASL mechanism on this port",
  unsupported: "speaks another version of the protocol",
  garbled: "answered something that is not Kafka",
  unknown_node: "is not part of the cluster any more",
  closed: "was left",
};

function notKafka(name: string, thrown: unknown): PathError {
  return new PathError("garbled", `What ${name} sent is not an answer of Kafka`, thrown);
}

function pathErrorOf(failure: PathFailure, thrown: unknown, name: string): PathError {
  return new PathError(failure, `Kafka broker ${name} ${words[failure]} (${printable(messageOf(thrown))})`, thrown);
}

/** What kind of failure kafkajs threw; null when it is a defect. */
function failureOf(thrown: unknown): PathFailure | null {
  if (!(thrown instanceof Error)) return null;
  const code = "code" in thrown ? thrown.code : undefined;
  switch (thrown.name) {
    case "KafkaJSSASLAuthenticationError":
      return thrown.message.includes("not supported by the server") ? "mechanism" : "authentication";
    case "KafkaJSProtocolError":
      return typeof code === "number" ? failureOfSaslCode.get(code) ?? "unsupported" : "unsupported";
    case "KafkaJSServerDoesNotSupportApiKey":
      return "unsupported";
    case "KafkaJSConnectionError":
    case "KafkaJSConnectionClosedError":
      return failureOfSocket(thrown);
    default:
      return null;
  }
}

/** UNSUPPORTED_SASL_MECHANISM, ILLEGAL_SASL_STATE (a listener without SASL), SASL_AUTHENTICATION_FAILED. */
const failureOfSaslCode: ReadonlyMap<number, PathFailure> = new Map([[33, "mechanism"], [34, "mechanism"], [
  58,
  "authentication",
]]);

function failureOfSocket(thrown: Error): PathFailure {
  const code = "code" in thrown && typeof thrown.code === "string" ? thrown.code : "";
  const known = failureOfSystemCode[code];
  if (known !== undefined) return known;
  if (isTlsError(thrown)) return "tls";
  return /timeout|timed out/i.test(thrown.message) ? "timed_out" : "lost";
}
