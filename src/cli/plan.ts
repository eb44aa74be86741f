/**
 * `weir plan`: what the dumps that wait in the folders will take at the cap, whether each is in before its deadline, and the cap that
 * would do. Reads the folders, the ledger and a sample of each file, and touches nothing; works beside a running gateway and without one.
 *
 * @module
 */
import type { Gathered } from "../config/gather.ts";
import type { LoadOptions } from "../config/load.ts";
import { optionByName, options } from "../config/options.ts";
import type { Complaint, Given } from "../config/problem.ts";
import type { Settings } from "../config/settings.ts";
import { exitCodes, WeirError } from "../core/error.ts";
import { printableJson } from "../core/text.ts";
import { openDecoderOf, schedulingOf } from "../registry.ts";
import { excessRows } from "../scheduler/deadline.ts";
import { capThatWouldDo, forecastQueue, type QueuedFolder } from "../scheduler/forecast_queue.ts";
import type { Command, CommandContext } from "./command.ts";
import { openSettings } from "./opening.ts";
import { type Plan, planText } from "./plan_text.ts";
import { type WaitingFolder, waitingIn } from "./waiting.ts";

/** The exit code when a dump will not make its deadline. */
const late = 1;

/** The command. */
export const plan: Command = {
  name: "plan",
  summary: "tell when the waiting dumps are in, and whether that is in time",
  words: "",
  examples: [
    "weir plan --config /etc/weir/weir.yaml",
    "weir plan --files-dir /var/lib/dumps,every=1h --files-cap 500/s --what-if files-cap=800/s",
  ],
  async run(context) {
    const { output } = context;
    const loaded = openSettings(plan, context, howToLoad);
    if (typeof loaded === "number") return loaded;
    const asked = loaded.gathered;
    const whatIf = asked.value(options.terminal.whatIf);
    const other = whatIf.length === 0 ? null : openSettings(plan, context, {
      ...howToLoad,
      overrides: whatIf.map((text) => given(text, context)),
    });
    if (typeof other === "number") return other;

    const now = await planOf(loaded.settings, context);
    const then = other === null ? null : await planOf(other.settings, context);
    if (asked.value(options.letters.json)) output.write(`${planJson(now, then, whatIf)}\n`);
    else {
      output.write(planText(now, output));
      if (then !== null) output.write(`\nWith ${whatIf.join(" and ")}:\n\n${planText(then, output)}`);
    }
    return (then ?? now).folders.some((folder) => folder.files.some(({ verdict }) => verdict === "late"))
      ? late
      : exitCodes.ok;
  },
};

/** A plan needs the folders alone: neither a broker nor Kafka. */
const howToLoad: LoadOptions = { presets: { sink: "stdout" }, partly: true, validate: complaintsOf };

function complaintsOf(settings: Settings, { value }: Gathered): readonly Complaint[] {
  const missing = { setting: "files-dir", message: "Missing: name the folder that dumps are dropped into" };
  const unknown = value(options.terminal.whatIf).flatMap((text, index) =>
    optionByName.has(text.slice(0, text.indexOf("="))) ? [] : [{
      setting: "what-if",
      index,
      message: 'There is no such setting: "weir help run" lists them all',
    }]
  );
  return settings.files === null ? [missing, ...unknown] : unknown;
}

function given(whatIf: string, context: CommandContext): Given {
  const at = whatIf.indexOf("=");
  const place = { from: "flag", label: "--what-if", folder: context.surroundings.folder } as const;
  return { name: whatIf.slice(0, at), text: whatIf.slice(at + 1), place };
}

async function planOf(settings: Settings, context: CommandContext): Promise<Plan> {
  const { files } = settings;
  if (files === null) throw new Error("A plan was asked for without folders");
  const { capRows } = schedulingOf(settings);
  const nowMs = context.clock.wallMs();
  const openDecoder = openDecoderOf(files, () => {});
  const records = await openRecords(settings.stateDir, context);
  const waiting: WaitingFolder[] = [];
  try {
    for (const { path } of files.folders) waiting.push(await waitingIn(path, files, records, openDecoder, nowMs));
  } finally {
    await records?.close();
  }
  const queued = waiting.map((folder, i): QueuedFolder => ({
    weight: files.folders[i]?.weight ?? 1,
    capRows: files.folders[i]?.capRowsPerSecond ?? null,
    files: folder.files.map((file) => ({
      rows: file.rowsLeft,
      timeLeftMs: timeLeft(file.arrivedMs, files.folders[i]?.periodMs ?? null, nowMs),
    })),
  }));
  const forecasts = forecastQueue(queued, capRows);
  const missed = forecasts.flat().some(({ verdict }) => verdict === "late" || verdict === "at_risk");
  return {
    capRows,
    capNeededRows: missed ? capThatWouldDo(queued) : null,
    withLedger: records !== null,
    coming: comingOf(waiting, files.folders),
    excessRows: capRows === null ? 0 : excessRows(comingOf(waiting, files.folders), capRows),
    folders: waiting.map((folder, i) => ({
      path: folder.path,
      everyMs: files.folders[i]?.periodMs ?? null,
      trouble: folder.trouble,
      files: folder.files.map((file, j) => ({
        ...file,
        timeLeftMs: queued[i]?.files[j]?.timeLeftMs ?? null,
        inMs: forecasts[i]?.[j]?.inMs ?? null,
        verdict: file.refusal === null ? forecasts[i]?.[j]?.verdict ?? "none" : "none",
      })),
    })),
  };
}

/** The ledger, or null where no gateway has run yet. */
async function openRecords(
  stateDir: string,
  context: CommandContext,
): Promise<Awaited<ReturnType<CommandContext["openRecords"]>> | null> {
  try {
    return await context.openRecords(stateDir);
  } catch (thrown) {
    if (thrown instanceof WeirError && thrown.code === "unavailable") return null;
    throw thrown;
  }
}

function timeLeft(arrivedMs: number, everyMs: number | null, nowMs: number): number | null {
  return everyMs === null ? null : arrivedMs + everyMs - nowMs;
}

/** What comes, period after period: as large as the newest dump that lies there, or else as the last one that was finished. */
function comingOf(
  waiting: readonly WaitingFolder[],
  folders: readonly { readonly periodMs: number | null }[],
): readonly { readonly rows: number; readonly everyMs: number }[] {
  return waiting.flatMap(({ files, lastDumpRows }, i) => {
    const everyMs = folders[i]?.periodMs ?? null;
    const newest = files.at(-1);
    const rows = newest === undefined ? lastDumpRows : newest.rowsRead + newest.rowsLeft;
    return everyMs === null || rows === null ? [] : [{ rows, everyMs }];
  });
}

function planJson(now: Plan, then: Plan | null, whatIf: readonly string[]): string {
  const plans = then === null ? now : { ...now, what_if: { settings: whatIf, plan: then } };
  return printableJson(JSON.stringify(plans));
}
