/**
 * The page at work: takes the events of the gateway and shows them. What it does not know is left out, so that a newer gateway does not
 * break an older page that is still open.
 */
import {
  byId,
  bytes,
  count,
  delay,
  drawCurves,
  fill,
  keep,
  made,
  rate,
  say,
  sayState,
  shown,
  span,
} from "./figures.js";
import { createRivers } from "./rivers.js";

const pointsMax = 300;
/** Without an event for so long the figures are called old. */
const staleMs = 5000;
const comeBackMs = 5000;
/** Files shown, the most urgent first: what stands below them is to be within reach on a phone. */
const filesShownMax = 8;
/** What is told to who does not see the page, about files, comes this far apart: a row of small ones must not be a stream of words. */
const newsMs = 10_000;

const sinkNames = { kafka: "Kafka", ndjson: "NDJSON file", stdout: "Standard output" };
const verdictWords = {
  on_time: ["good", "on time"],
  at_risk: ["warn", "at risk"],
  late: ["bad", "late"],
};
const spoolTroubles = { full: "the spool is full", failing: "the disk takes nothing" };
const endings = [
  ["read", "read"],
  ["delivered", "delivered"],
  ["filtered", "filtered"],
  ["dead_lettered", "dead letters"],
  ["dropped", "dropped"],
  ["open", "on their way"],
];

const rivers = createRivers(byId("water"));
let points = [];
let latest = null;
let latestAt = 0;
/** What was told last, and when; null before the first time and while there is no connection. */
let told = null;
let toldAt = -Infinity;

function show(status) {
  const files = status.sources.find((source) => source.kind === "files");
  const mqtt = status.sources.find((source) => source.kind === "mqtt");
  showRivers(status, files, mqtt);
  showDelay(status, mqtt !== undefined);
  showRates(status);
  byId("files-card").hidden = files === undefined;
  if (files !== undefined) showFiles(files);
  byId("mqtt-card").hidden = mqtt === undefined;
  if (mqtt !== undefined) showMqtt(mqtt);
  showSink(status.sink);
  showSums(status.sums);
  showLetters(status);
  showState(status, mqtt);
  tellNews(status, files, mqtt);
}

function showRivers(status, files, mqtt) {
  const { rates, sums, capRows, sink } = status;
  const backlog = files === undefined
    ? 0
    : files.waitingBytes + files.active.reduce((sum, file) => sum + Math.max(0, file.sizeBytes - file.readBytes), 0);
  rivers.show({
    streamsRate: rates.real_time,
    filesRate: rates.batch,
    capped: capRows !== null && files !== undefined,
    pool: backlog <= 0 ? 0 : Math.min(1, 0.25 + Math.log10(1 + backlog / 10_000) / 5),
    basin: showSpool(status.spool),
    held: (status.spool?.readings ?? 0) > 0 && rates.delivered === 0,
    flowing: true,
  });
  say("streams-rate", rate(rates.real_time));
  say("files-rate", rate(rates.batch));
  say("sea-rate", rate(rates.delivered));
  say("streams-note", mqtt === undefined ? "no broker is set" : "from MQTT, always first");
  say("sink-name", sinkNames[sink.kind] ?? shown(sink.kind));
  say("sea-note", `${count(sums.real_time.delivered + sums.batch.delivered)} delivered`);
  byId("cap-bar").hidden = capRows === null || files === undefined;
  if (files === undefined) say("cap-text", "no folder is set");
  else if (capRows === null) say("cap-text", "no cap");
  else {
    const use = rates.batch / Math.max(1, capRows);
    say("cap-text", `${Math.round(use * 100)} % of the cap of ${count(capRows)}/s`);
    fill(byId("cap-bar"), use, `${Math.round(use * 100)} percent of ${count(capRows)} rows a second`);
  }
}

