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
import type { TextFile } from "./settings.ts";
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
    return file === null ? null : secret(withoutLineBreak(file.text));
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
    certificates(option) {
      const given = givenFor(option);
      const file = given === null ? null : read(given);
      if (given === null || file === null || file.text.includes("-----BEGIN CERTIFICATE-----")) return file;
      tell(given, "Holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)");
      return null;
    },
    secret(option, name) {
      const given = givenFor(option);
      const variable = variableOf({ name });
      const fromVariable = surroundings.environment[variable] ?? "";
      if (given?.place.from === "environment" && fromVariable !== "") {
        tell(given, `${variable} is set, too: only one of them can hold the secret`);
      }
      if (given !== null && (given.place.from !== "config" || fromVariable === "")) return secretFrom(given);
      if (fromVariable !== "") return secret(fromVariable);
      return credential(surroundings, name, (message) => problems.push({ where: flagOf(option), seen: null, message }));
    },
    problems: () => problems,
  };
}

/** A systemd credential (systemd.exec(5), LoadCredential=). Not having one is normal. */
function credential(surroundings: Surroundings, name: SecretName, tell: (message: string) => void): Secret | null {
  const folder = surroundings.environment["CREDENTIALS_DIRECTORY"] ?? "";
  if (folder === "") return null;
  try {
    return secret(withoutLineBreak(surroundings.readTextFile(join(folder, name))));
  } catch (thrown) {
    if (!(thrown instanceof Deno.errors.NotFound)) {
      tell(`The systemd credential "${name}" cannot be read: ${reasonOf(thrown)}`);
    }
    return null;
  }
}

/** Editors end a file with a line break; it is not part of a password. */
function withoutLineBreak(text: string): string {
  return text.replace(/\r?\n$/, "");
}
