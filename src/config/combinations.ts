/**
 * Settings that are right one by one and impossible together.
 *
 * @module
 */
import { dirname } from "node:path";
import type { Gathered } from "./gather.ts";
import { flagOf, type Option } from "./option.ts";
import { options } from "./options.ts";
import { isLoopback } from "./options_status.ts";
import type { Problem } from "./problem.ts";
import type { Settings } from "./settings.ts";

/** Fewer can be guessed. */
const tokenCharsMin = 16;

/** All impossible combinations. Settings that are wrong by themselves are told elsewhere and cause nothing here. */
export function checkTogether(gathered: Gathered, settings: Settings): readonly Problem[] {
  const problems: Problem[] = [];
  const isGiven = (option: Option<unknown>): boolean => gathered.given(option).length > 0;
  const against = (option: Option<unknown>, message: string, index = 0): void => {
    const at = gathered.given(option)[index];
    problems.push({ where: at?.place.label ?? flagOf(option), seen: at?.text ?? null, message });
  };
  const lane = { gathered, settings, isGiven, against };
  checkSources(lane);
  checkMqtt(lane);
  checkFiles(lane);
  checkSink(lane);
  checkStatus(lane);
  return problems;
}

interface Checking {
  readonly gathered: Gathered;
  readonly settings: Settings;
  isGiven(option: Option<unknown>): boolean;
  against(option: Option<unknown>, message: string, index?: number): void;
}

function checkSources({ gathered, against }: Checking): void {
  const { mqtt, files } = options;
  const { isMissing } = gathered;
  if (isMissing(mqtt.url) && isMissing(files.dirs)) {
    against(mqtt.url, "Missing: give a broker (--mqtt-url), a folder (--files-dir), or both");
    return;
  }
  // From the environment or a config file a setting without use may be meant for another day; on the command line it is a slip.
  const useless = (
    group: Readonly<Record<string, Option<unknown>>>,
    need: Option<unknown>,
    except: readonly Option<unknown>[],
  ) => {
    for (const option of Object.values(group)) {
      const fromFlag = gathered.given(option)[0]?.place.from === "flag";
      if (fromFlag && gathered.isRight(option) && !except.includes(option)) {
        against(option, `Has no use without ${flagOf(need)}`);
      }
    }
  };
  if (isMissing(mqtt.url)) useless(mqtt, mqtt.url, []);
  if (isMissing(files.dirs)) useless(files, files.dirs, [files.timeZone]);
}

function checkMqtt({ gathered, settings, isGiven, against }: Checking): void {
  const { mqtt } = options;
  if (!isGiven(mqtt.url)) return;
  if (gathered.isMissing(mqtt.topics)) {
    against(mqtt.topics, "Missing: name at least one topic, like 'plant/{site}/{device_id}/{metric}'");
  }
  const url = gathered.value(mqtt.url);
  for (const option of [mqtt.caFile, mqtt.certFile, mqtt.keyFile]) {
    if (url !== null && isGiven(option) && !url.startsWith("mqtts:")) {
      against(option, "Has no use without TLS: the URL must begin with mqtts://");
    }
  }
  const subscriptions = settings.mqtt?.subscriptions ?? [];
  forEachRepeated(subscriptions.map((one) => one.template), (index) => against(mqtt.topics, "Stands twice", index));
  if (settings.mqtt?.password !== null && settings.mqtt !== null && gathered.isMissing(mqtt.username)) {
    against(mqtt.username, "Missing: there is a password for the broker and no user");
  }
}

function checkFiles({ gathered, settings, isGiven, against }: Checking): void {
  const { files, limits } = options;
  const cap = gathered.value(files.cap);
  const min = gathered.value(files.min);
  if (gathered.isRight(files.cap) && cap !== "none" && min !== null && min > cap) {
    against(
      isGiven(files.min) ? files.min : files.cap,
      `The floor (${min}/s) is above the cap (${cap}/s): files never pass their cap`,
    );
  }
  const inFlight = settings.limits.inFlightRows;
  const filesInFlight = settings.limits.filesInFlightRows;
  if (inFlight !== null && filesInFlight !== null && filesInFlight >= inFlight) {
    against(limits.filesInFlight, `Must be less than --in-flight (${inFlight}): nothing would be left for streams`);
  }
  const comment = settings.files?.csvComment ?? null;
  if (comment !== null && comment === settings.files?.csvDelimiter) {
    against(
      files.csvComment,
      "Is the delimiter too (--csv-delimiter): a row whose first cell is empty would be skipped",
    );
  }
  const folders = settings.files?.folders ?? [];
  forEachRepeated(folders.map((folder) => folder.path), (index) => against(files.dirs, "Stands twice", index));
  if (!settings.files?.recursive) return;
  folders.forEach((folder, index) => {
    const outer = folders.find((other) => folder.path.startsWith(`${other.path}/`));
    if (outer !== undefined) {
      against(files.dirs, `Lies inside ${outer.path}, which is read with its sub-folders`, index);
    }
  });
}

