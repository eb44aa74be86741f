import assert from "node:assert/strict";
import { type HttpServer, listenHttp, plain } from "../../../src/ops/status/http_server.ts";
import { eventually } from "../../support/servers.ts";
import { type VirtualClock, virtualClock } from "../../support/virtual_clock.ts";
import { exchange, readAll, request } from "./raw_http.ts";

/** A server that answers `/` and streams on `/stream`, with a clock that stands still. */
async function withServer(
  use: (server: HttpServer, clock: VirtualClock, defects: unknown[]) => Promise<void>,
  limits: Parameters<typeof listenHttp>[0]["limits"] = {},
): Promise<void> {
  const clock = virtualClock();
  const defects: unknown[] = [];
  const server = listenHttp({
    ...{ hostname: "127.0.0.1", port: 0, clock, limits },
    handle({ path, method }) {
      if (path === "/defect") throw new Error("a defect");
      if (path === "/stream") return { status: 200, headers: {}, body: flood };
      return plain(200, `${method} ${path}`);
    },
    onDefect: (thrown) => defects.push(thrown),
  });
  try {
    await use(server, clock, defects);
  } finally {
    await server.close();
  }
  assert.equal(server.connections(), 0);
  assert.equal(clock.timers, 0, "every timer is called off");
}

/** Sends for ever, whether or not anybody takes it. */
async function flood(client: { send(bytes: Uint8Array): Promise<void>; readonly gone: AbortSignal }): Promise<void> {
  while (!client.gone.aborted) await client.send(new Uint8Array(1_000_000));
}

Deno.test("a request gets its answer, with the headers that keep it out of other pages", async () => {
  await withServer(async ({ port }) => {
    const answer = await exchange(port, request("/a"));
    assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/);
    assert.match(answer, /\r\nx-content-type-options: nosniff\r\n/);
    assert.match(answer, /\r\ncontent-length: 7\r\n\r\nGET \/a\n$/);
    assert.ok(!/access-control/i.test(answer));
    assert.match(await exchange(port, request("/a", {}, "HEAD")), /content-length: 8\r\n\r\n$/);
    const fetched = await fetch(`http://127.0.0.1:${port}/b`);
    assert.equal(await fetched.text(), "GET /b\n");
  });
});

Deno.test("a head that is too long or broken is refused without asking the program", async () => {
  await withServer(async ({ port }) => {
    assert.match(await exchange(port, request("/", { X: "a".repeat(9000) })), /^(HTTP\/1\.1 431 |$)/);
    assert.match(await exchange(port, "nonsense\r\n\r\n"), /^HTTP\/1\.1 400 /);
    assert.match(await exchange(port, request("/", { "Content-Length": "3" })), /^HTTP\/1\.1 413 /);
  });
});

Deno.test("a client that sends its head slowly, or nothing, is cut off when its time is over", async () => {
  await withServer(async (server, clock) => {
    for (const begun of ["", "GET / HTTP/1.1\r\nHost: a\r\nX"]) {
      const conn = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
      if (begun !== "") await conn.write(new TextEncoder().encode(begun));
      await eventually("it is attended to", () => server.connections() === 1 && clock.timers === 1);
      await clock.advance(4999);
      assert.equal(server.connections(), 1);
      await clock.advance(1);
      assert.equal(await readAll(conn), "");
      await eventually("it is gone", () => server.connections() === 0);
    }
  });
});

Deno.test("a client that does not take its stream is cut off, and the server goes on", async () => {
  await withServer(async (server, clock) => {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
    await conn.write(new TextEncoder().encode(request("/stream")));
    // The timer of a send that hangs stays the same one; of one that goes on it is set anew.
    await eventually("the stream hangs", async () => {
      const due = clock.nextDueMs();
      await new Promise((resolve) => setTimeout(resolve, 50));
      return due !== null && server.connections() === 1 && clock.nextDueMs() === due && clock.timers === 1;
    });
    await clock.advance(10_000);
    await eventually("it is cut off", () => server.connections() === 0);
    conn.close();
    assert.match(await exchange(server.port, request("/")), / 200 /);
  });
});

Deno.test("a client that leaves its stream frees its place", async () => {
  await withServer(async (server) => {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
    await conn.write(new TextEncoder().encode(request("/stream")));
    await conn.read(new Uint8Array(10));
    conn.close();
    await eventually("its place is free", () => server.connections() === 0);
  });
});

Deno.test("connections are bounded: one too many is told so, and leaving makes room", async () => {
  await withServer(async (server) => {
    const idle = await Promise.all([1, 2, 3].map(() => Deno.connect({ hostname: "127.0.0.1", port: server.port })));
    await eventually("all are attended to", () => server.connections() === 3);
    const tooMany = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
    await eventually("it is turned away", () => server.turnedAway() === 1);
    assert.match(await readAll(tooMany), /^HTTP\/1\.1 503 /);
    assert.equal(server.connections(), 3);
    idle[0]?.close();
    await eventually("there is room", () => server.connections() === 2);
    assert.match(await exchange(server.port, request("/")), /^HTTP\/1\.1 200 /);
    for (const conn of idle.slice(1)) conn.close();
  }, { connectionsMax: 3 });
});

Deno.test("a defect is an answer 500 and is told; what clients do to a connection is none", async () => {
  await withServer(async (server, _clock, defects) => {
    assert.match(await exchange(server.port, request("/defect")), /^HTTP\/1\.1 500 /);
    assert.equal(defects.length, 1);
    for (let i = 0; i < 20; i++) {
      const conn = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
      await conn.write(new TextEncoder().encode(request("/").slice(0, i * 2)));
      conn.close();
    }
    await eventually("all are gone", () => server.connections() === 0);
    assert.equal(defects.length, 1);
  });
});
