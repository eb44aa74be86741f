/**
 * Settings of where readings go.
 *
 * @module
 */
import { type Kind, kind, refuse } from "./kind.ts";
import { oneOf, path, text } from "./kinds.ts";
import { anyText } from "./options_general.ts";
import { type About, defaulted, optional, repeatable, toggle } from "./option.ts";

const here: Pick<About, "group" | "commands"> = { group: "Sink", commands: ["run", "check", "demo"] };

/** What `--sink` names. The path of a file is made absolute later. */
export type SinkChoice = { readonly kind: "kafka" | "stdout" } | { readonly kind: "ndjson"; readonly path: string };

const sinkChoice: Kind<SinkChoice> = kind<SinkChoice>({
  placeholder: "kafka|stdout|ndjson:PATH",
  allowed: "kafka, stdout or ndjson:PATH",
  parse(value) {
    if (value === "kafka" || value === "stdout") return { kind: value };
    return value.startsWith("ndjson:") && value.length > 7 ? { kind: "ndjson", path: value.slice(7) } : refuse();
  },
});

const broker: Kind<string> = kind({
  placeholder: "HOST:PORT",
  allowed: "a broker like kafka.example:9092 (port 9092 when it names none)",
  parse(value) {
    const [, host = "", port = "9092"] = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?$/.exec(value) ?? [];
    return host === "" || Number(port) < 1 || Number(port) > 65_535 ? refuse() : `${host}:${port}`;
  },
});

/** Settings of where readings go. */
export const sink = {
  sink: defaulted("sink", sinkChoice, "kafka", {
    ...here,
    help: "where readings go: Kafka, the terminal, or a file of JSON lines",
    example: "ndjson:/var/lib/weir/readings.ndjson",
  }),
  brokers: repeatable("kafka-brokers", broker, "comma", {
    ...here,
    help: "Kafka brokers to begin with; the others are found out",
    placeholder: "HOST:PORT[,...]",
    example: "127.0.0.1:9092",
  }),
  topic: optional("kafka-topic", text("TOPIC", "a topic, or a template like readings-{site}", /^[A-Za-z0-9._{}-]+$/), {
    ...here,
    help: "topic to write to; {name} stands for a field of the reading",
    example: "readings",
  }),
  topicAllow: repeatable("kafka-topic-allow", text("TOPIC", "a topic", /^[A-Za-z0-9._-]{1,249}$/), "comma", {
    ...here,
    help: "topics that a template may give; others are dead letters",
    placeholder: "TOPIC[,...]",
    more: "Needed when `kafka-topic` has fields: what comes in must not be able to make topics.",
  }),
  deadLetterTopic: optional(
    "dead-letter-topic",
    text("TOPIC", "a topic", /^[A-Za-z0-9._-]{1,249}$/),
    {
      ...here,
      help: "also send each dead letter to this Kafka topic",
      example: "readings-dead",
      more:
        "The value is the letter's bytes as they came, the key its `weir.id`; reason and place are headers. A letter is sent after it is stored, at least once.",
    },
  ),
  filesExactlyOnce: toggle("files-exactly-once", {
    ...here,
    help:
      "rows of files arrive exactly once for read_committed readers: chunks in Kafka transactions, with their checkpoint",
    more:
      "The transactional id is `<gateway>-files`: one Weir for each `--gateway` name. Without it rows of files are sent at least once.",
  }),
  filesCheckpointTopic: defaulted(
    "files-checkpoint-topic",
    text("TOPIC", "a topic", /^[A-Za-z0-9._-]{1,249}$/),
    "weir.checkpoints",
    {
      ...here,
      help: "compacted topic for the checkpoints of --files-exactly-once; made when it is missing",
    },
  ),
  key: defaulted(
    "kafka-key",
    text("TEMPLATE", "a template like {device_id}, or empty for no key", /^[^\p{C}]*$/u),
    "{device_id}",
    {
      ...here,
      help: "template of the record key; records of one key keep their order",
    },
  ),
  compression: defaulted(
    "kafka-compression",
    oneOf("none", "gzip", "zstd"),
    "none",
    {
      ...here,
      help: "compression of the batches",
    },
  ),
  headers: repeatable(
    "kafka-headers",
    oneOf("source", "position", "gateway"),
    "comma",
    {
      ...here,
      help: "headers to send besides weir.id",
      placeholder: "source,position,gateway",
      defaultText: "none",
    },
  ),
  tls: toggle("kafka-tls", { ...here, help: "speak TLS to Kafka" }),
  caFile: optional("kafka-ca-file", path, {
    ...here,
    help: "certificates (PEM) to trust at Kafka; needs --kafka-tls",
    placeholder: "FILE",
  }),
  certFile: optional("kafka-cert-file", path, {
    ...here,
    help: "certificate (PEM) to show to Kafka, with those of its CAs behind it; needs --kafka-tls",
    placeholder: "FILE",
    more:
      "Read again at each new connection, so a renewed one needs no restart; the same holds for the key, the CA and the password.",
  }),
  keyFile: optional("kafka-key-file", path, {
    ...here,
    help: "private key (PEM, not encrypted) of the certificate",
    placeholder: "FILE",
    defaultText: "WEIR_KAFKA_KEY, else the systemd credential kafka-key",
  }),
  sasl: defaulted("kafka-sasl", oneOf("none", "plain", "scram-sha-256", "scram-sha-512"), "none", {
    ...here,
    help: "how to log in at Kafka",
  }),
  username: optional("kafka-username", anyText("a user name", "NAME"), {
    ...here,
    help: "user at Kafka; needs --kafka-sasl",
  }),
  passwordFile: optional("kafka-password-file", path, {
    ...here,
    help: "file with the password; a line break at its end is not part of it",
    placeholder: "FILE",
    defaultText: "WEIR_KAFKA_PASSWORD, else the systemd credential kafka-password",
  }),
};
