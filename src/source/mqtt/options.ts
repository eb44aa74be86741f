/**
 * Options of the MQTT source, and what they come to: checked, with the address taken apart and the templates parsed.
 *
 * @module
 */
import { WeirError } from "../../core/error.ts";
import type { Renewable } from "../../core/renewable.ts";
import { quoted } from "../../core/text.ts";
import type { TlsMaterial } from "../../core/tls.ts";
import type { ConnectionOptions } from "./connection.ts";
import { parseTopicTemplate, type TopicTemplate } from "./topic_template.ts";

/** A subscription. */
export interface MqttSubscription {
  /** See {@linkcode parseTopicTemplate}. */
  readonly template: string;
  /** Share among the subscriptions, > 0. */
  readonly weight: number;
}

/** Options of the MQTT source. */
export interface MqttSourceOptions {
  /** `mqtt://host[:1883]` or `mqtts://host[:8883]`, without credentials. */
  readonly url: string;
  /** At least one. A message goes to the first whose template fits. */
  readonly subscriptions: readonly MqttSubscription[];
  readonly qos: 0 | 1;
  /** `auto`: 5, and 3.1.1 where 5 is refused. */
  readonly version: "auto" | "5" | "3.1.1";
  /** Fixed for the life of the gateway: the broker's session hangs on it. Null: `weir-<gateway>`. */
  readonly clientId: string | null;
  readonly username: string | null;
  /** The password itself. Never said. */
  readonly password: Renewable<string> | null;
  /** What is trusted and shown where the URL is `mqtts://`; null: the system's certificates, and nothing. */
  readonly tls: Renewable<TlsMaterial> | null;
  /** Most messages of QoS 1 that are not settled, 1 to 65,535. */
  readonly receiveMax: number;
  /** Most bytes that messages not settled may hold. */
  readonly inboxBytesMax: number;
  /**
   * Retained messages: `all` at each subscribe, `once` only where the subscription is new, `none`. With 3.1.1, which cannot tell a new
   * subscription, `once` is as `all`.
   */
  readonly retained: "all" | "once" | "none";
  /** Where to publish, retained, `online`, and `offline` as last will; null for nowhere. */
  readonly statusTopic: string | null;
  /** Largest pause between two packets, 5 to 65,535. After one and a half of it without an answer the connection counts as dead. */
  readonly keepaliveSeconds: number;
  /** v5: how long the broker is asked to keep the session while we are away. */
  readonly sessionExpirySeconds: number;
  /** Begin without a session and leave none behind (a dry run): what comes while there is no connection is not kept. Default: false. */
  readonly cleanSession?: boolean;
}

/** What the options come to. */
export interface ParsedOptions {
  readonly templates: readonly TopicTemplate[];
  /** What to subscribe to, each once. */
  readonly filters: readonly string[];
  readonly connection: Omit<ConnectionOptions, "version">;
  /** The URL as it may be shown. */
  readonly address: string;
}

/** How long TCP, TLS and CONNACK may take together. */
const connectTimeoutMs = 10_000;

/** Longest client id in bytes (MQTT 5.0, 1.5.4). */
const clientIdBytesMax = 65_535;

/**
 * Checks and takes apart.
 *
 * @throws {WeirError} `configuration`
 */
export function parseMqttOptions(options: MqttSourceOptions, gateway: string): ParsedOptions {
  const { tls, host, port } = parseUrl(options.url);
  if (options.tls !== null && !tls) {
    refuse("Certificates are of no use without TLS", "Write --mqtt-url mqtts://..., or leave --mqtt-ca-file out");
  }
  if (options.subscriptions.length === 0) {
    refuse("There is no --mqtt-topic", "Give at least one, such as plant/{site}/{device_id}/{metric}");
  }
  whole("--mqtt-receive-max", options.receiveMax, 1, 65_535);
  whole("The MQTT keepalive", options.keepaliveSeconds, 5, 65_535);
  const templates = options.subscriptions.map((subscription) => {
    if (!(subscription.weight > 0 && Number.isFinite(subscription.weight))) {
      refuse(`The weight of ${quoted(subscription.template)} is ${subscription.weight}`, "Give a number above 0");
    }
    return parseTopicTemplate(subscription.template);
  });
  const clientId = options.clientId ?? `weir-${gateway}`;
  if (clientId === "" || /\p{Cc}/u.test(clientId) || new TextEncoder().encode(clientId).length > clientIdBytesMax) {
    refuse(
      `The client id ${quoted(clientId)} is not possible`,
      "Give a short --mqtt-client-id of letters, digits, - and _",
    );
  }
  if (options.statusTopic !== null) checkStatusTopic(options.statusTopic);
  return {
    templates,
    filters: [...new Set(templates.map((template) => template.filter))],
    address: `${tls ? "mqtts" : "mqtt"}://${host.includes(":") ? `[${host}]` : host}:${port}`,
    connection: {
      host,
      port,
      tls: tls ? options.tls ?? { ca: null } : null,
      clientId,
      username: options.username,
      password: options.password,
      clean: options.cleanSession ?? false,
      sessionExpirySeconds: options.sessionExpirySeconds,
      receiveMax: options.receiveMax,
      keepaliveSeconds: options.keepaliveSeconds,
      connectTimeoutMs,
      will: options.statusTopic === null ? null : { topic: options.statusTopic, text: "offline" },
    },
  };
}

function parseUrl(text: string): { tls: boolean; host: string; port: number } {
  const advice = "Write mqtt://host:1883, or mqtts://host:8883 for TLS";
  // The text is not repeated where it may hold a password.
  if (!URL.canParse(text)) return refuse("--mqtt-url is not a URL", advice);
  const url = new URL(text);
  const tls = url.protocol === "mqtts:";
  if (!tls && url.protocol !== "mqtt:") return refuse(`--mqtt-url has the protocol ${quoted(url.protocol)}`, advice);
  if (url.username !== "" || url.password !== "") {
    return refuse("--mqtt-url has a user name or password in it", "Use --mqtt-username and --mqtt-password-file");
  }
  if (url.hostname === "") return refuse("--mqtt-url has no host", advice);
  if (!/^\/?$/.test(url.pathname) || url.search !== "" || url.hash !== "") {
    return refuse(`--mqtt-url has more than a host and a port: ${quoted(text)}`, advice);
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  return { tls, host, port: url.port === "" ? (tls ? 8883 : 1883) : Number(url.port) };
}

function checkStatusTopic(topic: string): void {
  if (topic === "" || /[+#\p{Cc}]/u.test(topic)) {
    refuse(
      `The status topic ${quoted(topic)} is not a topic name`,
      "Give one without wildcards, such as weir/gw1/status",
    );
  }
}

function whole(name: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    refuse(`${name} is ${value}`, `Give a whole number from ${least} to ${most}`);
  }
}

function refuse(message: string, advice: string): never {
  throw new WeirError("configuration", message, { advice });
}
