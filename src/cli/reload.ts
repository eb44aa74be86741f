/**
 * A reload (SIGHUP, `systemctl reload weir`): the config file is read again and checked as at a start, and what can change under a running
 * data path is taken over, with nothing lost and nothing sent twice. What cannot is named once. A process keeps its flags and its
 * environment, so only the config file can say something new.
 *
 * @module
 */
import type { App } from "../app.ts";
import type { Gathered } from "../config/gather.ts";
import { loadSettings } from "../config/load.ts";
import { optionList } from "../config/options.ts";
import type { Settings } from "../config/settings.ts";
import type { Emit } from "../core/event.ts";
import { messageOf, WeirError } from "../core/error.ts";
import { printable } from "../core/text.ts";
import type { CommandContext } from "./command.ts";
import type { LoadedSettings } from "./opening.ts";

/** Settings that a reload takes over whole. */
const changeable: ReadonlySet<string> = new Set([
  "files-cap",
  "files-cap-bytes",
  "files-pace",
  "files-min",
  "files-burst",
  "in-flight",
  "files-in-flight",
  "schema",
  "alias",
  "extra",
  "set",
  "filter",
  "time-format",
  "time-zone",
]);

/** Settings of which a reload takes over these parts, and nothing else. */
const changeableParts: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ["files-dir", new Set(["weight", "periodMs", "capRowsPerSecond"])],
  ["mqtt-topic", new Set(["weight"])],
]);

/** Makes the function that reloads. It never throws but for a defect; what came of it is told through `emit`. */
export function createReload(
  context: CommandContext,
  app: Pick<App, "reload">,
  first: LoadedSettings,
  emit: Emit,
): () => void {
  // Compared with what is in force, not with what was read last: a change that waits for a restart is told at each reload.
  let inForce = first.gathered;

  return () => {
    const loaded = loadSettings("run", context.args, context.surroundings, { validate: context.complaintsOf });
    if (loaded.kind !== "settings") {
      const problems = loaded.kind === "problems" ? loaded.problems : [];
      const mistakes = problems.map(({ where, message }) => `${where}: ${message}`).join("; ");
      return refused(emit, printable(mistakes, 2000));
    }
    const { settings, gathered } = loaded;
    try {
      app.reload(effective(first.settings, settings));
    } catch (thrown) {
      if (!(thrown instanceof WeirError)) throw thrown;
      return refused(emit, printable(messageOf(thrown), 2000));
    }
    const changed = changedNames(inForce, gathered);
    const taken = changed.filter((name) => changeable.has(name) || onlyParts(name, inForce, gathered));
    const waiting = changedNames(first.gathered, gathered).filter((name) =>
      !changeable.has(name) && !onlyParts(name, first.gathered, gathered)
    );
    inForce = gathered;
    const news = taken.length === 0 ? "nothing that it takes over has changed" : `${taken.join(", ")} changed`;
    emit("info", "app.reloaded", `The settings were read again: ${news}`, { changed: taken.join(" ") });
    if (waiting.length > 0) {
      emit("warn", "app.restart_needed", `Changed, but only a restart takes it over: ${waiting.join(", ")}`, {
        settings: waiting.join(" "),
      });
    }
  };
}

function refused(emit: Emit, mistakes: string): void {
  emit(
    "error",
    "app.reload_refused",
    `The settings were read again and are wrong, so those in force stay: ${mistakes}`,
  );
}

/** The new settings as far as they can be taken over; a side that is not running stays so. */
function effective(running: Settings, next: Settings): Settings {
  const { files, mqtt } = running;
  return {
    ...running,
    readings: next.readings,
    limits: { ...next.limits, inFlightBytes: running.limits.inFlightBytes },
    mqtt: mqtt === null || next.mqtt === null ? mqtt : {
      ...mqtt,
      subscriptions: mqtt.subscriptions.map((one) => {
        const same = next.mqtt?.subscriptions.find(({ template }) => template === one.template);
        return { ...one, weight: same?.weight ?? one.weight };
      }),
    },
    files: files === null || next.files === null ? files : {
      ...files,
      folders: files.folders.map((one) => next.files?.folders.find(({ path }) => path === one.path) ?? one),
      pace: next.files.pace,
      capRowsPerSecond: next.files.capRowsPerSecond,
      capBytesPerSecond: next.files.capBytesPerSecond,
      minRowsPerSecond: next.files.minRowsPerSecond,
      burstRows: next.files.burstRows,
    },
  };
}

/** Names of the settings whose values differ. */
function changedNames(before: Gathered, after: Gathered): readonly string[] {
  return optionList.filter((option) => JSON.stringify(before.value(option)) !== JSON.stringify(after.value(option)))
    .map((option) => option.name);
}

/** Whether nothing differs but what is taken over of this setting. */
function onlyParts(name: string, before: Gathered, after: Gathered): boolean {
  const option = optionList.find((one) => one.name === name);
  const parts = changeableParts.get(name);
  if (option === undefined || parts === undefined) return false;
  const bare = (gathered: Gathered) =>
    JSON.stringify(gathered.value(option), (key, value: unknown) => parts.has(key) ? undefined : value);
  return bare(before) === bare(after);
}
