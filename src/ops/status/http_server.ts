/**
 * A small HTTP/1.1 server for a machine that must not be troubled by it: one request a connection, no bodies, and a limit on everything
 * that a client can use up: connections, the size of a head, the time to send one, the time to take an answer.
 *
 * @module
 */
import type { Clock, Timer } from "../../core/clock.ts";
import { headEnd, type HttpRequest, parseHead } from "./http_head.ts";

/** An answer. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | HttpStream;
}

/** A body without an end: runs until the client has gone or the server closes. */
export type HttpStream = (client: HttpClient) => Promise<void>;

/** Who takes a stream. */
export interface HttpClient {
  /** Resolves when the bytes are handed to the system. Rejects when the client has gone, or is too slow. */
  send(bytes: Uint8Array): Promise<void>;
  /** Aborted when the client has gone or the server closes. */
  readonly gone: AbortSignal;
}

/** What a client may use up. */
export interface HttpLimits {
  /** Open connections; what comes beyond gets a 503. */
  readonly connectionsMax: number;
  /** Request line and headers. */
  readonly headBytesMax: number;
  /** From the connection to the end of the head, in ms. */
  readonly headMs: number;
  /** For taking an answer, or one piece of a stream, in ms. */
  readonly takeMs: number;
}

/** The limits unless told otherwise: a page, a scraper, a few people who look. */
export const standardLimits: HttpLimits = {
  connectionsMax: 32,
  headBytesMax: 8192,
  headMs: 5000,
  takeMs: 10_000,
};

/** What a server is made from. */
export interface HttpServerOptions {
  readonly hostname: string;
  /** 0: a free one. */
  readonly port: number;
  readonly clock: Clock;
  readonly limits?: Partial<HttpLimits>;
  /** Answers. What it throws is a defect and goes on to {@linkcode HttpServerOptions.onDefect}. */
  handle(request: HttpRequest): Promise<HttpAnswer> | HttpAnswer;
  onDefect(thrown: unknown): void;
}

/** A server that listens. */
export interface HttpServer {
  readonly port: number;
  /** Open connections. */
  connections(): number;
  /** Connections turned away because there were too many. */
  turnedAway(): number;
  /** Listens no longer and ends what is open. */
  close(): Promise<void>;
}

/** Wait after a failed accept: the process is out of descriptors, and trying at once would only turn in circles. */
const acceptAgainMs = 1000;
/** How long a client may take to close after its answer before it is cut off. */
const partingMs = 1000;

