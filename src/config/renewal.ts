/**
 * Passwords, keys and certificates are read again whenever a connection is opened, so that renewed ones need no restart. A file that is
 * gone, half written or wrong changes nothing: the last good one stays in use, and that is said once.
 *
 * @module
 */
import {
  bundleWarning,
  type CertificateFacts,
  dateStage,
  type Identity,
  type Read,
  readCertificates,
  readIdentity,
} from "../core/certificate.ts";
import type { Clock, Timer } from "../core/clock.ts";
import type { Emit } from "../core/event.ts";
import { quoted } from "../core/text.ts";
import type { TlsMaterial } from "../core/tls.ts";
import { withoutLineBreak } from "./named_files.ts";
import type { Secret } from "./secret.ts";
import type { IdentityFiles, TextFile } from "./settings.ts";
import { reasonOf } from "./surroundings.ts";

/** What a renewal works with. */
export interface RenewalDeps {
  /** @throws {Error} as the system does. */
  readonly readTextFile: (path: string) => string;
  readonly clock: Clock;
  readonly emit: Emit;
}

/** Gives what is in force now. None of the functions that it gives ever throws. */
export interface Renewal {
  secret(secret: Secret): () => string;
  tls(files: { readonly ca: TextFile | null; readonly identity: IdentityFiles | null }): () => TlsMaterial;
  /** Reads all certificates again once a day and warns of their dates, for connections that last. Until it is cancelled. */
  watch(): Timer;
}

const lookEveryMs = 86_400_000;

/** Makes a {@linkcode Renewal}. */
export function createRenewal({ readTextFile, clock, emit }: RenewalDeps): Renewal {
  const materials: (() => TlsMaterial)[] = [];

  /** Files that belong together. One without a path stays as it is. `first`: what was made of their texts at the start. */
  function renewing<T>(
    what: string,
    files: readonly PartFile[],
    first: T,
    make: (texts: readonly string[]) => Read<T>,
  ) {
    const paths = files.flatMap(({ path }) => path === null ? [] : [quoted(path)]).join(" and ");
    let texts = files.map(({ text }) => text);
    let good = first;
    let said: string | null = null;

    function readAgain(): Read<readonly string[]> {
      const now: string[] = [];
      for (const { path, text } of files) {
        try {
          now.push(path === null ? text : withoutLineBreak(readTextFile(path)));
        } catch (thrown) {
          return { ok: false, trouble: `${quoted(path ?? "")} cannot be read: ${reasonOf(thrown)}` };
        }
      }
      return { ok: true, value: now };
    }

    return (): T => {
      const now = readAgain();
      if (now.ok && now.value.every((text, index) => text === texts[index])) {
        said = null;
        return good;
      }
      const made = now.ok ? make(now.value) : now;
      if (now.ok && made.ok) {
        texts = [...now.value];
        good = made.value;
        said = null;
        emit("info", "settings.renewed", `The ${what} in ${paths} was renewed and is used from now on`);
      } else if (!made.ok && made.trouble !== said) {
        said = made.trouble;
        emit(
          "error",
          "settings.renewal_refused",
          `The ${what} in ${paths} was changed and cannot be used: ${made.trouble}. The last good one stays in use, and the ` +
            "file is read again at the next connection",
        );
      }
      return good;
    };
  }

  function checkedIdentity({ certificate, key: secret }: IdentityFiles): () => Identity {
    const key = { path: secret.path, text: secret.reveal() };
    const identityNow = renewing(
      "certificate",
      [partOf(certificate), key],
      { certificate: certificate.text, key: key.text },
      ([certificateText = "", keyText = ""]) => {
        const pair = { certificate: certificateText, key: keyText };
        const read = readIdentity(pair);
        return read.ok ? { ok: true, value: pair } : read;
      },
    );
    const look = lookingAt("certificate", certificate.path);
    return () => {
      const pair = identityNow();
      const read = readIdentity(pair);
      if (read.ok) look([read.value]);
      return pair;
    };
  }

  /** Warns of dates, once for each certificate and stage, however many days it goes on. */
  function lookingAt(what: string, path: string): (certificates: readonly CertificateFacts[]) => void {
    let said = "";
    return (certificates) => {
      const wallMs = clock.wallMs();
      const [first] = certificates;
      const warning = bundleWarning(certificates, wallMs);
      const stage = first === undefined || warning === null ? "" : `${dateStage(first, wallMs)} ${first.validToMs}`;
      if (warning !== null && stage !== said) {
        emit("warn", "settings.certificate_date", `The ${what} in ${quoted(path)} ${warning}`);
      }
      said = stage;
    };
  }

  return {
    secret(secret) {
      const file = { path: secret.path, text: secret.reveal() };
      if (file.path === null) return () => file.text;
      return renewing("secret", [file], file.text, ([value = ""]) => {
        return value === "" ? { ok: false, trouble: "It is empty" } : { ok: true, value };
      });
    },
    tls({ ca, identity }) {
      const caNow = ca === null ? () => null : renewing<string | null>("CA", [partOf(ca)], ca.text, ([text = ""]) => {
        const read = readCertificates(text);
        return read.ok ? { ok: true, value: text } : read;
      });
      const lookAtCa = lookingAt("CA", ca?.path ?? "");
      const checkedCa = () => {
        const text = caNow();
        const read = text === null ? null : readCertificates(text);
        if (read?.ok) lookAtCa(read.value);
        return text;
      };
      const identityNow = identity === null ? null : checkedIdentity(identity);
      const now = () => {
        return identityNow === null ? { ca: checkedCa() } : { ca: checkedCa(), identity: identityNow() };
      };
      materials.push(now);
      return now;
    },
    watch() {
      if (materials.length === 0) return { cancel: () => {} };
      let timer = clock.after(lookEveryMs, look);
      function look(): void {
        for (const now of materials) now();
        timer = clock.after(lookEveryMs, look);
      }
      return { cancel: () => timer.cancel() };
    },
  };
}

/** A file without the line break at its end, which secrets have lost already. */
interface PartFile {
  readonly path: string | null;
  readonly text: string;
}

function partOf({ path, text }: TextFile): PartFile {
  return { path, text: withoutLineBreak(text) };
}