/** What waits on disk, where something does or was dropped. Returns how full the basin is, from 0 to 1. */
function showSpool(spool) {
  const isQuiet = spool === undefined || (spool.readings === 0 && spool.droppedReadings === 0 && spool.stuck === null);
  byId("spool-note").hidden = isQuiet;
  if (isQuiet) return 0;
  const most = spool.bytesMax === 0 ? "" : ` of ${bytes(spool.bytesMax)}`;
  const oldest = spool.oldestAgeMs === null ? "" : `, the oldest ${span(spool.oldestAgeMs)} old`;
  const dropped = spool.droppedReadings === 0 ? "" : `, ${count(spool.droppedReadings)} dropped`;
  const stuck = spoolTroubles[spool.stuck] === undefined ? "" : `; ${spoolTroubles[spool.stuck]}`;
  const state = stuck !== "" || dropped !== "" ? "bad" : "warn";
  sayState(
    "spool-note",
    state,
    `${count(spool.readings)} on disk (${bytes(spool.bytes)}${most})${oldest}${dropped}${stuck}`,
  );
  return spool.readings === 0 ? 0 : Math.min(1, Math.max(0.08, spool.bytes / Math.max(1, spool.bytesMax)));
}

function showDelay({ streamDelay }, hasStreams) {
  byId("delay-card").hidden = !hasStreams;
  const { count: measured, p50Ms, p99Ms, maxMs } = streamDelay;
  say("p50", measured === 0 ? "-" : delay(p50Ms));
  say("p99", measured === 0 ? "-" : delay(p99Ms));
  say("slowest", measured === 0 ? "-" : delay(maxMs));
  const times = points.map(([upMs]) => upMs);
  const curves = [
    { className: "of-streams", values: points.map((point) => point[4]), filled: true },
    { className: "of-streams faint", values: points.map((point) => point[3]), filled: false },
  ];
  const { peak, scale } = drawCurves(byId("delay-curve"), times, curves, 1);
  const known = points.some((point) => point[4] !== null);
  say(scale, known ? `highest p99 ${delay(peak)}` : "nothing was measured");
  byId("delay-curve").setAttribute(
    "aria-label",
    known ? `p99 of the delay: highest ${delay(peak)}, now ${delay(p99Ms)}` : "Nothing was measured",
  );
}

function showRates({ capRows, rates }) {
  const times = points.map(([upMs]) => upMs);
  const curves = [
    { className: "of-streams", values: points.map((point) => point[1]), filled: false },
    { className: "of-files", values: points.map((point) => point[2]), filled: false },
    ...(capRows === null ? [] : [{ className: "of-cap", values: points.map(() => capRows), filled: false }]),
  ];
  byId("cap-key").hidden = capRows === null;
  const { peak, scale } = drawCurves(byId("rates-curve"), times, curves, 1);
  say(scale, `top ${rate(peak)}/s`);
  byId("rates-curve").setAttribute(
    "aria-label",
    `Streams now ${rate(rates.real_time)} a second, files ${rate(rates.batch)} a second; highest ${rate(peak)}`,
  );
}

function showFiles(files) {
  keep(
    byId("files-list"),
    files.active.slice(0, filesShownMax),
    (file) => `${file.folder}\n${file.name}`,
    makeFile,
    updateFile,
  );
  const done = `${count(files.doneFiles)} done`;
  const quarantined = files.quarantinedFiles === 0 ? "" : `, ${count(files.quarantinedFiles)} in the error folder`;
  const waiting = files.waitingFiles === 0
    ? "none waits"
    : `${count(files.waitingFiles)} ${files.waitingFiles === 1 ? "waits" : "wait"} (${bytes(files.waitingBytes)})`;
  const hidden = files.active.slice(filesShownMax);
  const troubled = hidden.filter((file) => file.verdict === "late" || file.verdict === "at_risk").length;
  const ofThem = troubled === 0 ? "" : ` (${count(troubled)} late or at risk)`;
  const reading = files.active.length === 0
    ? "No file is being read; "
    : hidden.length === 0
    ? ""
    : `And ${count(hidden.length)} more being read${ofThem}; `;
  say("files-note", `${reading}${waiting}, ${done}${quarantined}`);
}

function makeFile() {
  const bar = made("div", "bar", made("i", ""));
  bar.setAttribute("role", "progressbar");
  bar.setAttribute("aria-valuemin", "0");
  bar.setAttribute("aria-valuemax", "100");
  const line = made("div", "line", made("span", "name"), made("span", "chip"), made("span", "eta"));
  return made("li", "file", line, bar, made("p", "beside"));
}

