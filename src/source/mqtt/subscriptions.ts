/**
 * What the session at the broker is subscribed to: what is wanted is subscribed where the session is new or this run has not done it, and
 * what an earlier run wanted and this one does not is unsubscribed. The session at the broker outlives the program, and nobody can ask it
 * what it holds: so what it may hold is remembered on our side, before it is asked for.
 *
 * @module
 */
import { messageOf, WeirError } from "../../core/error.ts";
import type { Connection } from "./connection.ts";
import type { Notices } from "./notices.ts";

/** Remembers over restarts which filters the broker's session for our client id may hold. */
export interface FilterMemory {
  /** Empty when nothing is known. Never rejects. */
  read(): Promise<readonly string[]>;
  /** @throws {WeirError} `storage`, `permission` (as a rejection) */
  write(filters: readonly string[]): Promise<void>;
}

/** What {@linkcode createSubscriptions} needs. */
export interface SubscriptionsParts {
  /** What is wanted, each once. */
  readonly filters: readonly string[];
  readonly qos: 0 | 1;
  /** v5: Retain Handling (MQTT 5.0, 3.8.3.1). */
  readonly retainHandling: 0 | 1 | 2;
  readonly memory: FilterMemory;
  readonly notices: Notices;
  /** A SUBACK came. */
  readonly answered: () => void;
}

/** The subscriptions of a session. */
export interface Subscriptions {
  /** Reads what earlier runs wanted, and remembers what this one will ask for. To be awaited before the first connection. */
  load(): Promise<void>;
  /** The session is new: it holds nothing. */
  forget(): void;
  /** Asks on this connection for what is missing, and ends what is not wanted. */
  ask(connection: Connection): void;
  /** The connection is gone, and with it the answers. */
  disconnected(): void;
  /** Resolves when all is written down that was to be. */
  saved(): Promise<void>;
  /** Nothing is asked that was not answered. */
  readonly settled: boolean;
}

/** Makes {@linkcode Subscriptions}. */
export function createSubscriptions(parts: SubscriptionsParts): Subscriptions {
  const { filters, notices, memory } = parts;
  /** Granted in this run. */
  const granted = new Set<string>();
  /** Not wanted, and perhaps in the session. */
  const former = new Set<string>();
  let unanswered = filters.length;
  let writing = Promise.resolve();

  /** One at a time, in order. */
  function remember(): Promise<void> {
    const now = [...filters, ...former];
    writing = writing.then(() => memory.write(now)).catch((thrown) => {
      if (!(thrown instanceof WeirError)) throw thrown;
      notices.filtersNotRemembered(messageOf(thrown));
    });
    return writing;
  }

  return {
    get settled() {
      return unanswered === 0;
    },
    async load() {
      const known = await memory.read();
      for (const filter of known) if (!filters.includes(filter)) former.add(filter);
      if (filters.some((filter) => !known.includes(filter))) await remember();
    },
    forget() {
      granted.clear();
      if (former.size === 0) return;
      former.clear();
      void remember();
    },
    ask(connection) {
      for (const filter of [...former]) {
        connection.unsubscribe(filter, () => {
          notices.unsubscribed(filter);
          former.delete(filter);
          void remember();
        });
      }
      const missing = filters.filter((filter) => !granted.has(filter));
      unanswered = missing.length;
      for (const filter of missing) {
        connection.subscribe(filter, parts.qos, parts.retainHandling, (code) => {
          unanswered -= 1;
          if (code < 0x80) granted.add(filter);
          notices.subscriptionAnswered(filter, code, parts.qos);
          if (unanswered === 0) notices.receiving(granted.size, filters.length);
          parts.answered();
        });
      }
    },
    saved: () => writing,
    disconnected() {
      unanswered = filters.length;
    },
  };
}