function checkSink({ gathered, settings, isGiven, against }: Checking): void {
  const { sink, thisRun } = options;
  const chosen = gathered.value(sink.sink);
  if (chosen.kind === "kafka") checkKafka({ gathered, settings, isGiven, against }, gathered.value(thisRun.dryRun));
  if (settings.sink.kind === "ndjson") {
    const folder = dirname(settings.sink.path);
    const read = settings.files?.folders.find((one) =>
      one.path === folder || (settings.files?.recursive === true && folder.startsWith(`${one.path}/`))
    );
    if (read !== undefined) {
      against(sink.sink, `Lies in ${read.path}, which is read: what is written would come in again`);
    }
  }
  if (chosen.kind === "kafka") return;
  if (gathered.value(sink.filesExactlyOnce) && gathered.given(sink.filesExactlyOnce)[0]?.place.from !== "flag") {
    against(sink.filesExactlyOnce, `Is not possible with --sink ${chosen.kind}: only Kafka has transactions`);
  }
  for (const option of Object.values<Option<unknown>>(sink)) {
    if (option !== sink.sink && gathered.given(option)[0]?.place.from === "flag") {
      against(option, `Has no use with --sink ${chosen.kind}`);
    }
  }
}

function checkKafka({ gathered, settings, isGiven, against }: Checking, dryRun: boolean): void {
  const { sink } = options;
  if (!dryRun) {
    if (gathered.isMissing(sink.brokers)) {
      against(sink.brokers, "Missing: name a broker like 127.0.0.1:9092, or choose another --sink");
    }
    if (gathered.isMissing(sink.topic)) against(sink.topic, "Missing: name the topic to write to");
  }
  const checkpoints = gathered.value(sink.filesCheckpointTopic);
  if (!gathered.value(sink.filesExactlyOnce) && isGiven(sink.filesCheckpointTopic)) {
    against(sink.filesCheckpointTopic, "Has no use without --files-exactly-once");
  }
  const others = [gathered.value(sink.topic), gathered.value(sink.deadLetterTopic), ...gathered.value(sink.topicAllow)];
  if (gathered.value(sink.filesExactlyOnce) && others.includes(checkpoints)) {
    against(sink.filesCheckpointTopic, "Is a topic of readings or dead letters too: checkpoints need one of their own");
  }
  const topic = gathered.value(sink.topic);
  if (topic?.includes("{") && gathered.isMissing(sink.topicAllow)) {
    against(sink.topic, "Has fields, so --kafka-topic-allow must list the topics that it may give");
  }
  for (const option of [sink.caFile, sink.certFile, sink.keyFile]) {
    if (isGiven(option) && !gathered.value(sink.tls) && gathered.isRight(sink.tls)) {
      against(option, "Has no use without --kafka-tls");
    }
  }
  if (!gathered.isRight(sink.sasl)) return;
  if (gathered.value(sink.sasl) === "none") {
    for (const option of [sink.username, sink.passwordFile]) {
      if (isGiven(option)) against(option, "Has no use without --kafka-sasl");
    }
    return;
  }
  if (gathered.isMissing(sink.username)) {
    against(sink.username, `Missing: --kafka-sasl ${gathered.value(sink.sasl)} needs a user`);
  }
  const hasPassword = settings.sink.kind === "kafka" && settings.sink.sasl?.password.reveal() !== "";
  if (!hasPassword && gathered.isMissing(sink.passwordFile)) {
    against(sink.passwordFile, "Missing: or set WEIR_KAFKA_PASSWORD, or the systemd credential kafka-password");
  }
}

function checkStatus({ gathered, settings, isGiven, against }: Checking): void {
  const { status } = options;
  if (settings.status === null) return;
  const { hostname, token } = settings.status;
  const isMissing = token === null && gathered.isMissing(status.tokenFile);
  if (isMissing && isGiven(status.listen) && !isLoopback(settings.status)) {
    against(status.listen, `Others can reach ${hostname}: that needs --status-token-file`);
  }
  if (token !== null && token.reveal().length < tokenCharsMin) {
    against(status.tokenFile, `The token is too short: at least ${tokenCharsMin} characters (openssl rand -hex 16)`);
  }
}

function forEachRepeated(values: readonly string[], tell: (index: number) => void): void {
  values.forEach((value, index) => {
    if (values.indexOf(value) < index) tell(index);
  });
}
