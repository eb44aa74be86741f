import assert from "node:assert/strict";
import { eventually } from "../support/servers.ts";
import { runGateway, startGateway } from "../support/gateway.ts";

/** Runs with a folder for everything that the demo writes. */
async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "weir-demo-test-" });
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

interface Written {
  readonly real_time: number;
  readonly batch: number;
}

/** Counts the lines of a file by origin; each must be a JSON object with the fields of a reading. */
async function written(path: string): Promise<Written> {
  const counts = { real_time: 0, batch: 0 };
  for (const line of (await Deno.readTextFile(path)).trimEnd().split("\n")) {
    const { origin, device_id, metric, value, ts, processing_time } = JSON.parse(line);
    assert.ok(origin === "real_time" || origin === "batch", line);
    assert.match(device_id, /^(kiln|mixer|press|pump)-\d0\d$/);
    assert.match(metric, /^(temperature|vibration|pressure)$/);
    for (const number of [value, ts, processing_time]) assert.equal(typeof number, "number", line);
    counts[origin === "batch" ? "batch" : "real_time"] += 1;
  }
  return counts;
}

/** The sums of the summary: read, delivered, filtered, dead-lettered, dropped. */
function sumsOf(summary: string, origin: string): readonly number[] {
  const line = summary.split("\n").find((text) => text.trimStart().startsWith(`${origin} `)) ?? "";
  const numbers = line.trim().split(/\s+/).slice(1).map((text) => Number(text.replaceAll(",", "")));
  assert.equal(numbers.length, 5, `${origin} in:\n${summary}`);
  return numbers;
}

Deno.test("the demo ends by itself with sums that add up and a file that holds exactly what they say", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/out.ndjson`;
    const { code, stdout, stderr } = await runGateway(
      ["demo", "--for", "6s", "--files-cap", "2000/s", "--sink", `ndjson:${path}`],
      { TMPDIR: folder },
    );
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /It adds up/);
    const lines = await written(path);
    for (const origin of ["real_time", "batch"] as const) {
      const [read = 0, delivered = 0, filtered, deadLettered = 0, dropped] = sumsOf(stdout, origin);
      assert.ok(delivered > 0, stdout);
      assert.equal(read, delivered + deadLettered);
      assert.deepEqual([filtered, dropped], [0, 0]);
      assert.equal(lines[origin], delivered);
    }
    const [, , , badRows = 0] = sumsOf(stdout, "batch");
    const [, , , badPayloads = 0] = sumsOf(stdout, "real_time");
    assert.ok(badRows > 0, "bad rows end in the dead letters");
    assert.ok(!stdout.includes("\u001b"), "no terminal, no control sequences");
    // What it says to try next can be tried.
    const [, words = ""] = /^ {2}(.* dlq list --state-dir .*)$/m.exec(stdout) ?? [];
    const [program = "", ...args] = words.split(" ");
    const listed = await new Deno.Command(program, { args, cwd: new URL("../..", import.meta.url) }).output();
    assert.match(
      new TextDecoder().decode(listed.stdout),
      new RegExp(`${badRows + badPayloads} of ${badRows + badPayloads} letters`),
    );
  });
});

Deno.test("Ctrl-C ends the demo early, drained and with its summary", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/out.ndjson`;
    const gateway = startGateway(["demo", "--for", "1h", "--sink", `ndjson:${path}`], { TMPDIR: folder });
    try {
      await eventually("both origins are in the file", async () => {
        const text = await Deno.readTextFile(path).catch(() => "");
        return text.includes('"origin":"real_time"') && text.includes('"origin":"batch"');
      });
      gateway.signal("SIGINT");
      assert.equal(await gateway.ended, 0, gateway.stdout() + gateway.stderr());
      assert.match(gateway.stdout(), /It adds up/);
      assert.match(gateway.stdout(), /left at the end/);
      assert.equal((await written(path)).batch, sumsOf(gateway.stdout(), "batch")[1]);
    } finally {
      gateway.signal("SIGKILL");
      await gateway.ended;
    }
  });
});

Deno.test("a wrong flag is told before anything starts or is written", async () => {
  await inFolder(async (folder) => {
    const { code, stdout, stderr } = await runGateway(["demo", "--for", "soon"], { TMPDIR: folder });
    assert.equal(code, 78);
    assert.equal(stdout, "");
    assert.match(stderr, /--for/);
    assert.deepEqual(await Array.fromAsync(Deno.readDir(folder)), []);
  });
});
