/**
 * What is wrong with settings that can be run with all the same: secrets that others can read, certificates near their end, passwords
 * sent in the clear.
 *
 * @module
 */
import { bundleWarning, dateWarning, readCertificates } from "../core/certificate.ts";
import { quoted } from "../core/text.ts";
import type { Secret } from "./secret.ts";
import type { IdentityFiles, Settings, TextFile } from "./settings.ts";
import type { Surroundings } from "./surroundings.ts";

/** All warnings: sentences without a full stop. */
export function warningsOf(settings: Settings, surroundings: Surroundings, wallMs: number): readonly string[] {
  const { mqtt, sink } = settings;
  const kafka = sink.kind === "kafka" ? sink : null;
  const identities = [mqtt?.identity ?? null, kafka?.tls?.identity ?? null].filter((one) => one !== null);
  const secrets = [mqtt?.password ?? null, kafka?.sasl?.password ?? null, ...identities.map(({ key }) => key)];
  return [
    ...secrets.flatMap((secret) => secret === null ? [] : accessWarning(secret, surroundings)),
    ...[mqtt?.ca ?? null, kafka?.tls?.ca ?? null].flatMap((ca) => ca === null ? [] : caWarnings(ca, wallMs)),
    ...identities.flatMap((identity) => identityWarning(identity, wallMs)),
    ...clearTextWarnings(settings),
  ];
}

/** As ssh(1) has it for keys: nobody but the owner; where the owner is somebody else (root), a group may be how we read it at all. */
function accessWarning({ path }: Secret, { accessOf, environment }: Surroundings): readonly string[] {
  // What systemd hands over is for this service alone; the access list that says so shows as bits of the group.
  const credentials = environment["CREDENTIALS_DIRECTORY"] ?? "";
  if (path === null || (credentials !== "" && path.startsWith(`${credentials}/`))) return [];
  const access = accessOf(path);
  if (access === null || (access.mode & (access.own ? 0o077 : 0o007)) === 0) return [];
  const who = (access.mode & 0o007) === 0 ? "the group of the file" : "everybody on this machine";
  const mode = access.mode.toString(8).padStart(4, "0");
  return [`The secret in ${quoted(path)} is open to ${who} (mode ${mode}): chmod 600 keeps it to its owner`];
}

function caWarnings({ path, text }: TextFile, wallMs: number): readonly string[] {
  const read = readCertificates(text);
  const warning = read.ok ? bundleWarning(read.value, wallMs) : null;
  return warning === null ? [] : [`The CA in ${quoted(path)} ${warning}`];
}

function identityWarning({ certificate }: IdentityFiles, wallMs: number): readonly string[] {
  const read = readCertificates(certificate.text);
  const [own] = read.ok ? read.value : [];
  const warning = own === undefined ? null : dateWarning(own, wallMs);
  return warning === null ? [] : [`The certificate in ${quoted(certificate.path)} ${warning}`];
}

function clearTextWarnings({ mqtt, sink }: Settings): readonly string[] {
  const warnings: string[] = [];
  if (mqtt !== null && mqtt.password !== null && mqtt.url.startsWith("mqtt:") && !isLocal(mqtt.url.slice(7))) {
    warnings.push("The password for MQTT goes over the network in the clear: an mqtts:// URL encrypts it");
  }
  if (sink.kind === "kafka" && sink.sasl?.mechanism === "plain" && sink.tls === null && !sink.brokers.every(isLocal)) {
    warnings.push("The password for Kafka goes over the network in the clear: --kafka-tls or SCRAM keeps it secret");
  }
  return warnings;
}

/** Whether `host:port` never leaves the machine. */
function isLocal(address: string): boolean {
  return /^(?:127\.[0-9.]+|localhost|\[::1\])(?::\d+)?\/?$/.test(address);
}
