/**
 * The order of PUBACKs on one connection: they leave in the order in which their PUBLISHes came (MQTT 5.0, [MQTT-4.6.0-2]), each as soon
 * as it and all before it are settled. A held PUBACK means something on its own connection only, so each connection has its own of these,
 * and it is thrown away with it.
 *
 * @module
 */
import { finishedPrefix } from "../../core/finished_prefix.ts";

/** What takes part: a message of QoS 1 that was received on this connection. */
export interface Acknowledgeable {
  /** MQTT packet identifier, 1 to 65,535. */
  readonly packetId: number;
}

/** The PUBACKs that a connection owes. */
export interface Acknowledgements<M extends Acknowledgeable> {
  /** A PUBLISH came: returns its place in the order. */
  expect(message: M): number;
  /** The message at this place is settled: sends its PUBACK and those it held up, if all before it are settled. */
  finish(place: number): void;
}

/** Makes the {@linkcode Acknowledgements} of a connection. `send` is called in order, exactly once for each finished message. */
export function createAcknowledgements<M extends Acknowledgeable>(send: (message: M) => void): Acknowledgements<M> {
  const prefix = finishedPrefix();
  let queue: M[] = [];
  let head = 0;
  return {
    expect(message) {
      queue.push(message);
      return prefix.start();
    },
    finish(place) {
      for (let due = prefix.finish(place); due > 0; due--) {
        const message = queue[head];
        if (message === undefined) throw new Error("A PUBACK is due for a message that was never expected");
        head += 1;
        send(message);
      }
      if (head * 2 > queue.length) {
        queue = queue.slice(head);
        head = 0;
      }
    },
  };
}
