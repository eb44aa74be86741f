import assert from "node:assert/strict";
import { loadSettings } from "../../src/config/load.ts";
import { fakeMachine } from "./fake_machine.ts";

const base = ["--files-dir", "/dumps", "--sink", "stdout"];
const token = { "/token": "0123456789abcdef\n", "/short": "0123\n" };

function load(...args: readonly string[]): ReturnType<typeof loadSettings> {
  return loadSettings("run", [...base, ...args], fakeMachine({ files: token }));
}

/** Where it listens, or what is wrong. */
function listen(...args: readonly string[]): string {
  const loaded = load(...args);
  if (loaded.kind === "problems") return loaded.problems.map((one) => `${one.where}: ${one.message}`).join();
  assert.ok(loaded.kind === "settings");
  const { status } = loaded.settings;
  return status === null ? "none" : `${status.hostname} ${status.port} ${status.token?.reveal() ?? "open"}`;
}

Deno.test("the page is on this machine only unless told otherwise, and not for runs that pass", () => {
  assert.equal(listen(), "127.0.0.1 9464 open");
  assert.equal(listen("--status-listen", "none"), "none");
  assert.equal(listen("--once"), "none");
  assert.equal(listen("--dry-run"), "none");
  assert.equal(listen("--once", "--status-listen", "127.0.0.1:80"), "127.0.0.1 80 open");
  assert.equal(listen("--status-listen", "[::1]:9464"), "::1 9464 open");
  assert.equal(listen("--status-listen", "localhost:1"), "127.0.0.1 1 open");
});

Deno.test("an address that others reach needs a token, and a token some length", () => {
  for (const address of ["0.0.0.0:9464", "[::]:9464", "192.168.1.7:80"]) {
    assert.match(listen("--status-listen", address), /^--status-listen: Others can reach .* needs --status-token-file/);
  }
  assert.equal(
    listen("--status-listen", "0.0.0.0:9464", "--status-token-file", "/token"),
    "0.0.0.0 9464 0123456789abcdef",
  );
  assert.match(listen("--status-token-file", "/short"), /too short: at least 16/);
  assert.match(listen("--status-listen", "0.0.0.0:9464", "--status-token-file", "/away"), /Cannot be read/);
});

Deno.test("what is no address is refused", () => {
  for (const text of ["9464", "127.0.0.1", "256.0.0.1:1", "127.0.0.1:0", "127.0.0.1:70000", "box:80", "[1.2.3.4]:5"]) {
    assert.match(listen("--status-listen", text), /an IP address and a port/, text);
  }
});
