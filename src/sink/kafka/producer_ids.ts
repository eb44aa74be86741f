/**
 * Producer ids: what Kafka knows our batches by, and drops duplicates with. Asked for until there is one.
 *
 * @module
 */
import { type BackoffOptions, createBackoff } from "../../core/backoff.ts";
import type { Dice } from "../../core/dice.ts";
import { pathAdviceOf, troubleOf, verdictOf } from "./classify.ts";
import type { Cluster } from "./cluster.ts";
import type { Identity } from "./partition.ts";
import { PathError } from "./path_error.ts";
import type { Timers } from "./timers.ts";
import type { Troubles } from "./troubles.ts";

/** What asking for producer ids works with. */
export interface ProducerIdsDeps {
  readonly cluster: Cluster;
  readonly timers: Timers;
  readonly dice: Dice;
  readonly troubles: Troubles;
}

/** Asks for a producer id on behalf of `place` until Kafka gives one; never resolves once the cluster or the timers are closed. */
export type AcquireProducerId = (place: string) => Promise<Identity>;

/** Makes an {@linkcode AcquireProducerId}. */
export function producerIdAsker(backoffOptions: BackoffOptions, deps: ProducerIdsDeps): AcquireProducerId {
  const { cluster, timers, dice, troubles } = deps;
  return async (place) => {
    const backoff = createBackoff(backoffOptions, dice);
    while (true) {
      try {
        const { code, producerId, producerEpoch } = await cluster.initProducerId();
        // A broker that has just started may answer with id -1, and would take batches with it without looking for duplicates.
        if (code === 0 && producerId >= 0n) {
          troubles.recover(place);
          return { producerId, producerEpoch };
        }
        const { what, advice, passing } = verdictOf(code === 0 ? 14 : code);
        if (!passing || backoff.failures > 0) {
          troubles.suffer(`producer id ${code}`, place, `Kafka gives no producer id: ${what}`, advice);
        }
      } catch (thrown) {
        if (!(thrown instanceof PathError)) throw thrown;
        if (thrown.failure === "closed") return await new Promise<never>(() => {});
        troubles.suffer(troubleOf(thrown.failure), place, thrown.message, pathAdviceOf(thrown));
      }
      await new Promise<void>((resolve) => timers.after(backoff.nextMs(), resolve));
    }
  };
}
