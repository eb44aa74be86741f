/**
 * `weir status` and `weir top` against a server that answers like a gateway.
 *
 * @module
 */
import assert from "node:assert/strict";
import { status } from "../../src/cli/status.ts";
import { top } from "../../src/cli/top.ts";
import { WeirError } from "../../src/core/error.ts";
import type { FakeMachine } from "../config/fake_machine.ts";
import { eventually } from "../support/servers.ts";
import { fakeContext, fakeStatus } from "./fake_context.ts";

const hostile = "evil\u001b[31m\u202e.csv";
const whole = {
  ...fakeStatus(3),
  sources: [...fakeStatus(3).sources, {
    kind: "files",
    active: [{
      folder: "/d",
      name: hostile,
      sizeBytes: 1000,
      readBytes: 300,
      rowsRead: 90_000,
      rowsFinished: 89_000,
      badRows: 5,
      rowsEstimated: 300_000,
      etaMs: 420_000,
      verdict: "late",
      timeLeftMs: 300_000,
      needRows: 700,
      capNeededRows: 875,
    }],
    waitingFiles: 2,
    waitingBytes: 2048,
    doneFiles: 12,
    quarantinedFiles: 1,
  }],
};

/** Serves an answer while a test runs. */
async function withServer(answer: (request: Request) => Response, test: (url: string) => Promise<void>): Promise<void> {
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, answer);
  await test(`http://127.0.0.1:${server.addr.port}/status.json`);
}

Deno.test("status tells sums, sources and sink within 80 columns, and nothing from outside unescaped", () =>
  withServer(() => Response.json(whole), async (url) => {
    const fake = fakeContext(["--status-url", url]);
    assert.equal(await status.run(fake.context), 0, fake.err());
    const out = fake.out();
    assert.match(out, /^gw, up 1 min 5 s\n/);
    assert.match(out, /real_time +1,005 +1,000 +0 +2 +0 +3\n/);
    assert.match(out, /MQTT 5, connected/);
    assert.match(out, /1 being read, 2 waiting \(2 KiB\), 12 done, 1 in quarantine/);
    assert.match(out, /evil\\u001b\[31m\\u202e\.csv +30 % +7 min left +late/);
    assert.match(out, /its deadline is in 5 min: --files-cap 875\/s would do/);
    assert.equal(out.includes("\u001b") || out.includes("\u202e"), false);
    assert.ok(out.split("\n").every((line) => line.length <= 80), out);
    const asJson = fakeContext(["--status-url", url, "--json"]);
    await status.run(asJson.context);
    assert.deepEqual(JSON.parse(asJson.out()), whole);
  }));

Deno.test("no gateway, and something that is none, are told with what to do: 69", async () => {
  const asked = async (url: string) => {
    const thrown = await status.run(fakeContext(["--status-url", url]).context).catch((error) => error);
    assert.ok(thrown instanceof WeirError);
    assert.equal(thrown.exitCode, 69);
    assert.match(thrown.advice ?? "", /--status-url/);
    return thrown.message;
  };
  let gone = "";
  await withServer(() => Response.json({ hello: 1 }), async (url) => {
    gone = url;
    assert.match(await asked(url), /no gateway: "\{\\?"hello/);
  });
  assert.match(await asked(gone), /No gateway answers at .*connection refused/);
  await withServer(() => new Response("no", { status: 403, statusText: "Forbidden" }), async (url) => {
    assert.match(await asked(url), /it answers 403 Forbidden/);
  });
});

Deno.test("address and token come from the gateway's own settings; a missing or wrong token is told: 77", async () => {
  let asked = "";
  const answer = (request: Request) => {
    asked = request.url;
    return request.headers.get("authorization") === "Bearer 0123456789abcdef"
      ? Response.json(whole)
      : new Response("no", { status: 401 });
  };
  await withServer(answer, async (url) => {
    const { port } = new URL(url);
    const machine = (token: string, listen = `0.0.0.0:${port}`): FakeMachine => ({
      files: {
        "/etc/weir/weir.yaml": `status-listen: ${listen}\nstatus-token-file: token\nfiles-dir: /d\n`,
        "/etc/weir/token": `${token}\n`,
      },
    });
    const args = ["--config", "/etc/weir/weir.yaml"];
    const right = fakeContext(args, { machine: machine("0123456789abcdef") });
    assert.equal(await status.run(right.context), 0, right.err());
    assert.equal(asked, url);

    const wrong = fakeContext(args, { machine: machine("fedcba9876543210") });
    await assert.rejects(status.run(wrong.context), {
      code: "permission",
      exitCode: 77,
      message: /does not take the token/,
    });
    const none = fakeContext(["--status-listen", `127.0.0.1:${port}`]);
    await assert.rejects(top.run(none.context), { code: "permission", message: /wants its token, and none/ });

    const silent = fakeContext(args, { machine: machine("0123456789abcdef", "none") });
    assert.equal(await status.run(silent.context), 78);
    assert.match(silent.err(), /weir\.yaml:1[^]*tells nothing: let it listen, or[^]*--status-url/);
    const unreadable = fakeContext(["--status-token-file", "/nowhere"]);
    assert.equal(await status.run(unreadable.context), 78);
    assert.match(unreadable.err(), /--status-token-file[^]*Cannot be read/);
  });
});

Deno.test("top prints a plain line when it is no terminal, says once when the gateway falls silent, and ends at a signal", () => {
  let answers = true;
  return withServer(() => answers ? Response.json(whole) : new Response("", { status: 500 }), async (url) => {
    const fake = fakeContext(["--status-url", url]);
    const running = top.run(fake.context);
    const until = async (pattern: RegExp) => {
      await eventually(`it prints ${pattern}`, async () => {
        await fake.clock.advance(100);
        return pattern.test(fake.out());
      });
    };
    await until(/1 min 5 s; real_time .*evil\\u001b/);
    answers = false;
    await until(/No gateway answers .* 500.*the last that it told/);
    answers = true;
    await until(/answers again after/);
    fake.signal("SIGINT");
    assert.equal(await running, 0);
    assert.equal(fake.out().match(/No gateway answers/g)?.length, 1);
    assert.equal(fake.listeners(), 0);
  });
});

Deno.test("top ends by itself when nobody reads what it prints", () =>
  withServer(() => Response.json(whole), async (url) => {
    const { context, listeners } = fakeContext(["--status-url", url]);
    assert.equal(await top.run({ ...context, output: { ...context.output, isGone: true } }), 0);
    assert.equal(listeners(), 0);
  }));
