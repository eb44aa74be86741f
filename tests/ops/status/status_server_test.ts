import assert from "node:assert/strict";
import { startStatusServer, type StatusServerOptions } from "../../../src/ops/status/status_server.ts";
import { emitter } from "../../../src/core/event.ts";
import type { AppStatus } from "../../../src/core/status.ts";
import { eventually, freePort } from "../../support/servers.ts";
import { type VirtualClock, virtualClock } from "../../support/virtual_clock.ts";
import { fakeLetter, fakeLetters, fakeStatus, hostile } from "./fake_gateway.ts";
import { exchange, request } from "./raw_http.ts";

interface Served {
  readonly url: string;
  readonly port: number;
  readonly clock: VirtualClock;
  readonly logged: readonly string[];
  /** Looks of the server at the status. */
  looks(): number;
}

/** A server over a status that moves with the clock. */
async function serve(
  use: (served: Served) => Promise<void>,
  changes: Partial<AppStatus> = {},
  options: Partial<StatusServerOptions> = {},
): Promise<void> {
  const clock = virtualClock();
  const logged: string[] = [];
  let looks = 0;
  const port = freePort();
  const server = startStatusServer({
    ...{ hostname: "127.0.0.1", port, token: null, version: "1.2.3", clock },
    emit: emitter((event) => logged.push(`${event.level} ${event.name} ${event.message}`)),
    status() {
      looks += 1;
      return fakeStatus(clock.nowMs(), changes);
    },
    letters: fakeLetters(fakeLetter(1, { source: `/dumps/${hostile}` })),
    ...options,
  });
  try {
    await use({ url: `http://127.0.0.1:${port}`, port, clock, logged, looks: () => looks });
  } finally {
    await server.close();
  }
  assert.equal(clock.timers, 0, "no timer is left");
}

async function get(url: string, headers: HeadersInit = {}): Promise<{ status: number; text: string; type: string }> {
  const response = await fetch(url, { headers });
  return { status: response.status, text: await response.text(), type: response.headers.get("content-type") ?? "" };
}

