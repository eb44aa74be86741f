import assert from "node:assert/strict";
import type { Event } from "../../src/core/event.ts";
import { emitter } from "../../src/core/event.ts";
import type { AppStatus } from "../../src/core/status.ts";
import { stuckMs } from "../../src/ops/progress.ts";
import { statusLine, tellServiceManager } from "../../src/ops/systemd.ts";
import { fakeStatus } from "../cli/fake_context.ts";
import { type NotifyServer, startNotifyServer } from "../support/notify_server.ts";
import { virtualClock } from "../support/virtual_clock.ts";

/** A gateway in virtual time before a real socket. */
function scene(environment: Readonly<Record<string, string>>, status: () => AppStatus = fakeStatus) {
  const clock = virtualClock();
  const events: Event[] = [];
  const emit = emitter((event) => events.push(event));
  return { clock, events, manager: tellServiceManager({ environment, clock, emit, status }) };
}

async function withServer(test: (server: NotifyServer) => Promise<void>): Promise<void> {
  const server = startNotifyServer();
  try {
    await test(server);
  } finally {
    await server.close();
  }
}

const count = (server: NotifyServer, line: string) => server.messages().flat().filter((one) => one === line).length;

Deno.test("systemd is told READY, RELOADING and STOPPING in their order, and a status line between", () =>
  withServer(async (server) => {
    const { manager } = scene({ NOTIFY_SOCKET: server.path });
    manager.ready();
    manager.reloading();
    manager.ready();
    manager.stopping("SIGTERM came");
    await manager.close();
    await server.told(/^STOPPING=1$/);
    const lines = server.messages().flat();
    assert.deepEqual(lines.filter((line) => !line.startsWith("STATUS=")), [
      "READY=1",
      "RELOADING=1",
      "READY=1",
      "STOPPING=1",
    ]);
    assert.equal(lines[1], `STATUS=${statusLine(fakeStatus())}`);
    assert.equal(lines.at(-1), "STATUS=stopping: SIGTERM came");
  }));

Deno.test("signs of life come three times within the watchdog's time, and only if it listens to this process", () =>
  withServer(async (server) => {
    const watchdog = { NOTIFY_SOCKET: server.path, WATCHDOG_USEC: "30000000" };
    const listened = scene({ ...watchdog, WATCHDOG_PID: String(Deno.pid) });
    listened.manager.ready();
    await listened.clock.advance(30_000);
    await listened.manager.close();
    const other = scene({ ...watchdog, WATCHDOG_PID: "1" });
    other.manager.ready();
    await other.clock.advance(60_000);
    other.manager.stopping("end");
    await other.manager.close();
    await server.told(/STATUS=stopping: end/);
    assert.equal(count(server, "WATCHDOG=1"), 4);
    assert.equal(listened.clock.timers + other.clock.timers, 0);
  }));

Deno.test("signs of life end when nothing moves, with one error, and come back when it does", () =>
  withServer(async (server) => {
    let open = 5;
    const { clock, events, manager } = scene(
      { NOTIFY_SOCKET: server.path, WATCHDOG_USEC: "30000000" },
      () => fakeStatus(open),
    );
    manager.ready();
    await clock.advance(2 * stuckMs);
    assert.deepEqual(events.map(({ name }) => name), ["app.stuck"]);
    assert.match(events[0]?.message ?? "", /5 readings are on their way.*restart the gateway/);
    await server.told(/STATUS=stuck/);
    open = 4;
    await clock.advance(10_000);
    assert.deepEqual(events.map(({ name }) => name), ["app.stuck", "app.unstuck"]);
    manager.stopping("end");
    await manager.close();
    await server.told(/STATUS=stopping: end/);
    // At 0, 10 ... 50 s, and again at 130 s.
    assert.equal(count(server, "WATCHDOG=1"), 7);
  }));

Deno.test("without systemd nothing is told, no timer is set and nothing is made", async () => {
  const { clock, events, manager } = scene({});
  manager.ready();
  manager.stopping("end");
  await manager.close();
  assert.deepEqual([clock.timers, events], [0, []]);
});

Deno.test("a socket that cannot be reached is said once and stops nothing", async () => {
  for (const path of ["@abstract", "/nowhere/at/all"]) {
    const { clock, events, manager } = scene({ NOTIFY_SOCKET: path });
    manager.ready();
    await clock.advance(60_000);
    await manager.close();
    assert.deepEqual(events.map(({ name }) => name), ["systemd.unreachable"], path);
  }
});
