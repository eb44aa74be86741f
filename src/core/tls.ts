/**
 * TLS to a server: what is trusted and shown, and why an attempt failed, in words that name the cause.
 *
 * A library's error says little ("unable to verify the first certificate" for an expired one). So when the server's certificate was
 * refused, it is looked at over a second connection that trusts anything and sends nothing; and when the server refused ours, ours is
 * looked at.
 *
 * @module
 */
import { isIP } from "node:net";
import { connect, type ConnectionOptions as NodeTlsOptions, type PeerCertificate } from "node:tls";
import { type CertificateFacts, dateTrouble, dayOf, type Identity, readCertificates } from "./certificate.ts";
import type { Clock } from "./clock.ts";
import { messageOf } from "./error.ts";
import { printable, quoted } from "./text.ts";

/** What a connection trusts, and what it shows. */
export interface TlsMaterial {
  /** Certificates (PEM) to trust instead of the system's; null for the system's. */
  readonly ca: string | null;
  /** Shown to a server that asks for one (mutual TLS). */
  readonly identity?: Identity | null;
}

/** Where a server listens. */
export interface TlsAddress {
  readonly host: string;
  readonly port: number;
}

/** Why there is no TLS connection. */
export interface TlsTrouble {
  /** A sentence without a full stop, about the server: "its certificate expired on ...". */
  readonly what: string;
  /** What to do. */
  readonly advice: string;
}

/** Longest look at a server's certificate. */
const lookTimeoutMs = 3_000;

/** Options of `node:tls` for a connection. */
export function tlsOptions({ host, port }: TlsAddress, { ca, identity }: TlsMaterial): NodeTlsOptions {
  return {
    host,
    port,
    // An address is no server name (RFC 6066, 3).
    ...(isIP(host) ? {} : { servername: host }),
    ...(ca === null ? {} : { ca }),
    ...(identity === undefined || identity === null ? {} : { cert: identity.certificate, key: identity.key }),
  };
}

/** Whether a socket's error is about TLS: certificates, alerts, a server that does not speak it. */
export function isTlsError(error: Error): boolean {
  const code = "code" in error ? String(error.code) : "";
  return serverRefused(error, code) ||
    /^ERR_(SSL|TLS)|alert|tls|ssl|handshake|InvalidContentType|corrupt message/i.test(`${code} ${error.message}`);
}

/**
 * Puts an error into words. Never rejects.
 *
 * @param setting what the settings of this connection begin with: `mqtt`, `kafka`
 */
export async function explainTls(
  error: Error,
  address: TlsAddress,
  material: TlsMaterial,
  setting: string,
  clock: Clock,
): Promise<TlsTrouble> {
  const code = "code" in error ? String(error.code) : "";
  const alert = /received fatal alert: (\w+)/.exec(error.message)?.[1];
  if (alert !== undefined) return alertTrouble(alert, material, setting, clock.wallMs());
  const said = printable(messageOf(error));
  if (serverRefused(error, code)) {
    const certificate = await lookAt(address, clock);
    return certificate === null
      ? { what: `its certificate is refused: ${said}`, advice: untrustedAdvice(setting) }
      : certificateTrouble(
        certificate,
        /altname|NotValidForName|not valid for name/i.test(`${code} ${said}`),
        address,
        setting,
        clock,
      );
  }
  return {
    what: `there is no TLS: ${said}`,
    advice: "Is the port the one that speaks TLS, and does the server speak TLS 1.2 or newer?",
  };
}

function serverRefused(error: Error, code: string): boolean {
  return /CERT|VERIFY|ALTNAME/.test(code.replace(/^ERR_SSL_.*/, "")) ||
    /certificate|altname/i.test(error.message.replace(/received fatal alert.*/, ""));
}

