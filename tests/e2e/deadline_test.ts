/**
 * Deadlines, end to end: the real program on real folders, to a file of JSON lines.
 *
 * @module
 */
import assert from "node:assert/strict";
import { dropFile } from "../support/drop_file.ts";
import { runGateway, startGateway } from "../support/gateway.ts";
import { eventually } from "../support/servers.ts";

async function withPlace(test: (place: { drop: string; args: readonly string[] }) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir({ prefix: "weir-deadline-" });
  const drop = `${root}/drop`;
  await Deno.mkdir(drop);
  try {
    const args = [
      ...["--state-dir", `${root}/state`, "--gateway", "e2e", "--sink", `ndjson:${root}/out.ndjson`],
      ...["--files-ready", "rename", "--files-poll", "1s"],
    ];
    await test({ drop, args });
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

async function dropCsv(folder: string, rows: number): Promise<void> {
  // All of one length: what is left is estimated from what was read, however little that is.
  const lines = Array.from({ length: rows }, (_, i) => `press,count,${10_000 + i}`).join("\n");
  await dropFile(folder, "dump.csv", `device_id,metric,value\n${lines}\n`);
}

Deno.test("a dump that will be late is logged with the cap that would do, and plan says the same beside the gateway", () =>
  withPlace(async ({ drop, args }) => {
    // It would take six minutes and has two: on a slow machine, too, `plan` finds it half read, and its deadline to come.
    const rows = 36_000;
    await dropCsv(drop, rows);
    const files = ["--files-dir", `${drop},every=2m`, "--files-cap", "100"];
    const gateway = startGateway(["run", ...args, ...files]);
    try {
      const line = await gateway.logged(
        /"dump\.csv" in .* will be late: it takes about \d+ (?:min|s)\b.*--files-cap [\d,]+\/s would do/,
      );
      assert.match(line, /WARN/);
      await gateway.logged(
        /Dumps will pile up: \d+ rows\/s come \([\d,]+ rows every 2 min in .* the cap is 100 rows\/s/,
      );
      const plan = await eventually("what was read is known from the ledger", async () => {
        const planned = await runGateway(["plan", ...args, ...files, "--json"]);
        assert.equal(planned.code, 1, planned.stderr);
        const told = JSON.parse(planned.stdout);
        return told.folders[0].files[0].rowsRead > 0 ? told : null;
      });
      const [file] = plan.folders[0].files;
      assert.equal(file.verdict, "late");
      assert.ok(Math.abs(file.rowsRead + file.rowsLeft - rows) < rows / 20, `${file.rowsRead} + ${file.rowsLeft}`);
      assert.ok(plan.capNeededRows > rows / 120, `${plan.capNeededRows}`);
    } finally {
      gateway.signal("SIGKILL");
      await gateway.ended;
    }
  }));

Deno.test("pace deadline reads far below the cap, and is in before the deadline", () =>
  withPlace(async ({ drop, args }) => {
    // A machine that stands still for a few seconds does not make it late.
    const files = ["--files-dir", `${drop},every=40s`, "--files-cap", "100000", "--files-pace", "deadline"];
    const gateway = startGateway(["run", ...args, ...files, "--files-min", "50"]);
    try {
      await gateway.logged(/Weir .* is "e2e"/);
      const startMs = performance.now();
      await dropCsv(drop, 3_000);
      await gateway.logged(/will be on time/);
      await eventually("it is archived", async () => {
        return !(await Array.fromAsync(Deno.readDir(drop))).some(({ name }) => name === "dump.csv");
      });
      const tookMs = performance.now() - startMs;
      assert.ok(tookMs > 3_000, `It was read within ${tookMs} ms: not paced`);
      // The file is moved first and spoken of then.
      const line = await gateway.logged(/Finished "dump\.csv"/);
      assert.match(line, /3,000 rows .*verdict=on_time/);
    } finally {
      gateway.signal("SIGKILL");
      await gateway.ended;
    }
  }));
