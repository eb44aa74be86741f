/**
 * Settings of the status server: where its page is to be had, and for whom.
 *
 * @module
 */
import { type Kind, kind, refuse } from "./kind.ts";
import { path, wholeNumber } from "./kinds.ts";
import { type CommandName, optional } from "./option.ts";

const commands: readonly CommandName[] = ["run", "check", "demo"];

/** Where to listen. */
export interface ListenAddress {
  /** An address of this machine, without brackets; `localhost` is 127.0.0.1. */
  readonly hostname: string;
  readonly port: number;
}

/** Where it listens unless told otherwise. 9464 is what Prometheus's exporters of applications use. */
export const standardListen: ListenAddress = { hostname: "127.0.0.1", port: 9464 };

/** `127.0.0.1:9464`, `[::1]:9464`, `none`. Addresses only: a name may stand for something else tomorrow. */
const listenAddress: Kind<ListenAddress | "none"> = kind<ListenAddress | "none">({
  placeholder: "ADDRESS:PORT|none",
  allowed: "an IP address and a port like 127.0.0.1:9464, [::1]:9464 or 0.0.0.0:9464, or none",
  parse(value) {
    if (value === "none") return "none";
    const [, ip4, ip6, portText = ""] = /^(?:([0-9.]+|localhost)|\[([0-9a-f:.]+)\]):(\d{1,5})$/i.exec(value) ?? [];
    const port = wholeNumber(portText);
    if (port === null || port < 1 || port > 65_535) return refuse();
    if (ip6 !== undefined) return ip6.includes(":") ? { hostname: ip6, port } : refuse();
    if (ip4 === "localhost") return { hostname: "127.0.0.1", port };
    const parts = (ip4 ?? "").split(".");
    const isAddress = parts.length === 4 && parts.every((part) => (wholeNumber(part) ?? 256) < 256);
    return isAddress && ip4 !== undefined ? { hostname: ip4, port } : refuse();
  },
});

/** Whether only this machine gets there. */
export function isLoopback({ hostname }: ListenAddress): boolean {
  return hostname === "::1" || hostname.startsWith("127.");
}

/** Settings of the status server. */
export const status = {
  listen: optional("status-listen", listenAddress, {
    group: "Status",
    commands,
    help: "where the status page and the metrics are to be had",
    defaultText: "127.0.0.1:9464; none with --once and --dry-run",
    example: "'[::1]:9464'",
    more:
      "`/` the page, `/status.json`, `/events`, `/metrics` (docs/metrics.md), `/healthz`, `/readyz`. An address that others can reach needs a token. When the address is taken, the gateway goes on without it and tries again.",
  }),
  tokenFile: optional("status-token-file", path, {
    group: "Status",
    commands,
    help: "file with the token that the status page asks for; at least 16 characters",
    placeholder: "FILE",
    defaultText: "WEIR_STATUS_TOKEN, else the systemd credential status-token",
    more:
      "A browser asks for it as a password (any user); programs send `Authorization: Bearer`. Without a token the contents of dead letters are not shown. There is no TLS: over a network put a proxy or an SSH tunnel before it.",
  }),
};
