/**
 * One request and its answer over a connected kafkajs connection, past kafkajs's own `send`: that one copies each body three times, into
 * buffers that it first fills with zeros, which costs more than sending it. Correlation, and finding the answer in the stream, stay
 * kafkajs's.
 *
 * Source: https://kafka.apache.org/protocol#protocol_messages (request header, version 1, or 2 for flexible versions)
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { KafkaRequest } from "./requests.ts";
import { wireWriter } from "./wire.ts";

/** What is used of a kafkajs connection. */
export interface RequestChannel {
  nextCorrelationId(): number;
  /** Throws kafkajs's error when it is not connected. */
  failIfNotConnected(): void;
  readonly socket: { write(piece: Uint8Array): unknown };
  readonly requestQueue: { push(request: QueuedRequest): void };
}

/** A request in the queue of a connection; `resolve` is given the answer behind its correlation id. */
export interface QueuedRequest {
  readonly entry: {
    readonly apiKey: number;
    readonly apiName: string;
    readonly apiVersion: number;
    readonly correlationId: number;
    readonly resolve: (answer: { readonly payload: Uint8Array }) => void;
    readonly reject: (error: Error) => void;
  };
  readonly expectResponse: boolean;
  readonly requestTimeout: number | null;
  readonly sendRequest: () => void;
}

/** Parts of a request up to this size together are sent as one piece: a copy is cheaper than another call of the system. */
const oneWriteBytesMax = 64 * 1024;

/**
 * Sends a request on a connection that is connected and authenticated; resolves with the answer behind its header.
 *
 * @throws {Error} kafkajs's own when the connection breaks before the answer is there
 */
export async function exchange<T>(
  connection: RequestChannel,
  clientId: string,
  request: KafkaRequest<T>,
): Promise<T> {
  const { apiKey, apiName, apiVersion } = request;
  const correlationId = connection.nextCorrelationId();
  const { payload } = await new Promise<{ readonly payload: Uint8Array }>((resolve, reject) => {
    connection.failIfNotConnected();
    connection.requestQueue.push({
      entry: { apiKey, apiName, apiVersion, correlationId, resolve, reject },
      expectResponse: true,
      requestTimeout: null,
      sendRequest() {
        for (const piece of framed(request, correlationId, clientId)) connection.socket.write(piece);
      },
    });
  });
  return request.read(payload);
}

/** The pieces of a request with its size and header before them. */
function framed(request: KafkaRequest<unknown>, correlationId: number, clientId: string): readonly Uint8Array[] {
  const header = wireWriter();
  header.int32(0); // the size of what follows, filled in below
  header.int16(request.apiKey);
  header.int16(request.apiVersion);
  header.int32(correlationId);
  header.string(clientId);
  // A flexible version has tagged fields at the end of its header: none.
  if (request.flexible === true) header.int8(0);
  const pieces = [...header.parts(), ...request.body];
  const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const [first] = pieces;
  if (first !== undefined) new DataView(first.buffer, first.byteOffset).setInt32(0, bytes - 4);
  return bytes <= oneWriteBytesMax ? [Buffer.concat(pieces)] : merged(pieces);
}

/** Joins runs of small pieces; large ones stay as they are. */
function merged(pieces: readonly Uint8Array[]): readonly Uint8Array[] {
  const out: Uint8Array[] = [];
  let small: Uint8Array[] = [];
  for (const piece of pieces) {
    if (piece.length < oneWriteBytesMax) {
      small.push(piece);
      continue;
    }
    if (small.length > 0) out.push(Buffer.concat(small));
    small = [];
    out.push(piece);
  }
  if (small.length > 0) out.push(Buffer.concat(small));
  return out;
}
