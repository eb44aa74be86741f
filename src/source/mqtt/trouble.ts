/**
 * What keeps the broker away, in words for people: reason codes and network errors become one message with advice.
 *
 * Source of the codes: MQTT 3.1.1, 3.2.2.3 (CONNACK return codes); MQTT 5.0, 2.4 (reason codes).
 *
 * @module
 */
import { printable, quoted } from "../../core/text.ts";
import type { Loss } from "./connection.ts";

/** A trouble. */
export interface Trouble {
  /** Troubles of the same key are the same trouble: said once. */
  readonly key: string;
  readonly message: string;
  readonly advice: string;
  /** The broker cannot speak the version that was asked for. */
  readonly versionRefused: boolean;
}

/** What the advice must name. */
export interface TroubleContext {
  /** `mqtt://host:port`, without credentials. */
  readonly address: string;
  readonly clientId: string;
  readonly version: 4 | 5;
}

/** Puts a loss into words. */
export function troubleOf(loss: Loss, context: TroubleContext): Trouble {
  const { address } = context;
  const trouble = (key: string, message: string, advice: string, versionRefused = false): Trouble => {
    return { key, message, advice, versionRefused };
  };
  if (loss.kind === "refused") return refusal(loss, context, trouble);
  if (loss.kind === "disconnected") {
    if (loss.code === 0x8e) {
      return trouble(
        "taken over",
        `Another client has connected to ${address} with the client id ${
          quoted(context.clientId)
        }, and the broker ended our connection`,
        "Two gateways must not share a client id: give each its own --gateway or --mqtt-client-id",
      );
    }
    return trouble(
      `disconnected ${loss.code}`,
      `The broker ${address} ended the connection: ${printable(loss.text)}`,
      "See the broker's log",
    );
  }
  if (loss.kind === "closed" || loss.kind === "left") {
    return trouble(
      "closed",
      `The broker ${address} closed the connection without a word`,
      "The broker's log tells why: it may have been stopped, or another client may have connected with the client id " +
        `${quoted(context.clientId)} (give each gateway its own --gateway or --mqtt-client-id)`,
    );
  }
  return failure(loss, context, trouble);
}

type Say = (key: string, message: string, advice: string, versionRefused?: boolean) => Trouble;

function refusal(loss: Loss, context: TroubleContext, trouble: Say): Trouble {
  const { address, clientId, version } = context;
  const said = `The broker ${address} refuses the connection: ${printable(loss.text)}`;
  switch (loss.code) {
    case 1:
    case 0x84: {
      const name = version === 5 ? "5" : "3.1.1";
      return trouble("version", `The broker ${address} does not speak MQTT ${name}`, "Set --mqtt-version auto", true);
    }
    case 2:
    case 0x85:
      return trouble(
        "client id",
        `${said} (${quoted(clientId)})`,
        "Set --mqtt-client-id to one that the broker accepts",
      );
    case 4:
    case 5:
    case 0x86:
    case 0x87:
    case 0x8a:
    case 0x8c:
      return trouble(
        "not authorized",
        said,
        `Check --mqtt-username and --mqtt-password-file, and that the broker lets the client id ${quoted(clientId)} in`,
      );
    default:
      return trouble(`refused ${loss.code}`, said, "See the broker's log");
  }
}

function failure(loss: Loss, context: TroubleContext, trouble: Say): Trouble {
  const { address } = context;
  const text = printable(loss.text);
  if (loss.tls !== undefined) {
    const { what, advice } = loss.tls;
    return trouble(`tls ${what}`, `No TLS connection to the broker ${address}: ${what}`, advice);
  }
  if (!loss.reached) {
    return trouble(
      "unreachable",
      `The broker ${address} cannot be reached: ${text}`,
      "Is it up, and are host and port of --mqtt-url right?",
    );
  }
  return trouble(`failed ${text}`, `The connection to the broker ${address} failed: ${text}`, "See the broker's log");
}
