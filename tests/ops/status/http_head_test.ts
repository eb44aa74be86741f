import assert from "node:assert/strict";
import fc from "fast-check";
import { headEnd, parseHead } from "../../../src/ops/status/http_head.ts";

const encode = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));
const parse = (text: string) => parseHead(encode(text));

/** The status by which a head is refused; null: it is taken. */
function refusedWith(text: string): number | null {
  const parsed = parse(text);
  return "status" in parsed ? parsed.status : null;
}

Deno.test("a plain head is read: method, path without query, headers by small name", () => {
  const parsed = parse("GET /metrics?x=1 HTTP/1.1\r\nHost: localhost:1\r\nX-A:  b \r\nx-a: c\r\n\r\n");
  assert.ok(!("status" in parsed));
  assert.equal(parsed.method, "GET");
  assert.equal(parsed.path, "/metrics");
  assert.deepEqual([...parsed.headers], [["host", "localhost:1"], ["x-a", "b, c"]]);
});

Deno.test("what is not plainly right is refused", () => {
  const host = "Host: a\r\n";
  assert.equal(refusedWith(`GET / HTTP/1.1\r\n${host}\r\n`), null);
  assert.equal(refusedWith("GET / HTTP/1.0\r\n\r\n"), null);
  for (
    const bad of [
      "GET / HTTP/1.1\r\n\r\n",
      `GET / HTTP/1.1\r\n${host}${host}\r\n`,
      `GET / HTTP/2.0\r\n${host}\r\n`,
      `GET http://a/ HTTP/1.1\r\n${host}\r\n`,
      `get / HTTP/1.1\r\n${host}\r\n`,
      `GET  / HTTP/1.1\r\n${host}\r\n`,
      `GET /\u0000 HTTP/1.1\r\n${host}\r\n`,
      `GET / HTTP/1.1\r\n${host}X : b\r\n\r\n`,
      `GET / HTTP/1.1\r\n${host} folded\r\n\r\n`,
      `GET / HTTP/1.1\r\n${host}X: a\nY: b\r\n\r\n`,
      "\r\n\r\n",
    ]
  ) assert.equal(refusedWith(bad), 400, JSON.stringify(bad));
  assert.equal(refusedWith(`GET / HTTP/1.1\r\n${host}Content-Length: 5\r\n\r\n`), 413);
  assert.equal(refusedWith(`GET / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n`), 413);
  assert.equal(refusedWith(`GET / HTTP/1.1\r\n${host}${"A: b\r\n".repeat(100)}\r\n`), 431);
});

Deno.test("the end of a head is found however it is cut", () => {
  const head = encode("GET / HTTP/1.1\r\nHost: a\r\n\r\nrest");
  for (let cut = 0; cut < head.length; cut++) {
    const early = headEnd(head.subarray(0, cut));
    assert.equal(early >= 0 ? early : headEnd(head, cut), head.length - 4, `cut at ${cut}`);
  }
});

Deno.test("no bytes at all make the reader throw", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    const parsed = parseHead(bytes);
    assert.ok("status" in parsed || parsed.path.startsWith("/"));
  }));
});