/** What is wrong with the server's certificate, as far as it shows. */
function certificateTrouble(
  certificate: PeerCertificate,
  otherName: boolean,
  { host }: TlsAddress,
  setting: string,
  clock: Clock,
): TlsTrouble {
  const facts: CertificateFacts = {
    subject: nameIn(certificate.subject),
    issuer: nameIn(certificate.issuer),
    validFromMs: Date.parse(certificate.valid_from),
    validToMs: Date.parse(certificate.valid_to),
  };
  const date = dateTrouble(facts, clock.wallMs());
  if (date !== null) {
    const advice = facts.validToMs <= clock.wallMs()
      ? "Renew it at the server"
      : "Wait until then, or have another issued";
    return { what: `its certificate ${date}`, advice: `${advice}. ${clockAdvice(clock.wallMs())}` };
  }
  if (otherName) {
    const names = certificate.subjectaltname ?? facts.subject;
    return {
      what: `its certificate is for ${quoted(names)} and not for ${quoted(host)}`,
      advice: "Connect by a name that is in the certificate, or have one issued for this name",
    };
  }
  const what = facts.subject === facts.issuer
    ? `its certificate is signed by itself (${quoted(facts.issuer)}) and not trusted`
    : `its certificate is not trusted: it was issued by ${quoted(facts.issuer)}`;
  return { what, advice: untrustedAdvice(setting) };
}

/** What a server means that broke the handshake off. Alerts: RFC 8446, 6.2; their names as the runtime writes them. */
function alertTrouble(alert: string, { identity }: TlsMaterial, setting: string, wallMs: number): TlsTrouble {
  const aboutUs = /Certificate|UnknownCA|AccessDenied/i.test(alert);
  const files = `--${setting}-cert-file and --${setting}-key-file`;
  if (identity === undefined || identity === null) {
    // Java says BadCertificate for none at all, servers of TLS 1.2 HandshakeFailure.
    if (!aboutUs && alert !== "HandshakeFailure") return otherAlert(alert);
    return {
      what: `it ${aboutUs ? "wants" : "most likely wants"} a client certificate, and there is none (${alert})`,
      advice: `Set ${files}`,
    };
  }
  if (!aboutUs) return otherAlert(alert);
  const own = readCertificates(identity.certificate);
  const facts = own.ok ? own.value[0] : undefined;
  const date = facts === undefined ? null : dateTrouble(facts, wallMs);
  if (date !== null) {
    return {
      what: `it refuses our client certificate, which ${date} (${alert})`,
      advice: `Renew the file of --${setting}-cert-file: it is read again at the next attempt`,
    };
  }
  const issuer = facts === undefined ? "" : `, issued by ${quoted(facts.issuer)}`;
  if (/Expired/.test(alert)) {
    const until = facts === undefined ? "" : `, valid until ${dayOf(facts.validToMs)},`;
    return {
      what: `it says that our client certificate${until} has expired (${alert})`,
      advice: "Look at the clocks of the server and of this gateway",
    };
  }
  return {
    what: `it does not accept our client certificate${issuer} (${alert})`,
    advice: `Have the certificate of ${files} issued by a CA that the server trusts; the server's log says more`,
  };
}

function otherAlert(alert: string): TlsTrouble {
  return { what: `it broke the TLS handshake off (${alert})`, advice: "The server's log says why" };
}

function untrustedAdvice(setting: string): string {
  return `Give the certificate of the CA that issued it with --${setting}-ca-file`;
}

function clockAdvice(wallMs: number): string {
  return `This gateway's clock says ${dayOf(wallMs)}: if that is wrong, set it (NTP)`;
}

/** The name in a subject or issuer as node:tls gives it. */
function nameIn(subject: object | undefined): string {
  const parts = new Map(Object.entries(subject ?? {}).map(([key, value]) => [key, String(value)]));
  return parts.get("CN") ?? ([...parts].map(([key, value]) => `${key}=${value}`).join(", ") || "nobody");
}

/** The certificate that a server shows, trusted or not; null when it shows none. Sends nothing but the handshake. */
function lookAt(address: TlsAddress, clock: Clock): Promise<PeerCertificate | null> {
  return new Promise((resolve) => {
    const socket = connect({ ...tlsOptions(address, { ca: null }), rejectUnauthorized: false });
    const timer = clock.after(lookTimeoutMs, () => end(null));
    const end = (certificate: PeerCertificate | null) => {
      timer.cancel();
      socket.destroy();
      resolve(certificate);
    };
    socket.on("error", () => end(null));
    socket.once("close", () => end(null));
    socket.once("secureConnect", () => {
      const certificate: PeerCertificate | null = socket.getPeerCertificate();
      end(certificate !== null && certificate.valid_to !== undefined ? certificate : null);
    });
  });
}