function updateFile(node, file) {
  const share = file.sizeBytes <= 0 ? null : Math.min(1, file.readBytes / file.sizeBytes);
  const percent = share === null ? "" : `${Math.floor(share * 100)} %`;
  const bar = node.querySelector(".bar");
  say(node.querySelector(".name"), shown(file.name));
  say(node.querySelector(".eta"), file.etaMs === null ? percent : `${percent}, ${span(file.etaMs)} left`);
  bar.setAttribute("aria-label", `Progress of ${shown(file.name)}`);
  fill(bar, share, percent);
  const [state, words] = verdictWords[file.verdict] ?? ["wait", ""];
  const chip = node.querySelector(".chip");
  chip.hidden = words === "";
  chip.dataset.state = state;
  const needed = typeof file.capNeededRows === "number" ? `: a cap of ${count(file.capNeededRows)}/s would do` : "";
  say(chip, `${words}${needed}`);
  const of = file.rowsEstimated === null ? "" : ` of about ${count(file.rowsEstimated)}`;
  const bad = file.badRows === 0 ? "" : `, ${count(file.badRows)} bad`;
  const size = `${bytes(file.readBytes)} of ${bytes(file.sizeBytes)}`;
  say(node.querySelector(".beside"), `${count(file.rowsRead)}${of} rows${bad}, ${size}, in ${shown(file.folder)}`);
}

function showMqtt(mqtt) {
  sayState("mqtt-state", mqtt.connected ? "good" : "bad", mqtt.connected ? "connected" : "not connected");
  say("mqtt-protocol", mqtt.protocolVersion === null ? "-" : mqtt.protocolVersion === 5 ? "MQTT 5" : "MQTT 3.1.1");
  say("mqtt-pending", `${count(mqtt.pendingMessages)} (${bytes(mqtt.pendingBytes)})`);
  say("mqtt-inbox", count(mqtt.inboxReadings));
  say("mqtt-reconnects", count(mqtt.reconnects));
}

function showSink(sink) {
  say("sink-title", sinkNames[sink.kind] ?? shown(sink.kind));
  const words = sink.connected ? "connected" : "not connected";
  if (sink.trouble !== null) sayState("sink-state", "bad", shown(sink.trouble));
  else sayState("sink-state", sink.connected ? "good" : "bad", words);
  say("sink-flight", count(sink.inFlightReadings));
  say("sink-retries", count(sink.retries));
  say("sink-throttled", sink.throttledMs === 0 ? "never" : span(sink.throttledMs));
}

function showSums(sums) {
  keep(
    byId("sums"),
    endings,
    ([key]) => key,
    ([, words]) => {
      const head = made("th", "", words);
      head.scope = "row";
      return made("tr", "", head, made("td", ""), made("td", ""));
    },
    (row, [key]) => {
      say(row.children[1], count(sums.real_time[key]));
      say(row.children[2], count(sums.batch[key]));
      row.classList.toggle("alarm", key === "dropped" && sums.real_time.dropped + sums.batch.dropped > 0);
    },
  );
}

function showLetters({ deadLetters, atMs }) {
  const { stored, storedBytes, newest } = deadLetters;
  say("letters-note", stored === 0 ? "None: all could be forwarded." : `${count(stored)} kept, ${bytes(storedBytes)}`);
  keep(
    byId("letters"),
    newest,
    (letter) => `${letter.number} ${letter.storedAtMs}`,
    makeLetter,
    (node, letter) => say(node.querySelector(".age"), `${span(Math.max(0, atMs - letter.storedAtMs))} ago`),
  );
}

function makeLetter(letter) {
  // A message is one reading, as a rule: its first one needs no number.
  const where = letter.row === null || letter.row === 0 ? "" : `, row ${count(letter.row)}`;
  const summary = made(
    "summary",
    "",
    made("span", "reason", shown(letter.reason)),
    ` ${letter.origin === "batch" ? baseName(letter.source) : shown(letter.source)}${where} `,
    made("span", "beside age"),
  );
  const fact = (name, value) => made("div", "", made("dt", "", name), made("dd", "", value));
  const facts = made("dl", "facts", fact("number", String(letter.number)), fact("decoder", shown(letter.decoder)));
  facts.prepend(fact("from", shown(letter.source)));
  if (letter.byte !== null) facts.append(fact("at byte", count(letter.byte)));
  const details = made("details", "", summary, facts);
  if (letter.contents === null) {
    const how = "Contents are shown only where a token guards them (--status-token-file). On the gateway: ";
    details.append(made("p", "beside", `${how}weir dlq show ${letter.number}`));
  } else {
    const { detail, header, raw, rawBytes, rawIsCut } = letter.contents;
    facts.append(fact("problem", shown(detail)));
    if (header !== null) facts.append(fact("header", shown(header.join(", "))));
    facts.append(fact("size", bytes(rawBytes)));
    const text = made("pre", "", `${raw}${rawIsCut ? " ..." : ""}`);
    // It scrolls: so the keyboard reaches it, and it says what it is.
    text.tabIndex = 0;
    text.setAttribute("role", "group");
    text.setAttribute("aria-label", `Contents of dead letter ${letter.number}`);
    details.append(text);
  }
  return made("li", "", details);
}

