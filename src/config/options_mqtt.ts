/**
 * Settings of the MQTT side.
 *
 * @module
 */
import { type Kind, kind, refuse } from "./kind.ts";
import { count, duration, oneMeaning, oneOf, path, text } from "./kinds.ts";
import { anyText } from "./options_general.ts";
import { type About, defaulted, optional, repeatable } from "./option.ts";
import { splitTail, tailWeight } from "./tail.ts";

const here: Pick<About, "group" | "commands"> = { group: "MQTT", commands: ["run", "check"] };

const url: Kind<string> = kind({
  placeholder: "URL",
  allowed: "a URL like mqtt://host:1883 or mqtts://host:8883",
  parse(value) {
    const parsed = URL.parse(value);
    if (parsed === null || !/^mqtts?:$/.test(parsed.protocol) || parsed.hostname === "") return refuse();
    if (parsed.username !== "" || parsed.password !== "") {
      return refuse("Must not hold a user or a password: use --mqtt-username and --mqtt-password-file");
    }
    if (!/^\/?$/.test(parsed.pathname) || parsed.search !== "" || parsed.hash !== "") {
      return refuse("Must have nothing behind its host and port");
    }
    return value;
  },
});

const subscription: Kind<{ readonly template: string; readonly weight: number }> = kind({
  placeholder: "TEMPLATE[,weight=N]",
  allowed: "a topic template like plant/{site}/{device_id}/{metric}, with ,weight=N behind it if wanted",
  parse(value) {
    const { head, tail, mistake } = splitTail(value, ["weight"]);
    if (mistake !== null) return refuse(mistake);
    if (head === "") return refuse();
    const weight = tailWeight(tail.get("weight"));
    return weight === null ? refuse("The weight must be a number from 0.001 to 1000") : { template: head, weight };
  },
});

/** Settings of the MQTT side. */
export const mqtt = {
  url: optional("mqtt-url", url, {
    ...here,
    help: "broker to read streams from; without it there are no streams",
    example: "mqtt://127.0.0.1:1883",
    more: "`mqtt` is plain (port 1883), `mqtts` is TLS (port 8883). User and password have settings of their own.",
  }),
  topics: repeatable("mqtt-topic", subscription, "line", {
    ...here,
    help: "topics to subscribe to; {name} makes a level a field, + and # as in MQTT",
    example: "'plant/{site}/{device_id}/{metric}'",
    more:
      "`{rest#}` takes all that is left. A message goes to the first template that fits. The weight (1 when not given) is the share among subscriptions " +
      "when readings wait: `,weight=3` gets three times as much as `,weight=1`.",
  }),
  qos: defaulted("mqtt-qos", oneMeaning<0 | 1>(["0", 0], ["1", 1]), "1", {
    ...here,
    help: "quality of service of the subscriptions; 1: nothing is lost",
  }),
  version: defaulted("mqtt-version", oneMeaning<"auto" | 4 | 5>(["auto", "auto"], ["5", 5], ["3.1.1", 4]), "auto", {
    ...here,
    help: "version of the protocol; auto: 5 first, then 3.1.1",
  }),
  clientId: optional("mqtt-client-id", text("ID", "1 to 256 printable characters", /^[^\p{C}]{1,256}$/u), {
    ...here,
    help: "fixed client id: the broker keeps the session under it",
    defaultText: "weir- and the gateway's name",
  }),
  username: optional("mqtt-username", anyText("a user name", "NAME"), { ...here, help: "user at the broker" }),
  passwordFile: optional("mqtt-password-file", path, {
    ...here,
    help: "file with the password; a line break at its end is not part of it",
    placeholder: "FILE",
    defaultText: "WEIR_MQTT_PASSWORD, else the systemd credential mqtt-password",
  }),
  caFile: optional("mqtt-ca-file", path, {
    ...here,
    help: "certificates (PEM) to trust at the broker; needs a mqtts:// URL",
    placeholder: "FILE",
  }),
  certFile: optional("mqtt-cert-file", path, {
    ...here,
    help: "certificate (PEM) to show to the broker, with those of its CAs behind it; needs a mqtts:// URL",
    placeholder: "FILE",
    more:
      "Read again at each new connection, so a renewed one needs no restart; the same holds for the key, the CA and the password.",
  }),
  keyFile: optional("mqtt-key-file", path, {
    ...here,
    help: "private key (PEM, not encrypted) of the certificate",
    placeholder: "FILE",
    defaultText: "WEIR_MQTT_KEY, else the systemd credential mqtt-key",
  }),
  receiveMax: defaulted("mqtt-receive-max", count(1, 65_535), "2000", {
    ...here,
    help: "messages taken in and not yet acknowledged, at most",
    unit: "messages",
    more:
      "MQTT 5 tells it to the broker (Receive Maximum). A broker that sends more is disconnected, and its session holds the rest.",
  }),
  retained: defaulted(
    "mqtt-retained",
    oneOf("all", "once", "none"),
    "all",
    {
      ...here,
      help: "retained messages: at every subscribe, only at the first, never",
      more: "`once` and `none` need MQTT 5 (Retain Handling 1 and 2).",
    },
  ),
  statusTopic: optional("mqtt-status-topic", text("TOPIC", "a topic without + and #", /^[^+#\0]{1,200}$/), {
    ...here,
    help: "topic for a retained birth message and last will",
    defaultText: "off",
    example: "gateways/press-line-3/status",
  }),
  keepalive: defaulted("mqtt-keepalive", duration(5000, 65_535_000), "30s", {
    ...here,
    help: "longest silence before a ping",
    unit: "seconds",
  }),
};
