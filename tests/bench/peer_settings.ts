/**
 * Settings with which other forwarders do the same work: JSON of the five fields, the device as key, acks=all, batches as large as pay
 * for them, and for MQTT QoS 1 with the acknowledgement held until Kafka has the message.
 *
 * @module
 */
import type { FileJob, MqttJob } from "./peers.ts";

const quoted = (texts: readonly string[]) => texts.map((text) => JSON.stringify(text)).join(", ");

/** Telegraf's settings for a file, which it follows from its beginning. */
export function telegrafFromFile({ brokers, topic, format, path }: FileJob): string {
  const parser = format === "csv"
    ? `  data_format = "csv"
  csv_header_row_count = 1
  csv_tag_columns = ["device_id", "metric", "unit"]
  csv_timestamp_column = "ts"
  csv_timestamp_format = "unix_ms"`
    : telegrafJson;
  return `${telegrafAgent}
[[inputs.tail]]
  files = [${quoted([path])}]
  initial_read_offset = "beginning"
  path_tag = ""
  max_undelivered_lines = 100000
  name_override = "reading"
${parser}
${telegrafOutput(brokers, topic)}`;
}

/** Telegraf's settings for a subscription. */
export function telegrafFromMqtt({ brokers, topic, host, port, prefix }: MqttJob): string {
  return `${telegrafAgent}
[[inputs.mqtt_consumer]]
  servers = ["tcp://${host}:${port}"]
  topics = [${quoted([`${prefix}/+/+`])}]
  topic_tag = ""
  qos = 1
  persistent_session = true
  client_id = "${prefix}-telegraf"
  max_undelivered_messages = 10000
  name_override = "reading"
${telegrafJson}
  [[inputs.mqtt_consumer.topic_parsing]]
    topic = "${prefix}/+/+"
    tags = "_/device_id/metric"
${telegrafOutput(brokers, topic)}`;
}

const telegrafAgent = `[agent]
  interval = "1s"
  flush_interval = "100ms"
  metric_batch_size = 5000
  metric_buffer_limit = 200000
  omit_hostname = true
`;

const telegrafJson = `  data_format = "json"
  tag_keys = ["device_id", "metric", "unit"]
  json_time_key = "ts"
  json_time_format = "unix_ms"`;

function telegrafOutput(brokers: readonly string[], topic: string): string {
  return `
[[outputs.kafka]]
  brokers = [${quoted(brokers)}]
  topic = "${topic}"
  routing_tag = "device_id"
  required_acks = -1
  data_format = "json"
  json_timestamp_units = "1ms"
`;
}

/** Benthos's settings for a file, at whose end it stops. */
export function benthosFromFile({ brokers, topic, format, path }: FileJob): string {
  const input = format === "csv"
    ? `  csv:
    paths: [${quoted([path])}]
    batch_count: 1000`
    : `  broker:
    inputs:
      - file:
          paths: [${quoted([path])}]
          codec: lines
    batching: { count: 1000, period: 10ms }`;
  const mapping = format === "csv"
    ? `        root = this
        root.value = this.value.number()
        root.ts = this.ts.number()`
    : `        root = this`;
  return benthosSettings(input, mapping, brokers, topic);
}

/** Benthos's settings for a subscription. */
export function benthosFromMqtt({ brokers, topic, host, port, prefix }: MqttJob): string {
  const input = `  broker:
    inputs:
      - mqtt:
          urls: ["tcp://${host}:${port}"]
          topics: [${quoted([`${prefix}/+/+`])}]
          client_id: ${prefix}-benthos
          qos: 1
          clean_session: false
    batching: { count: 1000, period: 5ms }`;
  const mapping = `        let levels = meta("mqtt_topic").split("/")
        root = this
        root.device_id = $levels.index(1)
        root.metric = $levels.index(2)`;
  return benthosSettings(input, mapping, brokers, topic);
}

function benthosSettings(input: string, mapping: string, brokers: readonly string[], topic: string): string {
  return `http: { enabled: false }
logger: { level: ERROR }
input:
${input}
pipeline:
  processors:
    - mapping: |
${mapping}
output:
  kafka_franz:
    seed_brokers: [${quoted(brokers)}]
    topic: ${topic}
    key: \${! json("device_id") }
    idempotent_write: true
    max_in_flight: 10
`;
}
