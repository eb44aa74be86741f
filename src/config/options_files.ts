/**
 * Settings of the files side.
 *
 * @module
 */
import { type Kind, kind, refuse } from "./kind.ts";
import {
  byteRateOrNone,
  count,
  duration,
  durationMs,
  durationOrNone,
  oneOf,
  rate,
  rateOrNone,
  sizeOrNone,
  text,
  timeZone,
} from "./kinds.ts";
import { anyText } from "./options_general.ts";
import { type About, defaulted, optional, repeatable, toggle } from "./option.ts";
import type { FolderSettings } from "./settings.ts";
import { splitTail, tailWeight } from "./tail.ts";

const here: Pick<About, "group" | "commands"> = { group: "Files", commands: ["run", "check"] };
const alsoDemo: Pick<About, "group" | "commands"> = { group: "Files", commands: ["run", "check", "demo"] };

const dayMs = 86_400_000;

const folder: Kind<FolderSettings> = kind<FolderSettings>({
  placeholder: "PATH[,weight=N][,every=TIME][,cap=RATE]",
  allowed: "a folder, with ,weight=N ,every=1h or ,cap=200/s behind it if wanted",
  parse(value) {
    const { head, tail, mistake } = splitTail(value, ["weight", "every", "cap"]);
    if (mistake !== null) return refuse(mistake);
    if (head === "" || head.includes("\0")) return refuse();
    const weight = tailWeight(tail.get("weight"));
    if (weight === null) return refuse("The weight must be a number from 0.001 to 1000");
    const every = tail.get("every");
    const periodMs = every === undefined ? null : durationMs(every);
    if (every !== undefined && (periodMs === null || periodMs < 1000 || periodMs > 366 * dayMs)) {
      return refuse("The part every= must be a time like 15m, 1h or 1d, at least 1s");
    }
    const cap = tail.get("cap");
    const capRows = cap === undefined ? null : folderCap(cap);
    if (cap !== undefined && capRows === null) {
      return refuse("The part cap= must be whole rows a second like 200 or 200/s");
    }
    return { path: head, weight, periodMs, capRowsPerSecond: capRows };
  },
});

/** `tab` and the like: characters that are hard to write in a shell or in YAML. */
const delimiterNames: Readonly<Record<string, string>> = {
  tab: "\t",
  "\\t": "\t",
  comma: ",",
  semicolon: ";",
  pipe: "|",
};

const delimiter: Kind<string> = kind({
  placeholder: "CHAR|auto",
  allowed: "auto, one character of ASCII, or one of tab, comma, semicolon, pipe",
  parse(value) {
    if (value === "auto") return value;
    const character = Object.hasOwn(delimiterNames, value) ? delimiterNames[value] : value;
    return character !== undefined && isMark(character) ? character : refuse();
  },
});

const comment: Kind<string> = kind({
  placeholder: "CHAR|none",
  allowed: "none, or one character of ASCII like #",
  parse: (value) => value === "none" || isMark(value) ? value : refuse(),
});