Deno.test("each path answers with its type, and others with what there is", async () => {
  await serve(async ({ url, logged }) => {
    assert.match((await get(`${url}/`)).type, /^text\/html/);
    assert.equal((await get(`${url}/status.json`)).type, "application/json");
    assert.match((await get(`${url}/metrics`)).type, /^text\/plain; version=0\.0\.4/);
    assert.deepEqual(await get(`${url}/healthz`), { status: 200, text: "ok\n", type: "text/plain; charset=utf-8" });
    const missing = await get(`${url}/nowhere`);
    assert.equal(missing.status, 404);
    assert.match(missing.text, /\/status\.json/);
    assert.match(logged.join(), /info status\.listening The status page is at http:\/\/127\.0\.0\.1:\d+\//);
  });
});

Deno.test("status.json is the whole status with a version, and rates after a second look", async () => {
  await serve(async ({ url, clock }) => {
    for (let second = 0; second < 4; second++) await clock.advance(1000);
    const status = JSON.parse((await get(`${url}/status.json`)).text);
    assert.equal(status.version, 1);
    assert.equal(status.program, "1.2.3");
    assert.equal(status.gateway, "press-line-3");
    assert.equal(status.sink.kind, "kafka");
    assert.deepEqual(status.rates, { real_time: 300, batch: 500, delivered: 800 });
    assert.equal(status.deadLetters.newest[0].source, `/dumps/${hostile}`);
    assert.equal(status.deadLetters.newest[0].contents, null);
  });
});

Deno.test("ready is only who can reach the sink; healthy is who answers", async () => {
  const sink = { ...fakeStatus(0).sink, connected: false };
  await serve(async ({ url }) => {
    assert.equal((await get(`${url}/readyz`)).status, 503);
    assert.equal((await get(`${url}/healthz`)).status, 200);
  }, { sink });
  await serve(async ({ url }) => assert.equal((await get(`${url}/readyz`)).status, 200));
});

Deno.test("the page carries its own style and script, and the policy lets nothing else run", async () => {
  await serve(async ({ url }) => {
    const response = await fetch(url);
    const html = await response.text();
    const policy = response.headers.get("content-security-policy") ?? "";
    assert.match(policy, /^default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-[^']+';/);
    assert.ok(!policy.includes("unsafe"));
    for (const tag of ["script", "style"]) {
      const [, inside = ""] = new RegExp(`<${tag}[^>]*>([^]*?)</${tag}>`).exec(html) ?? [];
      assert.ok(inside.length > 1000);
      const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(inside));
      const hash = btoa(String.fromCharCode(...new Uint8Array(digest)));
      assert.ok(policy.includes(`${tag}-src 'sha256-${hash}'`), tag);
    }
    assert.ok(!/ (?:on\w+|style)=|https?:\/\/(?!www\.w3\.org)/.test(html.replace(/<script[^]*<\/script>/, "")));
    assert.ok(!/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b/.test(html));
  });
});

Deno.test("events: the history at once, then the status every second", async () => {
  await serve(async ({ url, clock }) => {
    for (let second = 0; second < 3; second++) await clock.advance(1000);
    const response = await fetch(`${url}/events`);
    assert.equal(response.headers.get("content-type"), "text/event-stream");
    let text = "";
    const reading = (async () => {
      for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) text += chunk;
    })().catch(() => {});
    await eventually("the greeting is there", () => /event: status\ndata: \{.*\}\n\n/.test(text));
    assert.match(text, /^retry: 3000\n\nevent: history\ndata: \[\[0,0,0,2\.5,41\],/);
    await eventually("more comes", async () => {
      await clock.advance(1000);
      return text.match(/event: status/g)?.length === 3;
    });
    const last = JSON.parse(/.*data: (.*)\n\n$/s.exec(text)?.[1] ?? "");
    assert.ok(last.upMs > 3000);
    assert.match((await get(`${url}/metrics`)).text, /^weir_status_watchers 1$/m);
    void reading;
  });
});

Deno.test("watchers are bounded", async () => {
  await serve(async ({ url, port }) => {
    const ends = Array.from({ length: 8 }, () => new AbortController());
    const first = await Promise.all(ends.map(({ signal }) => fetch(`${url}/events`, { signal })));
    assert.ok(first.every(({ status }) => status === 200));
    await eventually("all watch", async () => /watchers 8$/m.test((await get(`${url}/metrics`)).text));
    assert.match(await exchange(port, request("/events")), /^HTTP\/1\.1 503 [^]*retry-after: 10/);
    for (const end of ends) end.abort();
    await Promise.all(first.map((response) => response.text().catch(() => {})));
    await eventually("all have left", async () => /watchers 0$/m.test((await get(`${url}/metrics`)).text));
  });
});

Deno.test("with a token contents are shown, to who has it", async () => {
  const token = "0123456789abcdef";
  await serve(
    async ({ url, port }) => {
      assert.equal((await get(`${url}/status.json`)).status, 401);
      const { text } = await get(`${url}/status.json`, { authorization: `Bearer ${token}` });
      assert.equal(JSON.parse(text).deadLetters.newest[0].contents.raw, "secret\\u0007row");
      const rebound = request("/healthz", { Host: "gateway.plant.example" });
      assert.match(await exchange(port, rebound), /^HTTP\/1\.1 200/);
    },
    {},
    { token },
  );
});

Deno.test("a name that was bound to us by a stranger gets nothing", async () => {
  await serve(async ({ port }) => {
    for (const path of ["/", "/status.json", "/events", "/metrics", "/healthz"]) {
      const answer = await exchange(port, request(path, { Host: "evil.example" }));
      assert.match(answer, /^HTTP\/1\.1 421 /, path);
      assert.ok(!answer.includes("press-line-3"));
    }
  });
});

Deno.test("the status is asked for once a second while nobody watches", async () => {
  await serve(async ({ clock, looks }) => {
    for (let second = 0; second < 60; second++) await clock.advance(1000);
    assert.ok(looks() <= 62, String(looks()));
  });
});

Deno.test("a port that is taken is told once, and taken when it is free", async () => {
  const port = freePort();
  const other = Deno.listen({ hostname: "127.0.0.1", port });
  await serve(
    async ({ clock, logged }) => {
      assert.match(
        logged.join(),
        /^warn status\.not_listening .*:\d+: somebody listens there already\. The gateway goes/,
      );
      for (let i = 0; i < 3; i++) await clock.advance(10_000);
      assert.equal(logged.length, 1);
      other.close();
      await clock.advance(10_000);
      assert.equal((await get(`http://127.0.0.1:${port}/healthz`)).status, 200);
      assert.match(logged.at(-1) ?? "", /status\.listening/);
    },
    {},
    { port },
  );
});
