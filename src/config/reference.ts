/**
 * The reference of all settings as Markdown, and as a JSON Schema of the config file for editors; both out of the table of options.
 *
 * @module
 */
import { exitCodes } from "../core/error.ts";
import { jsonSchema } from "./kind.ts";
import { flagOf, groups, type Option } from "./option.ts";
import { isEverywhere, optionList } from "./options.ts";

/** What opens the page. */
const opening = `# Settings

<!-- Made by \`deno task docs\` out of src/config/options*.ts: do not edit. -->

Every setting has one name. \`files-cap\` is the flag \`--files-cap\`, the environment variable \`WEIR_FILES_CAP\` and the key
\`files-cap\` of the config file (\`--config weir.yaml\`). The flag wins over the variable, the variable over the key, the key over the
default. Unknown names are refused, also of variables that begin with \`WEIR_\` (except \`WEIR_TEST_\`, which belongs to the tests).
All mistakes are told at once, before any network is touched; the exit code is ${exitCodes.configuration}.

- **Sizes**: \`64KiB\`, \`256MiB\`, \`2GiB\` (powers of 1024), \`500MB\` (powers of 1000). **Times**: \`500ms\`, \`10s\`, \`5m\`, \`24h\`, \`7d\`,
  \`1h30m\`. **Rates**: \`500\` or \`500/s\`. A bare number has the unit in the column "Unit".
- **Switches** take no value as a flag (\`--once\`, \`--no-once\`); as a variable or key they are \`true\` or \`false\`.
- **Lists**: the flag stands several times, the key holds a list, the variable holds one value a line; where the column "Value" has a comma
  in brackets, values may also be parted by commas in one text. The place that wins gives the whole list.
- **Paths** are relative to the working folder; in a config file, to the folder of that file.
- An empty variable counts as not set.

Secrets (\`mqtt-password\`, \`mqtt-key\`, \`kafka-password\`, \`kafka-key\`, \`status-token\`) are never the value of a flag or a key. The first of these that there is counts: the file
that the flag \`--mqtt-password-file\` or its variable names; the variable \`WEIR_MQTT_PASSWORD\`; the file that the config file names; the
systemd credential \`mqtt-password\` in \`$CREDENTIALS_DIRECTORY\`.

A config file:

\`\`\`yaml
gateway: press-line-3
mqtt-url: mqtts://broker.example:8883
mqtt-username: gateway
mqtt-password-file: mqtt.password
mqtt-topic:
  - plant/{site}/{device_id}/{metric},weight=3
  - plant/{site}/status/{rest#}
files-dir: /var/lib/dumps,every=1h
files-cap: 500/s
kafka-brokers: [kafka-1.example:9092, kafka-2.example:9092]
kafka-topic: readings
\`\`\`

\`docs/settings.schema.json\` is a JSON Schema of it: an editor with YAML support takes it from the first line
\`# yaml-language-server: $schema=settings.schema.json\`.
`;

/** What closes the page. */
const exitCodeTable = `## Exit codes

| Code | Means |
| --- | --- |
| ${exitCodes.ok} | done |
| ${exitCodes.unavailable} | something that is needed is not there: broker, Kafka, topic, folder, dead letter |
| ${exitCodes.internal} | a defect in the program |
| ${exitCodes.tryAgain} | try again: a second instance holds the state folder, the disk is full, or a stop did not drain in time |
| ${exitCodes.permission} | the system or a server refuses access |
| ${exitCodes.configuration} | wrong settings or an unknown command: nothing was started |
`;

/** `docs/settings.md`. */
export function settingsPage(): string {
  const sections = groups.map((group) => {
    const rows = optionList.filter((option) => option.group === group).map(row);
    const head = "| Setting | Value | Unit | Default | What it does |\n| --- | --- | --- | --- | --- |";
    return `## ${group}\n\n${head}\n${rows.join("\n")}\n`;
  });
  return [opening, ...sections, exitCodeTable].join("\n");
}

/** `docs/settings.schema.json`. */
export function settingsSchema(): string {
  const keys = optionList.filter((option) => isEverywhere(option) && option.name !== "config").map((option) => ({
    name: option.name,
    kind: option.kind,
    repeatable: option.arity === "many",
    description: sentence(option.help),
    ...(option.fallback === null ? {} : { default: option.fallback }),
    ...(option.example === undefined ? {} : { examples: [unquoted(option.example)] }),
  }));
  return `${JSON.stringify(jsonSchema("Settings of Weir", keys), null, 2)}\n`;
}

function row(option: Option<unknown>): string {
  const value = option.arity === "toggle" ? "switch" : code(option.placeholder ?? option.kind.placeholder);
  const standard = option.defaultText ??
    (option.fallback === null ? "" : option.fallback === "" ? "empty" : code(option.fallback));
  const example = option.example === undefined ? "" : ` Example: ${code(`${flagOf(option)} ${option.example}`)}.`;
  const more = option.more === undefined ? "" : ` ${option.more}`;
  const only = isEverywhere(option)
    ? ""
    : ` Only a flag, of ${option.commands.map((name) => code(`weir ${name}`)).join(", ")}.`;
  const cells = [
    `${code(option.name)}${option.arity === "many" ? " (list)" : ""}`,
    value,
    option.unit ?? "",
    option.arity === "toggle" ? "off" : standard,
    `${sentence(option.help)}${more}${example}${only}`,
  ];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

function sentence(help: string): string {
  return `${help.charAt(0).toUpperCase()}${help.slice(1)}.`;
}

function code(text: string): string {
  return `\`${text}\``;
}

/** An example is written for a shell; a file needs no quotes. */
function unquoted(text: string): string {
  return text.replace(/^'(.*)'$/s, "$1");
}
