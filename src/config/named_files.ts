/**
 * Files that settings name: certificates, schemas, passwords. They are read while the settings are checked, so that an unreadable one is
 * told with all other mistakes, and before anything is started.
 *
 * @module
 */
import { join, resolve } from "node:path";
import type { Gathered } from "./gather.ts";
import { flagOf, type Option, variableOf } from "./option.ts";
import type { SecretName } from "./options.ts";
import type { Given, Problem } from "./problem.ts";
import { type Secret, secret } from "./secret.ts";
import { readCertificates, readIdentity, readKey } from "../core/certificate.ts";
import type { IdentityFiles, TextFile } from "./settings.ts";
import { reasonOf, type Surroundings } from "./surroundings.ts";

/** Reads the files that settings name and remembers what went wrong. */
export interface NamedFiles {
  /** Absolute path, relative ones from the folder of whoever wrote them; null when not set. */
  path(option: Option<string | null>): string | null;
  /** Text of the file; null when not set or unreadable (then there is a problem). */
  text(option: Option<string | null>): TextFile | null;
  /** Certificates in PEM; null as for `text`. */
  certificates(option: Option<string | null>): TextFile | null;
  /**
   * A secret: the file that a flag or a variable names, else the variable with the secret itself, else the file that the config file
   * names, else the systemd credential of this name. Null when there is none.
   */
  secret(option: Option<string | null>, name: SecretName): Secret | null;
  /** A certificate and the key that belongs to it, the key found as a secret is; null when neither is set, or when they are wrong. */
  identity(
    certificate: Option<string | null>,
    key: Option<string | null>,
    keyName: SecretName,
  ): IdentityFiles | null;
  problems(): readonly Problem[];
}

/** Makes {@linkcode NamedFiles}. */
export function openNamedFiles(gathered: Gathered, surroundings: Surroundings): NamedFiles {
  const problems: Problem[] = [];

  const tell = (given: Given, message: string) =>
    problems.push({ where: given.place.label, seen: given.text, message });

  const pathOf = (given: Given) => resolve(given.place.folder, given.text);

  function read(given: Given): TextFile | null {
    const path = pathOf(given);
    try {
      const text = surroundings.readTextFile(path);
      if (text.trim() !== "") return { path, text };
      tell(given, "The file is empty");
    } catch (thrown) {
      tell(given, `Cannot be read: ${reasonOf(thrown)}`);
    }
    return null;
  }

  /** The option's value where it is written and right. */
  const givenFor = (option: Option<string | null>): Given | null =>
    gathered.value(option) === null ? null : gathered.given(option)[0] ?? null;

  function secretFrom(given: Given): Secret | null {
    const file = read(given);
    return file === null ? null : secret(withoutLineBreak(file.text), file.path);
  }

  function certificatesOf(option: Option<string | null>): TextFile | null {
    const given = givenFor(option);
    const file = given === null ? null : read(given);
    if (given === null || file === null) return null;
    const found = readCertificates(file.text);
    if (found.ok) return file;
    tell(given, found.trouble);
    return null;
  }

  function secretOf(option: Option<string | null>, name: SecretName): Secret | null {
    const given = givenFor(option);
    const variable = variableOf({ name });
    const fromVariable = surroundings.environment[variable] ?? "";
    if (given?.place.from === "environment" && fromVariable !== "") {
      tell(given, `${variable} is set, too: only one of them can hold the secret`);
    }
    if (given !== null && (given.place.from !== "config" || fromVariable === "")) return secretFrom(given);
    if (fromVariable !== "") return secret(fromVariable);
    return credential(surroundings, name, (message) => problems.push({ where: flagOf(option), seen: null, message }));
  }

  function identityOf(
    certificateOption: Option<string | null>,
    keyOption: Option<string | null>,
    keyName: SecretName,
  ): IdentityFiles | null {
    const certificate = certificatesOf(certificateOption);
    const key = secretOf(keyOption, keyName);
    const about = (option: Option<string | null>, message: string) => {
      const given = givenFor(option);
      problems.push({ where: given?.place.label ?? flagOf(option), seen: given?.text ?? null, message });
    };
    const wanted = givenFor(certificateOption) !== null;
    if (key === null) {
      if (wanted && givenFor(keyOption) === null) {
        about(keyOption, `Missing: or set ${variableOf({ name: keyName })}, or the systemd credential ${keyName}`);
      }
      return null;
    }
    if (!wanted) about(certificateOption, "Missing: there is a key, and no certificate that it belongs to");
    const readable = readKey(key.reveal());
    if (!readable.ok) about(keyOption, readable.trouble);
    if (certificate === null || !readable.ok) return null;
    const pair = readIdentity({ certificate: certificate.text, key: key.reveal() });
    if (!pair.ok) about(keyOption, pair.trouble);
    return { certificate, key };
  }

  return {
    path(option) {
      const given = givenFor(option);
      return given === null ? null : pathOf(given);
    },
    text(option) {
      const given = givenFor(option);
      return given === null ? null : read(given);
    },
    certificates: certificatesOf,
    secret: secretOf,
    identity: identityOf,
    problems: () => problems,
  };
}

/** A systemd credential (systemd.exec(5), LoadCredential=). Not having one is normal. */
function credential(surroundings: Surroundings, name: SecretName, tell: (message: string) => void): Secret | null {
  const folder = surroundings.environment["CREDENTIALS_DIRECTORY"] ?? "";
  if (folder === "") return null;
  try {
    const path = join(folder, name);
    return secret(withoutLineBreak(surroundings.readTextFile(path)), path);
  } catch (thrown) {
    if (!(thrown instanceof Deno.errors.NotFound)) {
      tell(`The systemd credential "${name}" cannot be read: ${reasonOf(thrown)}`);
    }
    return null;
  }
}

/** Editors end a file with a line break; it is not part of a password. */
export function withoutLineBreak(text: string): string {
  return text.replace(/\r?\n$/, "");
}
