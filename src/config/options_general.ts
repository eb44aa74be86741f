/**
 * Settings of the process itself, of what one run does, and of looking at dead letters.
 *
 * @module
 */
import { reasons } from "../core/reading.ts";
import { type Kind, kind, refuse } from "./kind.ts";
import { count, duration, durationOrNone, moment, oneOf, path, rate, size, sizeOrZero, text } from "./kinds.ts";
import { type CommandName, defaulted, optional, toggle } from "./option.ts";

const gatewayCommands: readonly CommandName[] = ["run", "check", "demo"];
const letterCommands: readonly CommandName[] = ["dlq list", "dlq show", "dlq replay", "dlq purge"];
const withLedger: readonly CommandName[] = ["run", "check", ...letterCommands];
const letterList: readonly CommandName[] = ["dlq list"];
const filtered: readonly CommandName[] = ["dlq list", "dlq replay", "dlq purge"];

/** What a name may be that ends up in client ids, record ids and headers. */
export const gatewayName: Kind<string> = text(
  "NAME",
  "1 to 100 letters, digits, dots, dashes or underscores",
  /^[A-Za-z0-9._-]{1,100}$/,
);

/** Settings of the process. */
export const general = {
  config: optional("config", path, {
    group: "General",
    commands: [...gatewayCommands, ...letterCommands],
    help: "read settings from this YAML file",
    placeholder: "FILE",
    example: "/etc/weir/weir.yaml",
    more:
      "Its keys are the names of the flags without the dashes. It is named by this flag or by `WEIR_CONFIG`; there is no file that is read unasked.",
  }),
  gateway: optional("gateway", gatewayName, {
    group: "General",
    commands: gatewayCommands,
    help: "name of this gateway, in record ids, client ids and headers",
    defaultText: "the host name and 4 hex digits of the machine id",
    more:
      "Two gateways must not share a name: their client ids would push each other off the broker. Keep it once chosen: the broker's session and the record ids hang on it.",
    example: "press-line-3",
  }),
  stateDir: optional("state-dir", path, {
    group: "General",
    commands: withLedger,
    help: "folder for checkpoints, dead letters, the spool and the lock; one gateway at a time",
    placeholder: "DIR",
    defaultText: "$STATE_DIRECTORY, else /var/lib/weir",
  }),
  logLevel: defaulted(
    "log-level",
    oneOf("debug", "info", "warn", "error"),
    "info",
    {
      group: "General",
      commands: gatewayCommands,
      help: "least level that is logged",
    },
  ),
  logFormat: defaulted(
    "log-format",
    oneOf("auto", "text", "json", "journal"),
    "auto",
    {
      group: "General",
      commands: gatewayCommands,
      help: "how log lines look; auto: journal under systemd, else text",
    },
  ),
  drainTimeout: defaulted("drain-timeout", duration(0, 86_400_000), "30s", {
    group: "General",
    commands: ["run", "demo"],
    help: "how long a stop waits for what is on its way",
    unit: "seconds",
    more: "What is not acknowledged by then comes again after the next start, and the exit code is 75.",
  }),
};

/** Bounds of what is on its way. */
export const limits = {
  inFlight: optional("in-flight", count(2, 1_000_000), {
    group: "Limits",
    commands: gatewayCommands,
    help: "readings on their way to the sink, at most",
    unit: "readings",
    defaultText: "by the rates: about 2,160 at a cap of 1000/s",
  }),
  filesInFlight: optional("files-in-flight", count(1, 1_000_000), {
    group: "Limits",
    commands: gatewayCommands,
    help: "of these, rows of files, at most",
    unit: "rows",
    defaultText: "by the cap: 160 at 1000/s",
    more:
      "On a slow sink this is the knob between the delay of the streams and the rate of the files: size it by the round trip to the sink times the cap.",
  }),
  inFlightBytes: defaulted("in-flight-bytes", size(1_048_576), "32MiB", {
    group: "Limits",
    commands: gatewayCommands,
    help: "bytes on their way to the sink, at most",
    unit: "bytes",
  }),
  spoolMax: defaulted("spool-max", sizeOrZero(4_194_304), "256MiB", {
    group: "Limits",
    commands: gatewayCommands,
    help: "size of the disk buffer for streams, at most; 0: none",
    unit: "bytes",
    more:
      "Readings of streams go to the state folder when the sink is slow or away, are acknowledged to the broker there, and are sent in their order later. While all is well nothing of them is written to the disk.",
  }),
  spoolWhenFull: defaulted("spool-when-full", oneOf("block", "drop_oldest", "drop_newest"), "block", {
    group: "Limits",
    commands: gatewayCommands,
    help: "what becomes of streams when that buffer is full",
    more:
      "`block`: nothing more is acknowledged, and the broker's session holds the rest. `drop_oldest` makes room, `drop_newest` acknowledges and forgets what comes; both are counted and said.",
  }),
  deadLetterMax: defaulted("dead-letter-max", size(65_536), "64MiB", {
    group: "Limits",
    commands: gatewayCommands,
    help: "size of the dead letters kept in the state folder, at most",
    unit: "bytes",
    more: "When they are full, files pause; of streams the oldest letters go, and are counted.",
  }),
  deadLetterKeepFor: defaulted("dead-letter-keep-for", durationOrNone(60_000, 10 * 365 * 86_400_000), "30d", {
    group: "Limits",
    commands: gatewayCommands,
    help: "dead letters that came in longer ago are deleted",
    unit: "seconds",
    more: "They are counted, and said at most once a day. `none` keeps them until there is no room or they are purged.",
  }),
};

