/**
 * The head of an HTTP/1.1 request (RFC 9112), as much of it as a server needs that only gives things out: a method, a path, headers. What
 * is not plainly right is refused.
 *
 * @module
 */

/** A request. */
export interface HttpRequest {
  /** In capitals; any, not only those that are served. */
  readonly method: string;
  /** Begins with `/`; without the query. */
  readonly path: string;
  /** By small name. One that came twice is joined with `, `. */
  readonly headers: ReadonlyMap<string, string>;
}

/** Why a head is refused: an HTTP status and a word for people. */
export interface BadHead {
  readonly status: number;
  readonly why: string;
}

/** Headers in one request, at most. */
const headersMax = 100;

/** `GET /path HTTP/1.1`: the origin form only (RFC 9112, 3.2.1); proxies have no business here. */
const requestLine = /^([A-Z]{1,20}) (\/[\x21-\x7e]*) HTTP\/1\.([01])$/;

/** A name is a token (RFC 9110, 5.6.2), with the colon right behind it; no line is continued in the next. */
const headerLine = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x20-\x7e\x80-\xff\t]*?)[ \t]*$/;

/** Where the head ends: the index behind its empty line, or -1. `from`: where to begin to look. */
export function headEnd(bytes: Uint8Array, from = 0): number {
  for (let i = Math.max(3, from); i < bytes.length; i++) {
    if (bytes[i] === 10 && bytes[i - 1] === 13 && bytes[i - 2] === 10 && bytes[i - 3] === 13) return i + 1;
  }
  return -1;
}

/**
 * Reads a head.
 *
 * @param bytes up to and with the empty line
 */
export function parseHead(bytes: Uint8Array): HttpRequest | BadHead {
  const [first = "", ...lines] = new TextDecoder("latin1").decode(bytes).replace(/\r\n\r\n$/, "").split("\r\n");
  const [, method, target, minor] = requestLine.exec(first) ?? [];
  if (method === undefined || target === undefined) return { status: 400, why: "The request line is malformed" };
  if (lines.length > headersMax) return { status: 431, why: `There are more than ${headersMax} headers` };
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name, value] = headerLine.exec(line) ?? [];
    if (name === undefined || value === undefined) return { status: 400, why: "A header is malformed" };
    const key = name.toLowerCase();
    const before = headers.get(key);
    if (before !== undefined && key === "host") return { status: 400, why: "There are two Host headers" };
    headers.set(key, before === undefined ? value : `${before}, ${value}`);
  }
  if (minor === "1" && !headers.has("host")) return { status: 400, why: "There is no Host header" };
  if (headers.has("transfer-encoding") || (headers.get("content-length") ?? "0") !== "0") {
    return { status: 413, why: "A request has no body here" };
  }
  return { method, path: target.split("?", 1)[0] ?? target, headers };
}
