/**
 * An MQTT broker inside this process, so that the demo needs no server: aedes (MQTT 3.1.1) on a free port of the loopback
 * interface. Sensors and gateway talk to it over TCP, as they would to any other.
 *
 * @module
 */
import { createServer, type Server, type Socket } from "node:net";

/** A running broker. */
export interface Broker {
  readonly host: string;
  readonly port: number;
  /** `mqtt://127.0.0.1:PORT`. */
  readonly url: string;
  /** Clients that are connected now. */
  connectedClients(): number;
  /** Ends all connections and gives the port back. Twice is once. */
  close(): Promise<void>;
}

const host = "127.0.0.1";

/** Starts a broker. Sessions live in memory and end with it. */
export async function startBroker(): Promise<Broker> {
  // Only now: loading it would cost every start of the program a tenth of its time.
  const { Aedes } = await import("aedes");
  // A gateway that holds back its PUBACKs is no frozen client: the default would cut it off after a minute.
  const aedes = await Aedes.createBroker({ drainTimeout: 0 });
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.setNoDelay();
    socket.once("close", () => sockets.delete(socket));
    aedes.handle(socket);
  });
  const port = await listen(server);
  let closed: Promise<void> | null = null;

  async function close(): Promise<void> {
    // Gives the port back at once. Its callback is not waited for: in Deno 2.6 it never comes when all clients have left before.
    server.close();
    await new Promise<void>((resolve) => aedes.close(() => resolve()));
    await Promise.all([...sockets].map((socket) => {
      const gone = new Promise<void>((resolve) => socket.once("close", () => resolve()));
      socket.destroy();
      return gone;
    }));
  }

  return {
    host,
    port,
    url: `mqtt://${host}:${port}`,
    connectedClients: () => sockets.size,
    close: () => closed ??= close(),
  };
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, host, () => {
      const address = server.address();
      if (address === null || typeof address === "string") {
        reject(new Error(`A TCP server has no port: ${String(address)}`));
      } else {
        resolve(address.port);
      }
    });
  });
}