/** What this one run does. */
export const thisRun = {
  once: toggle("once", {
    group: "This run",
    commands: ["run"],
    help: "drain what is there, then leave",
  }),
  dryRun: toggle("dry-run", {
    group: "This run",
    commands: ["run"],
    help: "print the records to stdout and touch nothing: no checkpoint, no archive, no Kafka",
  }),
  connect: toggle("connect", {
    group: "This run",
    commands: ["check"],
    help: "also try the broker, Kafka, the topic and the folders",
    flagOnly: true,
  }),
  forTime: optional("for", duration(1000, 86_400_000), {
    group: "This run",
    commands: ["demo"],
    help: "end after this time",
    unit: "seconds",
    defaultText: "30s",
    example: "30s",
    flagOnly: true,
  }),
};

/** Which dead letters, and what to do with them. */
export const letters = {
  reason: optional("reason", oneOf(...reasons), {
    group: "Dead letters",
    commands: filtered,
    help: `only letters with this reason: ${reasons.join(", ")}`,
    placeholder: "REASON",
    example: "bad_csv",
    flagOnly: true,
  }),
  origin: optional("origin", oneOf("real_time", "batch"), {
    group: "Dead letters",
    commands: filtered,
    help: "only letters from streams (real_time) or from files (batch)",
    flagOnly: true,
  }),
  source: optional("source", anyText("an MQTT topic or the path of a file"), {
    group: "Dead letters",
    commands: filtered,
    help: "only letters from exactly this MQTT topic or file",
    placeholder: "TOPIC|PATH",
    flagOnly: true,
  }),
  since: optional("since", moment, {
    group: "Dead letters",
    commands: filtered,
    help: "only letters that came in at or after this time",
    example: "2h",
    flagOnly: true,
  }),
  until: optional("until", moment, {
    group: "Dead letters",
    commands: filtered,
    help: "only letters that came in at or before this time",
    flagOnly: true,
  }),
  all: toggle("all", {
    group: "Dead letters",
    commands: ["dlq purge"],
    help: "delete all letters; needed when no filter is given",
    flagOnly: true,
  }),
  yes: toggle("yes", {
    group: "Dead letters",
    commands: ["dlq purge"],
    help: "do not ask before deleting; without a terminal nobody is asked anyway",
    flagOnly: true,
  }),
  rate: defaulted("rate", rate(1), "50/s", {
    group: "Dead letters",
    commands: ["dlq replay"],
    help: "letters to replay a second, at most",
    unit: "letters/s",
    flagOnly: true,
  }),
  limit: defaulted("limit", count(1, 100_000), "50", {
    group: "Dead letters",
    commands: letterList,
    help: "show at most so many, the newest first",
    unit: "letters",
    flagOnly: true,
  }),
  json: toggle("json", {
    group: "This run",
    commands: ["dlq list", "dlq show", "plan", "status", "doctor"],
    help: "print JSON; dead letters one a line",
    flagOnly: true,
  }),
};

/** Text that only must not be empty. */
export function anyText(allowed: string, placeholder = "TEXT"): Kind<string> {
  return kind({ placeholder, allowed, number: "decimal", parse: (value) => value === "" ? refuse() : value });
}
