/**
 * Server-sent events (HTML standard, 9.2): the history once, then the status every second to everybody who watches. The text is
 * made once a second for all. A watcher that does not keep up misses seconds: each event is the whole status.
 *
 * @module
 */
import type { HttpStream } from "./http_server.ts";

/** Who watches. */
export interface Watchers {
  /** A stream for one more; null when there are enough. */
  join(greeting: readonly ServerEvent[]): HttpStream | null;
  /** How many. */
  count(): number;
  /** Sends to all. */
  send(event: ServerEvent): void;
}

/** One event: its data as JSON on one line. */
export interface ServerEvent {
  readonly name: string;
  readonly json: string;
}

/** Watchers, at most. */
const watchersMax = 8;
/** How soon a browser comes back after it lost the connection. */
const retryMs = 3000;

/** Makes {@linkcode Watchers}. */
export function createWatchers(): Watchers {
  const all = new Set<(bytes: Uint8Array) => void>();

  return {
    join(greeting) {
      if (all.size >= watchersMax) return null;
      return async (client) => {
        // Two that came at once may both have found the last place.
        if (all.size >= watchersMax) return;
        let busy = true;
        const left = Promise.withResolvers<void>();
        client.gone.addEventListener("abort", () => left.resolve(), { once: true });
        const send = (bytes: Uint8Array): void => {
          if (busy) return;
          busy = true;
          client.send(bytes).then(() => busy = false, () => left.resolve());
        };
        all.add(send);
        try {
          await client.send(encode(`retry: ${retryMs}\n\n${greeting.map(textOf).join("")}`));
          busy = false;
          if (!client.gone.aborted) await left.promise;
        } finally {
          all.delete(send);
        }
      };
    },
    count: () => all.size,
    send(event) {
      if (all.size === 0) return;
      const bytes = encode(textOf(event));
      for (const send of all) send(bytes);
    },
  };
}

function textOf({ name, json }: ServerEvent): string {
  return `event: ${name}\ndata: ${json}\n\n`;
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
