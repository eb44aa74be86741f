/**
 * What the MQTT source tells of: each thing that happens to its session, its inbox and its subscriptions, in words for people and with
 * advice where somebody can do something. Things that come in swarms are gathered.
 *
 * @module
 */
import type { Clock, Timer } from "../../core/clock.ts";
import type { Emit } from "../../core/event.ts";
import { formatBytes, formatCount, printable, quoted } from "../../core/text.ts";

/** An inbox that fills again within this time is still the same burst or backlog. */
const sameFillingMs = 60_000;

/** Drops are told at most so often. */
const tellDropsMs = 5_000;

/** Tells. */
export interface Notices {
  /** The inbox is full, and nothing is read until half of it is safe. */
  readingStopped(messages: number, bytes: number): void;
  /** That took too long. */
  inboxFilled(messages: number, bytes: number): void;
  /** A message of QoS 0 found no room: counted, and told with others. */
  messageDropped(): void;
  /** The session is gone, and so many messages in hand get no PUBACK. */
  sessionLost(messages: number): void;
  /** The session is there, and so many messages in hand were not sent again. */
  messagesUnclaimed(messages: number): void;
  /** A SUBACK with its code. */
  subscriptionAnswered(filter: string, code: number, qosWanted: 0 | 1): void;
  /** All subscriptions that were asked for are answered: so many of all stand, and messages come from now on. */
  receiving(accepted: number, all: number): void;
  /** A subscription of an earlier run is ended. */
  unsubscribed(filter: string): void;
  /** What the session is subscribed to could not be written down. */
  filtersNotRemembered(trouble: string): void;
  statusRefused(topic: string, trouble: string): void;
  /** Tells what was not told yet. */
  close(): void;
}

/** Makes the {@linkcode Notices} of a source. `address` names the broker in them. */
export function createNotices(address: string, clock: Clock, emit: Emit): Notices {
  let lastFilledMs = -Infinity;
  let drops = 0;
  let dropTimer: Timer | null = null;

  function tellDrops(): void {
    dropTimer?.cancel();
    dropTimer = null;
    if (drops === 0) return;
    const what = `The MQTT inbox was full: ${formatCount(drops)} messages of QoS 0 were dropped`;
    emit("warn", "mqtt.messages_dropped", `${what}. Publish and subscribe with QoS 1 to keep them`, {
      messages: drops,
    });
    drops = 0;
  }

  return {
    readingStopped(messages, bytes) {
      // Some brokers do not keep to the receive maximum: Mosquitto 2.0.11 sends a whole window for each PUBACK while its queue is long.
      emit(
        "debug",
        "mqtt.reading_stopped",
        `The MQTT inbox is full (${formatCount(messages)} messages, ${formatBytes(bytes)} not yet safe): ` +
          "nothing is read until half of it is safe",
        { messages, bytes },
      );
    },
    inboxFilled(messages, bytes) {
      // A long outage or backlog comes in many such rounds, which are one thing to tell.
      const again = clock.nowMs() - lastFilledMs < sameFillingMs;
      lastFilledMs = clock.nowMs();
      emit(
        again ? "debug" : "info",
        "mqtt.inbox_filled",
        `The MQTT inbox stays full (${formatCount(messages)} messages, ${formatBytes(bytes)} not yet safe): ` +
          "disconnected until half of it is; the broker's session holds the rest",
        { messages, bytes },
      );
    },
    messageDropped() {
      drops += 1;
      dropTimer ??= clock.after(tellDropsMs, tellDrops);
    },
    sessionLost(messages) {
      emit(
        "warn",
        "mqtt.session_lost",
        `The broker ${address} has lost our session: what was published while we were away is lost with it, and ` +
          `${formatCount(messages)} messages in hand are finished without an acknowledgement. ` +
          "Let the broker keep sessions on disk (Mosquitto: persistence true) and expire them later than the longest absence",
        { unacknowledged_messages: messages },
      );
    },
    messagesUnclaimed(messages) {
      emit(
        "warn",
        "mqtt.messages_unclaimed",
        `The broker ${address} resumed the session but did not send ${
          formatCount(messages)
        } unacknowledged messages again: ` +
          "they are finished without an acknowledgement, and nothing is lost",
        { messages },
      );
    },
    subscriptionAnswered(filter, code, qosWanted) {
      const data = { filter, code };
      if (code >= 0x80) {
        const what = `The broker ${address} refuses the subscription to ${quoted(filter)} (code 0x${
          code.toString(16)
        })`;
        const advice = "Allow it there, or correct --mqtt-topic. Tried again at the next connect";
        emit("error", "mqtt.subscription_refused", `${what}. ${advice}`, data);
      } else if (code < qosWanted) {
        const what = `The broker ${address} grants only QoS 0 for ${quoted(filter)}`;
        emit("warn", "mqtt.qos_lowered", `${what}: its messages can be lost`, data);
      } else {
        emit("debug", "mqtt.subscribed", `Subscribed to ${quoted(filter)} with QoS ${code}`, data);
      }
    },
    receiving(accepted, all) {
      emit("info", "mqtt.receiving", `Receiving from ${address}: ${accepted} of ${all} subscriptions stand`, {
        accepted,
        all,
      });
    },
    unsubscribed(filter) {
      const what = `Unsubscribed from ${
        quoted(filter)
      }, which an earlier run subscribed to and --mqtt-topic has no more`;
      emit("info", "mqtt.unsubscribed", what, { filter: printable(filter) });
    },
    filtersNotRemembered(trouble) {
      const what = `What the session at ${address} is subscribed to cannot be written down: ${printable(trouble)}`;
      emit(
        "warn",
        "mqtt.filters_not_remembered",
        `${what}. A --mqtt-topic taken out later may have to be unsubscribed by hand`,
      );
    },
    statusRefused(topic, trouble) {
      const what = `The broker ${address} does not take "online" on the status topic ${quoted(topic)}: ${
        printable(trouble)
      }`;
      emit("warn", "mqtt.status_refused", `${what}. Allow it there, or set another --mqtt-status-topic`, {
        topic: printable(topic),
      });
    },
    close: tellDrops,
  };
}
