/**
 * A proxy before Kafka that knows its frames, and does to Produce requests what bad networks do: a request that never arrives, an
 * acknowledgement that never comes back, a frame cut in the middle, a request or an answer that is late. After a loss the connection is cut at once, or
 * hangs half open first.
 *
 * Frames: a 4-byte length, then of a request the API key (i16), its version (i16) and the correlation id (i32), of an answer the
 * correlation id. Source: https://kafka.apache.org/protocol#protocol_messages
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { sleep, systemClock } from "../../src/core/clock.ts";
import type { Dice } from "../../src/core/dice.ts";
import { type RunningKafka, startKafka } from "./kafka.ts";

/** What can happen to a Produce request. */
export const faultKinds = [
  "request_lost",
  "acknowledgement_lost",
  "cut_in_frame",
  "request_late",
  "answer_late",
] as const;
export type FaultKind = typeof faultKinds[number];

/** How bad the network is. */
export interface KafkaFaults {
  readonly dice: Dice;
  /** The kinds that happen, each as often as the others. */
  readonly kinds: readonly FaultKind[];
  /** API keys of the requests that they happen to. Default: Produce alone. */
  readonly requests?: readonly number[];
  /** Probability that one happens to such a request. */
  readonly share: number;
  /** After a loss the connection hangs for up to so long before it is cut; half of the times it is cut at once. */
  readonly hangMsMax: number;
}

/** The proxy. */
export interface KafkaProxy {
  readonly port: number;
  /** From now on so bad; null: good. */
  misbehave(faults: KafkaFaults | null): void;
  /** How often what has happened. */
  readonly happened: Readonly<Record<FaultKind, number>>;
  [Symbol.asyncDispose](): Promise<void>;
}

const produceKey = 0;
const lateMsMax = 300;

/** What {@linkcode startKafkaBehindProxy} gives. */
export interface KafkaBehindProxy extends AsyncDisposable {
  readonly kafka: RunningKafka;
  readonly proxy: KafkaProxy;
}

/** A Kafka whose clients all come through a proxy; its admin listener is reached without. */
export async function startKafkaBehindProxy(
  properties: Readonly<Record<string, string>> = {},
): Promise<KafkaBehindProxy> {
  let target = 0;
  const proxy = startProxy(() => target);
  const kafka = await startKafka({ advertisedPort: proxy.port, properties });
  target = kafka.ownPort ?? 0;
  return {
    kafka,
    proxy,
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await kafka.close();
    },
  };
}

interface Line {
  readonly client: Deno.TcpConn;
  readonly server: Deno.TcpConn;
  /** Answers to these are lost, or late. */
  readonly marked: Map<number, FaultKind>;
  /** Ends what waits when the line is cut. */
  readonly cut: AbortController;
  hanging: boolean;
}

function startProxy(targetPort: () => number): KafkaProxy {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const lines = new Set<Line>();
  const happened: Record<FaultKind, number> = {
    request_lost: 0,
    acknowledgement_lost: 0,
    cut_in_frame: 0,
    request_late: 0,
    answer_late: 0,
  };
  let faults: KafkaFaults | null = null;

  function cut(line: Line): void {
    if (!lines.delete(line)) return;
    line.cut.abort();
    line.client.close();
    line.server.close();
  }

  /** The connection is of no more use; the client learns it now or later. */
  async function lose(line: Line): Promise<void> {
    line.hanging = true;
    if (faults !== null && faults.dice() < 0.5) {
      await sleep(systemClock, faults.dice() * faults.hangMsMax, line.cut.signal);
    }
    cut(line);
  }

  function faultOf(frame: Buffer): FaultKind | null {
    const { requests = [produceKey], share = 0 } = faults ?? {};
    if (faults === null || !requests.includes(frame.readInt16BE(4)) || faults.dice() >= share) return null;
    const kind = faults.kinds[Math.floor(faults.dice() * faults.kinds.length)] ?? null;
    if (kind !== null) happened[kind] += 1;
    return kind;
  }

  async function onRequest(line: Line, frame: Buffer): Promise<void> {
    const fault = faultOf(frame);
    switch (fault) {
      case "request_lost":
        return await lose(line);
      case "cut_in_frame":
        await writeAll(line.server, frame.subarray(0, Math.floor(frame.length / 2)));
        return await lose(line);
      case "request_late":
        // Cut meanwhile, by the death of its sender for one, it never arrives.
        await sleep(systemClock, (faults?.dice() ?? 0) * lateMsMax, line.cut.signal);
        if (line.cut.signal.aborted) return;
        break;
      case "acknowledgement_lost":
      case "answer_late":
        line.marked.set(frame.readInt32BE(8), fault);
    }
    await writeAll(line.server, frame);
  }

  async function onAnswer(line: Line, frame: Buffer): Promise<void> {
    const fault = line.marked.get(frame.readInt32BE(4));
    if (fault === "acknowledgement_lost") return await lose(line);
    if (fault === "answer_late") await sleep(systemClock, (faults?.dice() ?? 0) * lateMsMax, line.cut.signal);
    await writeAll(line.client, frame);
  }

  async function pump(line: Line, from: Deno.TcpConn, onFrame: (line: Line, frame: Buffer) => Promise<void>) {
    const chunk = new Uint8Array(65_536);
    let held = Buffer.alloc(0);
    try {
      for (let read = await from.read(chunk); read !== null; read = await from.read(chunk)) {
        if (line.hanging) continue;
        held = Buffer.concat([held, chunk.subarray(0, read)]);
        while (!line.hanging && held.length >= 4 && held.length >= 4 + held.readInt32BE(0)) {
          const size = 4 + held.readInt32BE(0);
          const frame = held.subarray(0, size);
          held = held.subarray(size);
          await onFrame(line, frame);
        }
      }
    } catch (thrown) {
      // One of the two ends was closed while we waited: so is the other.
      if (!(thrown instanceof Deno.errors.BadResource || isNetworkError(thrown))) throw thrown;
    }
    if (!line.hanging) cut(line);
  }

  async function serve(client: Deno.TcpConn): Promise<void> {
    const server = await Deno.connect({ hostname: "127.0.0.1", port: targetPort() }).catch(() => null);
    if (server === null) {
      // Kafka is away: whoever calls is refused.
      client.close();
      return;
    }
    const line: Line = { client, server, marked: new Map(), cut: new AbortController(), hanging: false };
    lines.add(line);
    await Promise.all([pump(line, client, onRequest), pump(line, server, onAnswer)]);
  }

  const serving: Promise<void>[] = [];
  const accepting = (async () => {
    for await (const client of listener) serving.push(serve(client));
  })();

  return {
    port: listener.addr.port,
    happened,
    misbehave(next) {
      faults = next;
    },
    async [Symbol.asyncDispose]() {
      faults = null;
      listener.close();
      for (const line of [...lines]) cut(line);
      await accepting;
      await Promise.all(serving);
    },
  };
}

async function writeAll(to: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await to.write(bytes.subarray(sent));
}

function isNetworkError(thrown: unknown): boolean {
  return thrown instanceof Deno.errors.ConnectionReset || thrown instanceof Deno.errors.BrokenPipe ||
    thrown instanceof Deno.errors.Interrupted || thrown instanceof Deno.errors.ConnectionAborted ||
    thrown instanceof Deno.errors.NotConnected;
}