function baseName(path) {
  return shown(path.slice(path.lastIndexOf("/") + 1));
}

/** The worst of what is wrong, in a few words. */
function stateOf(status, mqtt) {
  if (!status.sink.connected || status.sink.trouble !== null) return ["bad", "the sink is in trouble"];
  if (mqtt !== undefined && !mqtt.connected) return ["bad", "no connection to the broker"];
  const { spool } = status;
  if (spoolTroubles[spool?.stuck] !== undefined) return ["bad", spoolTroubles[spool.stuck]];
  const verdicts = status.sources.flatMap((source) => (source.active ?? []).map((file) => file.verdict));
  if (verdicts.includes("late")) return ["warn", "a file will be late"];
  if (spool?.readings > 0) return ["warn", "streams wait on disk"];
  return ["good", "all is well"];
}

function showState(status, mqtt) {
  const [state, words] = stateOf(status, mqtt);
  sayState("state", state, words);
  say("gateway", shown(status.gateway));
  say("about", `Weir ${shown(status.program)}, up ${span(status.upMs)}`);
  document.title = `${state === "bad" ? "! " : ""}${rate(status.rates.delivered)}/s - ${shown(status.gateway)} - Weir`;
  byId("main").dataset.stale = "false";
}

/** Says what changed to who does not see it, and only that. */
function tellNews(status, files, mqtt) {
  const now = {
    state: stateOf(status, mqtt)[1],
    files: new Map(
      (files?.active ?? []).slice(0, filesShownMax).map((file) => [file.name, verdictWords[file.verdict]?.[1] ?? ""]),
    ),
    done: files?.doneFiles ?? 0,
  };
  const news = [];
  if (told === null || told.state !== now.state) news.push(now.state);
  else if (performance.now() - toldAt < newsMs) return;
  for (const [name, verdict] of now.files) {
    if (told === null || !told.files.has(name)) news.push(`reading ${shown(name)}`);
    else if (verdict !== "" && told.files.get(name) !== verdict) news.push(`${shown(name)} is ${verdict}`);
  }
  if (told !== null && now.done > told.done) news.push(`${count(now.done)} ${now.done === 1 ? "file" : "files"} done`);
  told = now;
  if (news.length === 0) return;
  toldAt = performance.now();
  say("news", news.join("; "));
}

function listen() {
  const events = new EventSource("/events");
  events.addEventListener("history", (event) => points = JSON.parse(event.data));
  events.addEventListener("status", (event) => {
    latest = JSON.parse(event.data);
    latestAt = performance.now();
    const { count: measured, p50Ms, p99Ms } = latest.streamDelay;
    const delays = measured === 0 ? [null, null] : [p50Ms, p99Ms];
    // The first status after the history is of the same second.
    if (latest.upMs > (points.at(-1)?.[0] ?? -1) + 500) {
      points = [...points, [latest.upMs, latest.rates.real_time, latest.rates.batch, ...delays]].slice(-pointsMax);
    }
    show(latest);
  });
  events.addEventListener("error", () => {
    // A refusal ends it for good; a lost connection is mended by the browser itself.
    if (events.readyState === EventSource.CLOSED) setTimeout(listen, comeBackMs);
  });
}

byId("letters").addEventListener("keydown", (event) => {
  const open = event.key === "Escape" ? event.target.closest("details[open]") : null;
  if (open === null) return;
  open.open = false;
  open.querySelector("summary").focus();
});

setInterval(() => {
  if (performance.now() - latestAt < staleMs) return;
  byId("main").dataset.stale = "true";
  const words = latest === null ? "waiting for the gateway" : "no connection; these figures are old";
  sayState("state", latest === null ? "wait" : "bad", words);
  say("news", words);
  told = null;
  rivers.show({ streamsRate: 0, filesRate: 0, capped: false, pool: 0, basin: 0, held: false, flowing: false });
}, 1000);

listen();
