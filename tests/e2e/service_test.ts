/**
 * Weir as a service: the unit as systemd reads it, and the program as systemd drives it (notify socket, SIGHUP, SIGTERM).
 *
 * @module
 */
import assert from "node:assert/strict";
import { options, secretNames } from "../../src/config/options.ts";
import { readEnvironment } from "../../src/config/environment.ts";
import { runGateway, startGateway } from "../support/gateway.ts";
import { startNotifyServer } from "../support/notify_server.ts";
import { eventually, leftOut } from "../support/servers.ts";

/** Most that `systemd-analyze security` may find, in tenths. */
const exposureMax = 1.5;

const unit = new URL("../../systemd/weir.service", import.meta.url);
const unitText = await Deno.readTextFile(unit);

async function hasSystemd(): Promise<boolean> {
  try {
    return (await new Deno.Command("systemd-analyze", { args: ["--version"] }).output()).success;
  } catch {
    return false;
  }
}

async function analyze(args: readonly string[]): Promise<{ readonly ok: boolean; readonly text: string }> {
  const { success, stdout, stderr } = await new Deno.Command("systemd-analyze", {
    args: [...args],
    env: { SYSTEMD_PAGER: "", NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { ok: success, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

if (await hasSystemd()) {
  Deno.test("the unit is as systemd wants it: verify says nothing", async () => {
    const folder = await Deno.makeTempDir({ prefix: "weir-unit-" });
    await Deno.writeTextFile(`${folder}/weir`, "#!/bin/sh\n", { mode: 0o755 });
    await Deno.writeTextFile(`${folder}/weir.service`, unitText.replaceAll("/usr/local/bin/weir", `${folder}/weir`));
    const { ok, text } = await analyze(["verify", "--man=no", `${folder}/weir.service`]);
    await Deno.remove(folder, { recursive: true });
    // It also reads the machine's own units, whose faults are not ours.
    assert.deepEqual(text.split("\n").filter((line) => line.includes("weir.service")), []);
    assert.ok(ok, text);
  });

  Deno.test(`the unit's exposure is at most ${exposureMax}`, async () => {
    const { text } = await analyze(["security", "--offline=true", "--no-pager", unit.pathname]);
    const exposure = Number(/Overall exposure level for weir\.service: ([\d.]+)/.exec(text)?.[1]);
    assert.ok(exposure <= exposureMax, text);
  });
  Deno.test("systemd makes the user and the drop folder as they are written", async () => {
    const folder = await Deno.makeTempDir({ prefix: "weir-tmpfiles-" });
    const place = (name: string) => new URL(`../../systemd/${name}`, import.meta.url).pathname;
    // Older ones look for users on the machine itself, whatever the root.
    const tmpfiles = (await Deno.readTextFile(place("weir.tmpfiles"))).replaceAll("weir weir", "root root");
    await Deno.writeTextFile(`${folder}/weir.conf`, tmpfiles);
    await Deno.mkdir(`${folder}/etc`);
    // Under a root of its own, and of these files alone: nothing of the machine is touched.
    const runs = [["systemd-sysusers", place("weir.sysusers")], [
      "systemd-tmpfiles",
      "--create",
      `${folder}/weir.conf`,
    ]];
    for (const [program = "", ...args] of runs) {
      const { stderr } = await new Deno.Command(program, { args: [`--root=${folder}`, ...args] }).output();
      assert.doesNotMatch(new TextDecoder().decode(stderr), /parse|resolve|[Uu]nknown|Ignoring/);
    }
    assert.match(await Deno.readTextFile(`${folder}/etc/passwd`), /^weir:/m);
    const { mode } = await Deno.stat(`${folder}/var/spool/weir/drop`);
    assert.equal(mode === null ? null : mode & 0o7777, 0o2770);
    await Deno.remove(folder, { recursive: true });
  });
} else {
  leftOut("the systemd unit", "no systemd-analyze on PATH; install the package systemd");
}

Deno.test("the unit keeps what V8 and the program's promises need", () => {
  const has = (line: string) => assert.ok(unitText.split("\n").includes(line), `no line ${line}`);
  ["Type=notify", "RestartPreventExitStatus=77 78", "SystemCallErrorNumber=EPERM", "StateDirectory=weir"].forEach(has);
  assert.doesNotMatch(unitText, /^(?:MemoryDenyWriteExecute|LimitAS)=/m);
  const drainSeconds = Number.parseInt(options.general.drainTimeout.fallback ?? "");
  assert.ok(Number(/^TimeoutStopSec=(\d+)$/m.exec(unitText)?.[1]) > drainSeconds, "a stop is cut short");
});

Deno.test("the unit loads every secret that Weir asks systemd for", () => {
  const loaded = [...unitText.matchAll(/^LoadCredential=(.+)$/gm)].map(([, name]) => name);
  assert.deepEqual(new Set(loaded), new Set(secretNames));
});

Deno.test("every variable of the example environment is one that Weir knows", async () => {
  const text = await Deno.readTextFile(new URL("../../systemd/weir.env.example", import.meta.url));
  const pairs = [...text.matchAll(/^#?(WEIR_[A-Z_]+)=(.*)$/gm)].map(([, name = "", value = ""]) => [name, value]);
  assert.ok(pairs.length > 5);
  const { given, problems } = readEnvironment(Object.fromEntries(pairs), "/");
  assert.deepEqual([problems, new Set(given.map(({ name }) => name)).size], [[], pairs.length]);
});

Deno.test("service print gives the files as they are, and refuses what there is not", async () => {
  const printed = await runGateway(["service", "print"]);
  assert.deepEqual([printed.code, printed.stdout], [0, unitText]);
  for (
    const [word, file] of [["env", "weir.env.example"], ["sysusers", "weir.sysusers"], ["tmpfiles", "weir.tmpfiles"]]
  ) {
    const { stdout } = await runGateway(["service", "print", word ?? ""]);
    assert.equal(stdout, await Deno.readTextFile(new URL(`../../systemd/${file}`, import.meta.url)));
  }
  const refused = await runGateway(["service", "print", "timer"]);
  assert.equal(refused.code, 78);
  assert.match(refused.stderr, /There is unit\|env\|sysusers\|tmpfiles\|guide/);
});

Deno.test("under systemd: ready, alive, reloaded without losing a row, stopped", async () => {
  const root = await Deno.makeTempDir({ prefix: "weir-service-" });
  const server = startNotifyServer();
  const rows = 2_000;
  await Deno.mkdir(`${root}/drop`);
  const dump = Array.from({ length: rows }, (_, row) => `d,m,${row}\n`).join("");
  await Deno.writeTextFile(`${root}/drop/a.csv`, `device_id,metric,value\n${dump}`);
  const config = (cap: string, more = "", folder = "") =>
    Deno.writeTextFile(
      `${root}/weir.yaml`,
      `files-dir: ${root}/drop${folder}\nfiles-ready: rename\nfiles-cap: ${cap}\nsink: ndjson:${root}/out.ndjson\n` +
        `state-dir: ${root}/state\nlog-format: json\n${more}`,
    );
  await config("20/s", "files-cap-bytes: 1KiB/s\n", ",cap=10/s");
  const gateway = startGateway(["run", "--config", `${root}/weir.yaml`], {
    NOTIFY_SOCKET: server.path,
    RUNTIME_DIRECTORY: root,
    WATCHDOG_USEC: "3000000",
  });
  const lines = async () => (await Deno.readTextFile(`${root}/out.ndjson`)).split("\n").filter((line) => line !== "");
  try {
    await server.told(/^READY=1$/);
    await server.told(/^WATCHDOG=1$/);
    await server.told(/^STATUS=.*rows of files, cap 20\/s/);
    await eventually("rows leave under the first cap", async () => (await lines()).length > 0);
    // Each of the three caps alone would hold the rows for a minute and more.
    await config("none", "set: site='north'\nfiles-quiet: 3s\n", ",every=1h");
    gateway.signal("SIGHUP");
    await gateway.logged(/read again: files-dir, files-cap, files-cap-bytes, set changed/);
    await gateway.logged(/only a restart takes it over: files-quiet/);
    await server.told(/^RELOADING=1$/);
    await eventually("all rows have left", async () => (await lines()).length === rows);
    await gateway.logged(/file_finished.*"verdict":"on_time"/);
    await config("fast");
    gateway.signal("SIGHUP");
    await gateway.logged(/those in force stay: .*files-cap/);
    assert.equal(await gateway.stop(), 0);
    await server.told(/^STOPPING=1$/);
  } finally {
    gateway.signal("SIGKILL");
    await gateway.ended;
    await server.close();
  }
  const readings = (await lines()).map((line) => JSON.parse(line));
  assert.deepEqual(readings.map((reading) => reading.value), Array.from({ length: rows }, (_, row) => row));
  assert.equal(readings[0].site, undefined);
  assert.equal(readings.at(-1).site, "north");
  const words = server.messages().flat().filter((line) => /^(?:READY|RELOADING|STOPPING)=/.test(line));
  assert.deepEqual(words, ["READY=1", "RELOADING=1", "READY=1", "RELOADING=1", "READY=1", "STOPPING=1"]);
  // Its own end of the socket is gone.
  assert.deepEqual(
    (await Array.fromAsync(Deno.readDir(root))).map(({ name }) => name).filter((name) => name.startsWith("notify")),
    [],
  );
  await Deno.remove(root, { recursive: true });
});
