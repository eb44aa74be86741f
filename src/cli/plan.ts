/**
 * `weir plan`: what the dumps that wait in the folders will take at the cap, whether each is in before its deadline, and the cap that
 * would do. Reads the folders, the ledger and a sample of each file, and touches nothing; works beside a running gateway and without one.
 *
 * @module
 */
import type { Presets } from "../config/gather.ts";
import { gather } from "../config/gather.ts";
import { loadSettings } from "../config/load.ts";
import { optionByName, options } from "../config/options.ts";
import type { Given, Problem } from "../config/problem.ts";
import type { Settings } from "../config/settings.ts";
import { exitCodes, WeirError } from "../core/error.ts";
import { printableJson } from "../core/text.ts";
import { openDecoderOf, schedulingOf } from "../registry.ts";
import { excessRows } from "../scheduler/deadline.ts";
import { capThatWouldDo, forecastQueue, type QueuedFolder } from "../scheduler/forecast_queue.ts";
import type { Command, CommandContext } from "./command.ts";
import { commandHelp } from "./help.ts";
import { sayProblems } from "./mistakes.ts";
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
    const asked = gather("plan", context.args, context.surroundings);
    if (asked.help) {
      output.write(commandHelp(plan, output.columns));
      return exitCodes.ok;
    }
    const whatIf = asked.value(options.terminal.whatIf);
    const wrong = whatIf.flatMap(unknownName);
    const loaded = load(context, []);
    if (loaded.kind !== "settings") return sayProblems(context, [...wrong, ...loaded.problems]);
    const other = whatIf.length === 0 ? null : load(context, whatIf.map((text) => given(text, context)));
    if (other !== null && other.kind !== "settings") return sayProblems(context, [...wrong, ...other.problems]);
    if (wrong.length > 0) return sayProblems(context, wrong);

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

type Loading =
  | { readonly kind: "settings"; readonly settings: Settings }
  | { readonly kind: "problems"; readonly problems: readonly Problem[] };

/** A plan needs the folders alone: neither a broker nor Kafka. */
function load(context: CommandContext, overrides: readonly Given[]): Loading {
  const presets: Presets = { sink: "stdout" };
  const loaded = loadSettings("plan", context.args, context.surroundings, { presets, overrides, partly: true });
  if (loaded.kind === "help") return { kind: "problems", problems: [] };
  if (loaded.kind === "settings" && loaded.settings.files === null) {
    const message = "Missing: name the folder that dumps are dropped into";
    return { kind: "problems", problems: [{ where: "--files-dir", seen: null, message }] };
  }
  return loaded;
}

function given(whatIf: string, context: CommandContext): Given {
  const at = whatIf.indexOf("=");
  const place = { from: "flag", label: "--what-if", folder: context.surroundings.folder } as const;
  return { name: whatIf.slice(0, at), text: whatIf.slice(at + 1), place };
}

function unknownName(whatIf: string): readonly Problem[] {
  if (optionByName.has(whatIf.slice(0, whatIf.indexOf("=")))) return [];
  return [{ where: "--what-if", seen: whatIf, message: 'There is no such setting: "weir help run" lists them all' }];
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
