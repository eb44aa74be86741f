import assert from "node:assert/strict";
import { createAccess } from "../../../src/ops/status/access.ts";

const token = "0123456789abcdef-\u00fc";

/** What a request gets: null is let in. */
function asked(
  headers: Readonly<Record<string, string>>,
  { path = "/", method = "GET", wanted = null }: { path?: string; method?: string; wanted?: string | null } = {},
): number | null {
  const all = new Map(Object.entries({ host: "127.0.0.1:9464", ...headers }));
  return createAccess(wanted)({ method, path, headers: all })?.status ?? null;
}

function basic(user: string, password: string): string {
  return `Basic ${btoa(String.fromCharCode(...new TextEncoder().encode(`${user}:${password}`)))}`;
}

Deno.test("without a token only addresses and localhost are answered: a name may have been bound to us by a stranger", () => {
  for (const host of ["127.0.0.1", "127.0.0.1:9464", "localhost:8080", "LOCALHOST", "[::1]:9464", "192.168.1.7"]) {
    assert.equal(asked({ host }), null, host);
  }
  for (const host of ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "", "a@127.0.0.1"]) {
    assert.equal(asked({ host }), 421, host);
  }
});

Deno.test("only GET and HEAD", () => {
  assert.equal(asked({}, { method: "HEAD" }), null);
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT"]) {
    assert.equal(asked({}, { method }), 405, method);
  }
});

Deno.test("pages of other sites may link here and nothing else", () => {
  assert.equal(asked({ "sec-fetch-site": "same-origin" }), null);
  assert.equal(asked({ "sec-fetch-site": "none" }), null);
  assert.equal(asked({ "sec-fetch-site": "cross-site" }), 403);
  assert.equal(asked({ "sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" }), 403);
  const link = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" };
  assert.equal(asked({ ...link, "sec-fetch-dest": "document" }), null);
  assert.equal(asked({ ...link, "sec-fetch-dest": "iframe" }), 403);
});

Deno.test("with a token everything but the health needs it, as bearer or as a password", () => {
  for (const path of ["/", "/events", "/metrics", "/status.json", "/nowhere"]) {
    assert.equal(asked({}, { path, wanted: token }), 401, path);
  }
  for (const path of ["/healthz", "/readyz"]) assert.equal(asked({}, { path, wanted: token }), null, path);
  assert.equal(asked({ authorization: basic("any", token) }, { wanted: token }), null);
  assert.equal(asked({ authorization: basic("", token) }, { wanted: token }), null);
  assert.equal(asked({ authorization: "Bearer plain-token-0000" }, { wanted: "plain-token-0000" }), null);
  for (
    const authorization of [
      basic("any", `${token}x`),
      basic("any", ""),
      basic(token, ""),
      "Bearer ",
      "Bearer wrong",
      "Basic ***",
      "Basic",
      `Digest ${token}`,
    ]
  ) assert.equal(asked({ authorization }, { wanted: token }), 401, authorization);
});
