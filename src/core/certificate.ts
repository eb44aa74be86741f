/**
 * Certificates and keys in PEM form: read, matched, and judged by their dates.
 *
 * @module
 */
import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from "node:crypto";
import { messageOf } from "./error.ts";
import { quoted } from "./text.ts";

/** A certificate with what belongs to it: what a client shows to a server that asks for one. */
export interface Identity {
  /** The certificate, and behind it those of the CAs between it and the root (PEM). */
  readonly certificate: string;
  /** The private key (PEM), not encrypted. */
  readonly key: string;
}

/** A certificate, as far as people are told of it. */
export interface CertificateFacts {
  /** Common name, or the whole subject; hostile. */
  readonly subject: string;
  readonly issuer: string;
  /** Wall-clock ms. */
  readonly validFromMs: number;
  readonly validToMs: number;
}

/** What came of reading something: it, or what is wrong with it (a sentence without a full stop). */
export type Read<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly trouble: string };

/** The certificates of a PEM text, in their order; at least one. */
export function readCertificates(pem: string): Read<readonly CertificateFacts[]> {
  const parsed = parseCertificates(pem);
  return parsed.ok ? { ok: true, value: parsed.value.map(factsOf) } : parsed;
}

/** A private key that can be used as it is. */
export function readKey(pem: string): Read<KeyObject> {
  // Looked for by its name: handed an encrypted key, OpenSSL asks for the passphrase on the terminal.
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(pem)) {
    return {
      ok: false,
      trouble: "The key is encrypted, and nobody is there to type its passphrase when a service starts. " +
        "Take it off (openssl pkey -in key.pem -out plain.pem) and keep the file to its owner (mode 0600), " +
        "or hand it over as a systemd credential, which can be encrypted for this machine (LoadCredentialEncrypted=)",
    };
  }
  if (!/-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/.test(pem)) {
    return { ok: false, trouble: "Holds no private key in PEM form (-----BEGIN PRIVATE KEY-----)" };
  }
  try {
    return { ok: true, value: createPrivateKey(pem) };
  } catch {
    // What the library says could quote the key.
    return { ok: false, trouble: "Holds a private key that cannot be read" };
  }
}

/** Whether certificate and key belong together; the facts of the certificate. */
export function readIdentity({ certificate, key }: Identity): Read<CertificateFacts> {
  const chain = parseCertificates(certificate);
  if (!chain.ok) return chain;
  const secret = readKey(key);
  if (!secret.ok) return secret;
  const [own] = chain.value;
  if (own === undefined) throw new Error("A chain without a certificate");
  if (belongs(own, secret.value)) return { ok: true, value: factsOf(own) };
  const other = chain.value.find((one) => belongs(one, secret.value));
  const trouble = other === undefined
    ? `The key does not belong to the certificate of ${quoted(nameOf(own.subject))}`
    : `The key belongs to the certificate of ${quoted(nameOf(other.subject))}, which must be the first in its file`;
  return { ok: false, trouble };
}

/** `expired on 2026-01-31` and the like; null when the dates are right. */
export function dateTrouble(facts: CertificateFacts, wallMs: number): string | null {
  if (facts.validToMs <= wallMs) return `expired on ${dayOf(facts.validToMs)}`;
  if (facts.validFromMs > wallMs) return `is valid only from ${dayOf(facts.validFromMs)} on`;
  return null;
}

const dayMs = 86_400_000;

/** With fewer days left, and less than a third of its life, a certificate is said to expire soon. */
const soonDays = 30;
/** With fewer days left it is said again. */
const pressingDays = 7;

/** What to warn of: {@linkcode dateTrouble}, or `expires in 5 days, on 2026-01-31`; null when nothing. */
export function dateWarning(facts: CertificateFacts, wallMs: number): string | null {
  const trouble = dateTrouble(facts, wallMs);
  if (trouble !== null) return trouble;
  const leftMs = facts.validToMs - wallMs;
  if (leftMs > soonDays * dayMs || leftMs * 3 > facts.validToMs - facts.validFromMs) return null;
  const days = Math.floor(leftMs / dayMs);
  const left = days === 0 ? "in less than a day" : days === 1 ? "in 1 day" : `in ${days} days`;
  return `expires ${left}, on ${dayOf(facts.validToMs)}`;
}

/** {@linkcode dateWarning} of a bundle: many of them always have some that are over, so it is worth a word only when none is left. */
export function bundleWarning(bundle: readonly CertificateFacts[], wallMs: number): string | null {
  const warnings = bundle.map((facts) => dateWarning(facts, wallMs));
  return warnings.includes(null) ? null : warnings[0] ?? null;
}

/** How pressing a {@linkcode dateWarning} is: each stage of a certificate is worth a word of its own. */
export function dateStage(facts: CertificateFacts, wallMs: number): "wrong" | "days left" | "weeks left" {
  if (dateTrouble(facts, wallMs) !== null) return "wrong";
  return facts.validToMs - wallMs <= pressingDays * dayMs ? "days left" : "weeks left";
}

/** A day in UTC: `2026-01-31`. */
export function dayOf(wallMs: number): string {
  return Number.isFinite(wallMs) ? new Date(wallMs).toISOString().slice(0, 10) : "an unknown day";
}

/** The common name in a subject or issuer as node:crypto writes it (a part a line); without one, all of it. */
export function nameOf(subject: string): string {
  return /^CN=(.*)$/m.exec(subject)?.[1] ?? subject.replaceAll("\n", ", ");
}

/** By their public keys: `checkPrivateKey` is missing in older Denos that run Weir. */
function belongs(certificate: X509Certificate, key: KeyObject): boolean {
  const bytesOf = (publicKey: KeyObject) => publicKey.export({ type: "spki", format: "der" });
  return bytesOf(certificate.publicKey).equals(bytesOf(createPublicKey(key)));
}

function parseCertificates(pem: string): Read<readonly X509Certificate[]> {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) {
    return { ok: false, trouble: "Holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)" };
  }
  try {
    return { ok: true, value: blocks.map((block) => new X509Certificate(block)) };
  } catch (thrown) {
    return { ok: false, trouble: `Holds a certificate that cannot be read: ${messageOf(thrown)}` };
  }
}

function factsOf(certificate: X509Certificate): CertificateFacts {
  return {
    subject: nameOf(certificate.subject),
    issuer: nameOf(certificate.issuer),
    validFromMs: Date.parse(certificate.validFrom),
    validToMs: Date.parse(certificate.validTo),
  };
}
