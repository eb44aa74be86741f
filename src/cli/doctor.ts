/**
 * `weir doctor`: looks at the machine, the folders, the broker and Kafka, and tells for each finding what to do. Touches nothing that a
 * gateway uses.
 *
 * @module
 */
import type { Gathered } from "../config/gather.ts";
import { options } from "../config/options.ts";
import { wrap } from "../config/problem.ts";
import type { Settings } from "../config/settings.ts";
import { statusAddressOf } from "../config/status_address.ts";
import { exitCodes, WeirError } from "../core/error.ts";
import type { Finding } from "../core/finding.ts";
import { formatDuration, printable, printableJson } from "../core/text.ts";
import type { Command, CommandContext, Output } from "./command.ts";
import { brokerFindings } from "./doctor_broker.ts";
import { machineFindings } from "./doctor_machine.ts";
import { openSettings } from "./opening.ts";
import { fetchStatus } from "./status_client.ts";

/** The command. */
export const doctor: Command = {
  name: "doctor",
  summary: "look at machine, folders, broker and Kafka, and say what to do",
  words: "",
  examples: ["weir doctor --config /etc/weir/weir.yaml", "sudo -u weir weir doctor --config /etc/weir/weir.yaml"],
  async run(context) {
    const { output, clock, dice, version, stdout } = context;
    const loaded = openSettings(doctor, context, { validate: context.complaintsOf });
    if (typeof loaded === "number") return loaded;
    const { settings, gathered } = loaded;
    const app = context.createApp(settings, { clock, dice, emit: () => {}, version, stdout });
    const [machine, parts, beyond, broker, gateway] = await Promise.all([
      machineFindings(settings, clock.wallMs()),
      app.check(),
      app.examine(),
      brokerFindings(settings, context),
      gatewayFindings(gathered, settings, context),
    ]);
    const findings = [...machine, ...parts, ...beyond, ...broker, ...gateway];
    if (gathered.value(options.letters.json)) output.write(`${printableJson(JSON.stringify(findings))}\n`);
    else output.write(report(findings, output));
    return findings.every(({ ok }) => ok) ? exitCodes.ok : exitCodes.unavailable;
  },
};

/** What only a gateway that runs knows. */
async function gatewayFindings(
  gathered: Gathered,
  settings: Settings,
  { clock, surroundings }: CommandContext,
): Promise<readonly Finding[]> {
  const kafka = settings.sink.kind === "kafka";
  const { address } = statusAddressOf(gathered, surroundings);
  if (address === null) {
    return [{ ok: true, subject: "Running gateway", result: "tells nothing: status-listen is none" }];
  }
  try {
    const { gateway, upMs, sink } = await fetchStatus(address, clock);
    const throttled: Finding = sink.throttledMs === 0
      ? { ok: true, subject: "Kafka's throttling", result: "none since the gateway started" }
      : {
        ok: true,
        subject: "Kafka's throttling",
        result: `it made the gateway wait for ${formatDuration(sink.throttledMs)} in all`,
        advice: "Lower --files-cap, or ask for a higher quota (producer_byte_rate) of this user or client id",
      };
    return [
      { ok: true, subject: "Running gateway", result: `"${gateway}" is up for ${formatDuration(upMs)}` },
      ...(kafka ? [throttled] : []),
    ];
  } catch (thrown) {
    if (!(thrown instanceof WeirError)) throw thrown;
    const advice = kafka ? { advice: "Throttling by Kafka is known only while it runs" } : {};
    return [{ ok: true, subject: "Running gateway", result: thrown.message, ...advice }];
  }
}

/** Advice is told with everything that has one: what is well may still be worth a look. */
function report(findings: readonly Finding[], output: Pick<Output, "colour" | "columns">): string {
  const wrong = findings.filter(({ ok }) => !ok).length;
  const lines = findings.map((finding) => findingText(finding, output)).join("");
  const sum = wrong === 0
    ? `All ${findings.length} findings are well.`
    : `${wrong} of ${findings.length} need${wrong === 1 ? "s" : ""} something to be done.`;
  return `${lines}\n${sum}\n`;
}

function findingText({ ok, subject, result, advice }: Finding, output: Pick<Output, "colour" | "columns">): string {
  const word = ok ? (advice === undefined ? "ok  " : "note") : "FAIL";
  const colour = { "ok  ": "32", note: "33", FAIL: "1;31" }[word];
  const mark = output.colour ? `\u001b[${colour}m${word}\u001b[0m` : word;
  const width = Math.max(60, Math.min(output.columns, 100));
  const said = wrap(`${printable(subject)}: ${printable(result, 1000)}`, width, " ".repeat(6)).trimStart();
  const todo = advice === undefined ? "" : `${wrap(printable(advice, 1000), width, " ".repeat(8))}\n`;
  return `${mark}  ${said}\n${todo}`;
}
