/**
 * Types of the two files inside kafkajs 2.2.4 that connection.ts uses, as far as it uses them. kafkajs is frozen at this release, so
 * they cannot move; connection.ts alone imports them.
 *
 * @module
 */

declare module "kafkajs/src/network/connectionPool.js" {
  import type { Socket } from "node:net";

  export interface SilentLogger {
    namespace(name: string): SilentLogger;
    debug(): void;
    info(): void;
    warn(): void;
    error(): void;
  }

  export interface SocketFactoryArguments {
    readonly host: string;
    readonly port: number;
    readonly onConnect: () => void;
  }

  export interface ConnectionPoolOptions {
    readonly host: string;
    readonly port: number;
    readonly clientId: string;
    readonly ssl: object | null;
    readonly sasl: { readonly mechanism: string; readonly username: string; readonly password: string } | null;
    readonly socketFactory: (socket: SocketFactoryArguments) => Socket;
    readonly connectionTimeout: number;
    readonly requestTimeout: number;
    readonly enforceRequestTimeout: boolean;
    readonly reauthenticationThreshold: number;
    readonly logger: SilentLogger;
  }

  /** One TCP connection with its queue of requests. */
  export interface PooledConnection {
    processData(data: Uint8Array): void;
    nextCorrelationId(): number;
    failIfNotConnected(): void;
    readonly socket: Socket;
    readonly requestQueue: {
      scheduleCheckPendingRequests(): void;
      maybeThrottle(clientSideThrottleTime: number | null): void;
      push(request: object): void;
    };
  }

  export default class ConnectionPool {
    constructor(options: ConnectionPoolOptions);
    readonly pool: readonly [PooledConnection, PooledConnection];
  }
}

declare module "kafkajs/src/broker/index.js" {
  import type ConnectionPool from "kafkajs/src/network/connectionPool.js";
  import type { SilentLogger } from "kafkajs/src/network/connectionPool.js";

  export default class Broker {
    constructor(options: { readonly connectionPool: ConnectionPool; readonly logger: SilentLogger });
    /** What the broker speaks, by API key; null before `connect`. */
    readonly versions: Readonly<Record<number, { readonly minVersion: number; readonly maxVersion: number }>> | null;
    /** Opens the connection, learns what the broker speaks, authenticates. */
    connect(): Promise<void>;
    /** Connected, and authenticated with time left in the session. */
    isConnected(): boolean;
  }
}
