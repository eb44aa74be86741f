/**
 * A TCP proxy on 127.0.0.1 that a test can cut or freeze: what a bad network does to a connection.
 *
 * @module
 */

/** A proxy. */
export interface TcpProxy {
  readonly port: number;
  /** Connections that stand. */
  readonly connections: number;
  /** Breaks all connections; new ones are served. */
  cut(): void;
  /** Passes nothing more on for the present connections, and does not close them: half open. New ones are served. */
  freeze(): void;
  [Symbol.asyncDispose](): Promise<void>;
}

interface Pair {
  readonly ends: readonly Deno.TcpConn[];
  frozen: boolean;
}

/** Starts a proxy to a port of 127.0.0.1. */
export function startTcpProxy(toPort: number): TcpProxy {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const pairs = new Set<Pair>();

  function close(pair: Pair): void {
    if (!pairs.delete(pair)) return;
    for (const end of pair.ends) end.close();
  }

  async function pump(from: Deno.TcpConn, to: Deno.TcpConn, pair: Pair): Promise<void> {
    const buffer = new Uint8Array(65_536);
    try {
      for (let read = await from.read(buffer); read !== null; read = await from.read(buffer)) {
        if (pair.frozen) continue;
        for (let sent = 0; sent < read;) sent += await to.write(buffer.subarray(sent, read));
      }
    } catch {
      // One of the two ends was closed while we waited: so is the other.
    }
    if (!pair.frozen) close(pair);
  }

  async function serve(client: Deno.TcpConn): Promise<void> {
    const server = await Deno.connect({ hostname: "127.0.0.1", port: toPort });
    const pair: Pair = { ends: [client, server], frozen: false };
    pairs.add(pair);
    await Promise.all([pump(client, server, pair), pump(server, client, pair)]);
  }

  const serving: Promise<void>[] = [];
  const accepting = (async () => {
    for await (const client of listener) serving.push(serve(client));
  })();

  return {
    port: listener.addr.port,
    get connections() {
      return pairs.size;
    },
    cut() {
      for (const pair of [...pairs]) close(pair);
    },
    freeze() {
      for (const pair of pairs) pair.frozen = true;
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const pair of [...pairs]) close(pair);
      await accepting;
      await Promise.all(serving);
    },
  };
}
