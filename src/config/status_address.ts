/**
 * Where a command finds the running gateway, and with which token: from the very settings that the gateway itself was given, so that
 * `weir status --config /etc/weir/weir.yaml` asks the gateway of that file.
 *
 * @module
 */
import type { Gathered } from "./gather.ts";
import { openNamedFiles } from "./named_files.ts";
import { type ListenAddress, standardListen } from "./options_status.ts";
import { options } from "./options.ts";
import type { Problem } from "./problem.ts";
import type { Secret } from "./secret.ts";
import type { Surroundings } from "./surroundings.ts";

/** How to ask the gateway for its status. */
export interface StatusAddress {
  /** `http://127.0.0.1:9464/status.json`. */
  readonly url: string;
  /** Null: none is known. */
  readonly token: Secret | null;
}

/** The address, or why there is none. `--status-url` comes first, then what `--status-listen` says, then its default. */
export function statusAddressOf(
  gathered: Gathered,
  surroundings: Surroundings,
): { readonly address: StatusAddress | null; readonly problems: readonly Problem[] } {
  const { status, terminal } = options;
  const files = openNamedFiles(gathered, surroundings);
  const token = files.secret(status.tokenFile, "status-token");
  const listen = gathered.value(status.listen) ?? standardListen;
  const url = gathered.value(terminal.statusUrl) ?? (listen === "none" ? null : urlOf(listen));
  const problems = [...files.problems()];
  if (url === null) {
    const given = gathered.given(status.listen)[0];
    problems.push({
      where: given?.place.label ?? "--status-listen",
      seen: given?.text ?? null,
      message: "The gateway of these settings tells nothing: let it listen, or name another one with --status-url",
    });
  }
  return { address: url === null ? null : { url, token }, problems };
}

/** An address that stands for all of the machine's is asked on the machine itself. */
function urlOf({ hostname, port }: ListenAddress): string {
  const here = hostname === "0.0.0.0" ? "127.0.0.1" : /^[0:]+$/.test(hostname) ? "::1" : hostname;
  return `http://${here.includes(":") ? `[${here}]` : here}:${port}/status.json`;
}
