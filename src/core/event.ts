/**
 * What the data path tells the rest of the program. Parts emit events; the log and the watchdog (`ops/progress.ts`) listen. An event is
 * something that happened to a connection, a file or a batch, never to a single good reading.
 *
 * @module
 */

/** How much a person should care. `error`: something does not work and somebody must act; `warn`: something was lost, refused or is late. */
export type Level = "debug" | "info" | "warn" | "error";

/** Plain values that go with an event. */
export type EventData = Readonly<Record<string, string | number | boolean | null>>;

/** Something that happened. */
export interface Event {
  readonly level: Level;
  /** `<component>.<what happened, past tense>`: `mqtt.session_lost`, `files.file_finished`, `kafka.trouble_began`. */
  readonly name: string;
  /** A sentence for people, complete without `data`; text from outside in it is escaped (`printable`), and no secret ever. */
  readonly message: string;
  /** The same as numbers and names, for logs in JSON; keys in snake_case with their unit. */
  readonly data: EventData;
}

/** Takes an event. Never throws, never waits. */
export type Emit = (level: Level, name: string, message: string, data?: EventData) => void;

/** An `Emit` that passes each event to every listener. */
export function emitter(...listeners: readonly ((event: Event) => void)[]): Emit {
  return (level, name, message, data = {}) => {
    for (const listener of listeners) listener({ level, name, message, data });
  };
}
