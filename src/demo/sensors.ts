/**
 * The sensors at work: each machine has one MQTT connection, each sensor on it speaks at its own pace with a little jitter.
 *
 * @module
 */
import type { Clock, Timer } from "../core/clock.ts";
import type { Dice } from "../core/dice.ts";
import { badPayload, goodPayload } from "./payload.ts";
import { createPlant, type Sensor } from "./plant.ts";
import { connectPublisher, type Publisher } from "./publisher.ts";

/** What the sensors need. */
export interface SensorsOptions {
  readonly host: string;
  readonly port: number;
  readonly clock: Clock;
  readonly dice: Dice;
  /** Mean number of messages from one bad payload to the next. Default: 400. */
  readonly badEvery?: number;
}

/** What the sensors have sent. */
export interface SensorsSent {
  readonly messages: number;
  /** Readings in these messages, good and bad. */
  readonly readings: number;
  readonly badPayloads: number;
  /** Messages that could not be sent, because the broker did not keep up. */
  readonly missed: number;
}

/** The running sensors. */
export interface Sensors {
  /** How many there are. */
  readonly count: number;
  sent(): SensorsSent;
  /** Falls silent; resolves when the broker has acknowledged everything and the connections are closed. */
  stop(): Promise<void>;
}

/** The topic template under which sensors publish. */
export const sensorTopicTemplate = "plant/{site}/{device_id}/{metric}";

/**
 * Connects one publisher a machine and starts to send.
 *
 * @throws {WeirError} `unavailable` when the broker is not there.
 */
export async function startSensors(options: SensorsOptions): Promise<Sensors> {
  const { host, port, clock, dice, badEvery = 400 } = options;
  const sensors = createPlant(dice);
  const publishers = new Map<string, Publisher>();
  for (const { machine } of sensors) {
    if (publishers.has(machine)) continue;
    publishers.set(machine, await connectPublisher({ host, port, clientId: `demo-${machine}` }));
  }

  const timers = new Map<Sensor, Timer>();
  const sent = { messages: 0, readings: 0, badPayloads: 0, missed: 0 };
  let stopped = false;

  function speak(sensor: Sensor, publisher: Publisher): void {
    const payload = dice() * badEvery < 1 ? badPayload(sensor, dice) : goodPayload(sensor, clock.wallMs());
    const { site, machine, metric } = sensor;
    if (publisher.publish(`plant/${site}/${machine}/${metric.name}`, payload.bytes)) {
      sent.messages += 1;
      sent.readings += payload.readings;
      if (payload.bad) sent.badPayloads += 1;
    } else {
      sent.missed += 1;
    }
    timers.set(sensor, clock.after(metric.everyMs * (0.9 + 0.2 * dice()), () => speak(sensor, publisher)));
  }

  for (const sensor of sensors) {
    const publisher = publishers.get(sensor.machine);
    if (publisher === undefined) throw new Error(`Machine ${sensor.machine} has no publisher`);
    // Spread over one period: real sensors were not switched on in the same instant.
    timers.set(sensor, clock.after(dice() * sensor.metric.everyMs, () => speak(sensor, publisher)));
  }

  return {
    count: sensors.length,
    sent: () => ({ ...sent }),
    async stop() {
      if (stopped) return;
      stopped = true;
      for (const timer of timers.values()) timer.cancel();
      await Promise.all([...publishers.values()].map(async (publisher) => {
        await publisher.idle();
        await publisher.close();
      }));
    },
  };
}
