/**
 * Metrics as text: the Prometheus exposition format, version 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats), and the page
 * of the documentation.
 *
 * @module
 */
import { type Measured, metrics, type Sample } from "./metrics.ts";

/** The type of {@linkcode exposition}. */
export const expositionType = "text/plain; version=0.0.4; charset=utf-8";

/** What `/metrics` gives. */
export function exposition(measured: Measured): string {
  return metrics.map((metric) => {
    const samples = metric.read(measured);
    if (samples.length === 0) return "";
    const lines = samples.map((sample) => `${metric.name}${labelText(sample)} ${sample.value}\n`).join("");
    return `# HELP ${metric.name} ${metric.help}.\n# TYPE ${metric.name} ${metric.type}\n${lines}`;
  }).join("");
}

/** `docs/metrics.md`. */
export function metricsPage(): string {
  const rows = metrics.map(({ name, type, labels, help }) =>
    `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(", ")} | ${help}. |`
  );
  return `# Metrics

<!-- Made by \`deno task docs\` out of src/ops/status/metrics.ts: do not edit. -->

\`/metrics\` of the status server (\`--status-listen\`, by default 127.0.0.1:9464) gives these in the text format of Prometheus. Counters begin
at 0 with the process. \`origin\` is \`real_time\` (streams) or \`batch\` (files). No label holds anything that came from outside.

For each origin, at any moment: \`weir_readings_read_total\` = the sum of \`weir_readings_settled_total\` + \`weir_readings_open\`.

| Metric | Type | Labels | What it is |
| --- | --- | --- | --- |
${rows.join("\n")}

## Scrape it

\`\`\`yaml
scrape_configs:
  - job_name: weir
    static_configs:
      - targets: ["127.0.0.1:9464"]
    # With --status-token-file only:
    authorization:
      credentials_file: /etc/prometheus/weir.token
\`\`\`

## Worth an alarm

| Expression | Means |
| --- | --- |
| \`weir_sink_connected == 0\` for 1 min | nothing leaves: files wait, streams go to the disk |
| \`weir_file_verdict{verdict="late"} == 1\` | a dump will not be in before the next one |
| \`rate(weir_readings_settled_total{verdict="dead_lettered"}[5m]) > 0\` | something cannot be forwarded: \`weir dlq list\` |
| \`increase(weir_readings_settled_total{verdict="dropped"}[5m]) > 0\` | something was lost |
| \`weir_mqtt_connected == 0\` for 1 min | no streams come in |
`;
}

function labelText({ labels }: Sample): string {
  if (labels === undefined) return "";
  return `{${Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`).join(",")}}`;
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
