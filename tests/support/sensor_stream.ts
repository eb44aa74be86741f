/**
 * Sensors that speak all the time: messages at QoS 1, numbered from 0, round robin over seven topics, until they are stopped.
 *
 * @module
 */
import { type Clock, sleep } from "../../src/core/clock.ts";
import { connectPublisher, type Publisher } from "../../src/demo/publisher.ts";
import type { Mosquitto } from "./mosquitto.ts";

/** The sensors. */
export interface SensorStream {
  /** Messages that the broker has taken over; after `pause` or `stop` that is all that were sent. */
  readonly sent: number;
  /** When each message was given to the broker, by its number; wall-clock ms. */
  readonly publishedMs: readonly number[];
  /** Sends nothing more and waits until the broker has taken over what was sent; then says goodbye. */
  pause(): Promise<void>;
  /** Connects and goes on. */
  resume(): Promise<void>;
  /** As `pause`, for good. */
  stop(): Promise<void>;
}

/** Message n goes to topic n modulo this. */
export const topics = 7;

/** Starts the sensors: about `perSecond` messages a second. */
export async function startSensors(mosquitto: Mosquitto, perSecond: number, clock: Clock): Promise<SensorStream> {
  const everyMs = 20;
  const atOnce = Math.max(1, Math.round(perSecond * everyMs / 1000));
  let sent = 0;
  const publishedMs: number[] = [];
  let publisher: Publisher | null = null;
  let stopping = new AbortController();
  let running = Promise.resolve();

  async function speak(to: Publisher, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      for (let i = 0; i < atOnce; i++) {
        if (!to.publish(`plant/north/sensor-${sent % topics}/count`, `{"value":${sent}}`)) break;
        publishedMs.push(clock.wallMs());
        sent += 1;
      }
      await sleep(clock, everyMs, signal);
    }
    await to.idle();
    await to.close();
    // What was in flight when a connection was lost may or may not be there: such a test would prove nothing.
    if (to.inFlight > 0) throw new Error(`The broker did not take over ${to.inFlight} messages of the test's sensors`);
  }

  const stream: SensorStream = {
    publishedMs,
    get sent() {
      return sent;
    },
    async pause() {
      stopping.abort();
      publisher = null;
      await running;
    },
    async resume() {
      if (publisher !== null) return;
      const clientId = `sensors-${mosquitto.port}`;
      publisher = await connectPublisher({ host: mosquitto.host, port: mosquitto.port, clientId });
      stopping = new AbortController();
      running = speak(publisher, stopping.signal);
    },
    stop: () => stream.pause(),
  };
  await stream.resume();
  return stream;
}