const reasons: Readonly<Record<number, string>> = {
  200: "OK",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  413: "Content Too Large",
  421: "Misdirected Request",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

/**
 * Listens.
 *
 * @throws {Deno.errors.AddrInUse} and others of the system, when the address is not to be had.
 */
export function listenHttp(options: HttpServerOptions): HttpServer {
  const { clock } = options;
  const limits = { ...standardLimits, ...options.limits };
  const listener = Deno.listen({ hostname: options.hostname, port: options.port });
  const open = new Map<Deno.Conn, Promise<void>>();
  const closing = new AbortController();
  let turnedAway = 0;

  async function accept(): Promise<void> {
    while (!closing.signal.aborted) {
      try {
        const conn = await listener.accept();
        if (open.size < limits.connectionsMax) open.set(conn, attend(conn).finally(() => open.delete(conn)));
        else turnAway(conn);
      } catch {
        // Closed on purpose, or out of descriptors.
        if (!closing.signal.aborted) await pause(clock, acceptAgainMs, closing.signal);
      }
    }
  }

  function turnAway(conn: Deno.Conn): void {
    turnedAway += 1;
    // So little fits into the system's buffer: it does not wait for the client.
    conn.write(encode(plain(503, "Too many connections")))
      .catch(() => {})
      .finally(() => shut(conn));
  }

  async function attend(conn: Deno.Conn): Promise<void> {
    const end = () => shut(conn);
    closing.signal.addEventListener("abort", end, { once: true });
    try {
      const request = await within(limits.headMs, end, () => readHead(conn, limits.headBytesMax));
      if (request === null) return;
      const answer = "status" in request ? plain(request.status, request.why) : await answerTo(request);
      const headOnly = "method" in request && request.method === "HEAD";
      if (typeof answer.body === "string") {
        await within(limits.takeMs, end, () => writeAll(conn, encode(answer, headOnly)));
        await within(partingMs, end, () => part(conn));
      } else {
        await within(limits.takeMs, end, () => writeAll(conn, encode({ ...answer, body: "" }, headOnly, false)));
        if (!headOnly) await stream(conn, answer.body);
      }
    } catch (thrown) {
      if (!isGone(thrown)) options.onDefect(thrown);
    } finally {
      closing.signal.removeEventListener("abort", end);
      end();
    }
  }

  async function answerTo(request: HttpRequest): Promise<HttpAnswer> {
    try {
      return await options.handle(request);
    } catch (thrown) {
      options.onDefect(thrown);
      return plain(500, "A defect; the log says more");
    }
  }

  async function stream(conn: Deno.Conn, body: HttpStream): Promise<void> {
    const gone = new AbortController();
    // A client of a stream has nothing more to say: whatever is read here, or the end, means that it has gone.
    const leaving = conn.read(new Uint8Array(1)).then(() => gone.abort(), () => gone.abort());
    await body({
      gone: gone.signal,
      send: (bytes) => within(limits.takeMs, () => shut(conn), () => writeAll(conn, bytes)),
    });
    shut(conn);
    await leaving;
  }

  /** Does something, and `late` when it takes too long (which makes it fail). */
  async function within<T>(ms: number, late: () => void, work: () => Promise<T>): Promise<T> {
    const timer: Timer = clock.after(ms, late);
    try {
      return await work();
    } finally {
      timer.cancel();
    }
  }

  const accepting = accept();
  return {
    port: listener.addr.transport === "tcp" ? listener.addr.port : options.port,
    connections: () => open.size,
    turnedAway: () => turnedAway,
    async close() {
      if (closing.signal.aborted) return;
      closing.abort();
      listener.close();
      await accepting;
      await Promise.all(open.values());
    },
  };
}

/** A short answer in plain text. */
export function plain(status: number, text: string, headers: Readonly<Record<string, string>> = {}): HttpAnswer {
  return { status, headers: { "content-type": "text/plain; charset=utf-8", ...headers }, body: `${text}\n` };
}

/** What every answer says: never guess the type, never keep it, never show it inside another page or to another site. */
const always: Readonly<Record<string, string>> = {
  "connection": "close",
  "cache-control": "no-store",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

function encode(answer: HttpAnswer, headOnly = false, withLength = true): Uint8Array {
  const text = typeof answer.body === "string" ? answer.body : "";
  const body = new TextEncoder().encode(text);
  const headers = { ...always, ...answer.headers, ...(withLength ? { "content-length": `${body.length}` } : {}) };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const head = new TextEncoder().encode(
    `HTTP/1.1 ${answer.status} ${reasons[answer.status] ?? "Status"}\r\n${lines}\r\n`,
  );
  if (headOnly) return head;
  const whole = new Uint8Array(head.length + body.length);
  whole.set(head);
  whole.set(body, head.length);
  return whole;
}

/** Reads up to the empty line; null when the client leaves before. */
async function readHead(conn: Deno.Conn, bytesMax: number): Promise<ReturnType<typeof parseHead> | null> {
  const bytes = new Uint8Array(bytesMax);
  let length = 0;
  while (length < bytesMax) {
    const read = await conn.read(bytes.subarray(length));
    if (read === null) return null;
    const end = headEnd(bytes.subarray(0, length + read), length);
    length += read;
    if (end >= 0) return parseHead(bytes.subarray(0, end));
  }
  return { status: 431, why: `The head is longer than ${bytesMax} bytes` };
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

/** Closes our side and waits for theirs: closing with something unread would reset the connection and take the answer with it. */
async function part(conn: Deno.Conn): Promise<void> {
  await conn.closeWrite();
  const rest = new Uint8Array(4096);
  while (await conn.read(rest) !== null);
}

function shut(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch (thrown) {
    if (!isGone(thrown)) throw thrown;
  }
}

/** Whether it only means that the connection is closed, by them or by us. */
function isGone(thrown: unknown): boolean {
  const kinds = ["BadResource", "Interrupted", "BrokenPipe", "ConnectionReset", "ConnectionAborted", "NotConnected"];
  return thrown instanceof Error && (kinds.includes(thrown.name) || kinds.includes(thrown.constructor.name));
}

function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.after(ms, resolve);
    signal.addEventListener("abort", () => {
      timer.cancel();
      resolve();
    }, { once: true });
  });
}