/** Whether it is one character that can mean something in a CSV file besides quotes and line endings: decoders look for its byte. */
function isMark(value: string): boolean {
  return value.length === 1 && value <= "\x7f" && !/["\r\n\0]/.test(value);
}

/** Settings of the files side. */
export const files = {
  dirs: repeatable("files-dir", folder, "line", {
    ...here,
    help: "folder that dumps are dropped into; without one there are no files",
    example: "/var/lib/dumps,every=1h",
    more:
      "`weight=N` (1 when not given) is the share among folders, `every=TIME` how often a dump comes and thus its deadline, counted from its arrival (the ctime), `cap=RATE` a cap of this folder alone.",
  }),
  pattern: repeatable(
    "files-pattern",
    text("GLOB", "a pattern of file names like *.csv, without a /", /^[^/\0]+$/),
    "line",
    {
      ...here,
      help: "read only files whose names fit",
      defaultText: ".csv .tsv .json .ndjson .jsonl, each also .gz or .zst",
      example: "'*_readings.csv.gz'",
      more:
        "`*`, `?`, `[...]` and `{a,b}` are known, and letter case does not matter. Never read: names that begin with `.` or `~`, and `*.tmp`, `*.part`, `*.filepart`, `*.inprogress`.",
    },
  ),
  recursive: toggle("files-recursive", {
    ...here,
    help: "also read sub-folders; links are not followed",
  }),
  cap: defaulted("files-cap", rateOrNone(1), "500/s", {
    ...alsoDemo,
    help: "rows a second that all files together never pass",
    unit: "rows/s",
    example: "2000/s",
  }),
  capBytes: defaulted("files-cap-bytes", byteRateOrNone, "none", {
    ...alsoDemo,
    help: "bytes a second that all files together never pass",
    unit: "bytes/s",
  }),
  pace: defaulted("files-pace", oneOf("cap", "deadline"), "cap", {
    ...alsoDemo,
    help: "read at the cap, or only as fast as the deadlines of the folders (every=) need",
    more:
      "`deadline` reads so that each dump is in a sixth of its period before its deadline, at least at `files-min` (at which each dump begins) and never above `files-cap`: the least pressure on the sink. While a folder without a deadline has rows, files are read at the cap.",
  }),
  burst: optional("files-burst", count(1, 10_000_000), {
    ...alsoDemo,
    help: "rows that may pass at once after a pause",
    unit: "rows",
    defaultText: "the least that keeps the rate",
  }),
  min: optional("files-min", rate(0), {
    ...alsoDemo,
    help: "rows a second that files get even when streams overload the sink; 0: none are promised",
    unit: "rows/s",
    defaultText: "a tenth of the cap",
  }),
  ready: defaulted(
    "files-ready",
    oneOf("quiet", "rename", "marker"),
    "quiet",
    {
      ...here,
      help: "when a file is complete: unchanged for a while, at once, or when its marker is there",
      more:
        "`quiet`: size, time and inode unchanged for `files-quiet`. `rename`: the writer moves finished files in. `marker`: `<full name>.done` beside it, or a `_SUCCESS` in the folder.",
    },
  ),
  quiet: defaulted("files-quiet", duration(0, dayMs), "10s", {
    ...here,
    help: "how long a file must be unchanged to be complete",
    unit: "seconds",
  }),
  poll: defaulted("files-poll", duration(100, dayMs), "10s", {
    ...here,
    help: "how often the folders are listed anew",
    unit: "seconds",
  }),
  after: defaulted(
    "files-after",
    oneOf("archive", "delete", "keep"),
    "archive",
    {
      ...here,
      help: "what becomes of a file after its last row is acknowledged",
      more: "`archive` moves it to `done/YYYY/MM/DD/` inside its folder, with a receipt beside it.",
    },
  ),
  keepFor: defaulted("files-keep-for", durationOrNone(0, 3660 * dayMs), "7d", {
    ...here,
    help: "how long archived files are kept; none: for ever",
    unit: "seconds",
  }),
  archiveMax: defaulted("files-archive-max", sizeOrNone(0), "2GiB", {
    ...here,
    help: "size of the archive, at most: the oldest go first; none: no limit",
    unit: "bytes",
  }),
  badMax: defaulted("files-bad-max", count(0, 1_000_000_000), "10000", {
    ...here,
    help: "more bad rows than this move a file to error/",
    unit: "rows",
  }),
  format: defaulted(
    "files-format",
    oneOf("auto", "csv", "ndjson", "json"),
    "auto",
    { ...here, help: "format of the files; auto: by the name's ending, then by content" },
  ),
  encoding: defaulted(
    "files-encoding",
    oneOf("auto", "utf-8", "utf-16", "latin1", "windows-1252"),
    "auto",
    {
      ...here,
      help: "encoding of files that have no byte order mark; auto: UTF-8",
      more:
        "A byte order mark decides (UTF-8, UTF-16); `utf-8` takes every file as it is. `latin1` is ISO 8859-1; what has a euro sign is `windows-1252`. Positions (`weir.id`, checkpoints, dead letters) are those of the text in UTF-8. What is no character makes its row a dead letter.",
    },
  ),
  csvDelimiter: defaulted("csv-delimiter", delimiter, "auto", {
    ...here,
    help: "what separates the cells; auto: found out and said",
  }),
  csvComment: defaulted("csv-comment", comment, "none", {
    ...here,
    help: "skip lines that begin with this character",
    example: "'#'",
  }),
  csvColumns: repeatable("csv-columns", anyText("names of columns", "NAME[,NAME...]"), "comma", {
    ...here,
    help: "names of the columns of files without a header row",
    defaultText: "the first row is the header",
    example: "device_id,metric,value,ts",
  }),
  csvSkip: defaulted("csv-skip", count(0, 10_000), "0", {
    ...here,
    help: "lines to skip before the header",
    unit: "lines",
  }),
  timeZone: defaulted("time-zone", timeZone, "UTC", {
    ...alsoDemo,
    help: "zone of times that name none",
    example: "Europe/Berlin",
  }),
};

function folderCap(value: string): number | null {
  const parsed = rate(1).parse(value);
  return parsed.ok ? parsed.value : null;
}
