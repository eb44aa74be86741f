/**
 * Who may ask the status server for what.
 *
 * - **DNS rebinding**: a page on the web can make its own name point at 127.0.0.1 and then ask in the name of the browser. Its requests
 *   carry that name as Host, so without a token only addresses and `localhost` are answered. With a token there is nothing to
 *   win: a browser keeps what was typed in for one name to itself.
 * - **Other sites**: what a page of another site embeds or fetches is refused (`Sec-Fetch-Site`), so that it cannot use up the connections.
 * - **Token**: where there is one, everything but the health of the process needs it, as `Authorization: Bearer` or as the
 *   password of `Authorization: Basic` (any user), for which a browser asks by itself.
 *
 * @module
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { HttpRequest } from "./http_head.ts";
import { type HttpAnswer, plain } from "./http_server.ts";

/** Probes have no token, and learn one word. */
const openPaths: readonly string[] = ["/healthz", "/readyz"];

/** An address in a URL, with or without a port; or a name that always means this machine (RFC 6761, 6.3). */
const ownHost = /^(?:localhost|\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i;

/** Makes the check: null lets a request pass, an answer refuses it. */
export function createAccess(token: string | null): (request: HttpRequest) => HttpAnswer | null {
  const wanted = token === null ? null : digest(token);
  return ({ method, path, headers }) => {
    if (method !== "GET" && method !== "HEAD") return plain(405, "Only GET and HEAD", { allow: "GET, HEAD" });
    if (wanted === null && !ownHost.test(headers.get("host") ?? "")) {
      return plain(421, "Ask by address or as localhost: other names are answered only where a token is set");
    }
    const site = headers.get("sec-fetch-site") ?? "none";
    const navigates = headers.get("sec-fetch-mode") === "navigate" && headers.get("sec-fetch-dest") === "document";
    if (!["none", "same-origin"].includes(site) && !navigates) return plain(403, "Not for pages of other sites");
    if (wanted === null || openPaths.includes(path)) return null;
    const given = tokenIn(headers.get("authorization") ?? "");
    // Digests, so that neither the time nor the length tells how near a guess is.
    if (given !== null && timingSafeEqual(digest(given), wanted)) return null;
    return plain(401, "The token is needed: as the password (any user), or as Authorization: Bearer", {
      "www-authenticate": 'Basic realm="Weir", charset="UTF-8"',
    });
  };
}

function tokenIn(authorization: string): string | null {
  const [, scheme = "", value = ""] = /^(\w+) +(\S+)$/.exec(authorization) ?? [];
  if (scheme.toLowerCase() === "bearer") return value;
  if (scheme.toLowerCase() !== "basic") return null;
  try {
    const pair = new TextDecoder().decode(Uint8Array.from(atob(value), (char) => char.charCodeAt(0)));
    return pair.includes(":") ? pair.slice(pair.indexOf(":") + 1) : null;
  } catch {
    return null;
  }
}

function digest(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}
