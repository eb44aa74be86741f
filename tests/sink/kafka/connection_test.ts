import assert from "node:assert/strict";
import process from "node:process";
import { systemClock } from "../../../src/core/clock.ts";
import { type Connection, connectionOpener, type ConnectionOptions } from "../../../src/sink/kafka/connection.ts";
import { PathError } from "../../../src/sink/kafka/path_error.ts";
import { metadataRequest, producerIdRequest } from "../../../src/sink/kafka/requests.ts";
import { patienceMs } from "../../support/servers.ts";

type Answer = (apiKey: number, correlationId: Uint8Array) => readonly Uint8Array[] | "close" | "silent";

const int = (bits: 16 | 32, value: number): Uint8Array => {
  const view = new DataView(new ArrayBuffer(bits / 8));
  if (bits === 16) view.setInt16(0, value);
  else view.setInt32(0, value);
  return new Uint8Array(view.buffer);
};
const joined = (parts: readonly Uint8Array[]) => new Uint8Array(parts.flatMap((part) => [...part]));
const framed = (correlationId: Uint8Array, ...body: readonly Uint8Array[]) => {
  const all = joined([correlationId, ...body]);
  return [int(32, all.length), all];
};

/** ApiVersions: no error, everything up to version 20 for these APIs. */
function apiVersions(correlationId: Uint8Array, throttleMs = 0): readonly Uint8Array[] {
  const apis = [0, 3, 22, 32];
  const rows = apis.flatMap((api) => [int(16, api), int(16, 0), int(16, 20)]);
  return framed(correlationId, int(16, 0), int(32, apis.length), ...rows, int(32, throttleMs));
}

/** A server on 127.0.0.1 that answers ApiVersions, and the rest as told. */
function withServer(answer: Answer, use: (port: number) => Promise<void>): Promise<void> {
  return withBareServer((apiKey, id) => apiKey === 18 ? apiVersions(id) : answer(apiKey, id), use);
}

/** A server on 127.0.0.1 that answers everything as told. */
async function withBareServer(answer: Answer, use: (port: number) => Promise<void>): Promise<void> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const connections: Deno.TcpConn[] = [];
  const serve = async (connection: Deno.TcpConn) => {
    const buffer = new Uint8Array(65_536);
    while (true) {
      const length = await connection.read(buffer).catch(() => null);
      if (length === null) return;
      const view = new DataView(buffer.buffer);
      const apiKey = view.getInt16(4);
      const correlationId = buffer.slice(8, 12);
      const reply = answer(apiKey, correlationId);
      if (reply === "silent") continue;
      if (reply === "close") return connection.close();
      for (const part of reply) await connection.write(part).catch(() => {});
    }
  };
  const accepting = (async () => {
    for await (const connection of listener) {
      connections.push(connection);
      void serve(connection);
    }
  })();
  try {
    await use(listener.addr.port);
  } finally {
    listener.close();
    await accepting;
    for (const connection of connections) {
      try {
        connection.close();
      } catch {
        // The test closed it.
      }
    }
  }
}

const options: ConnectionOptions = { clientId: "test", tls: null, sasl: null, connectTimeoutMs: patienceMs };

function open(
  port: number,
  over: Partial<ConnectionOptions> = {},
  signal = new AbortController().signal,
): Promise<Connection> {
  return connectionOpener({ ...options, ...over }, systemClock)({ host: "127.0.0.1", port }, signal);
}

function failsAs(failure: string, message: RegExp): (thrown: unknown) => boolean {
  return (thrown) => {
    assert.ok(thrown instanceof PathError, String(thrown));
    assert.equal(thrown.failure, failure);
    assert.match(thrown.message, message);
    return true;
  };
}

const producerId = (correlationId: Uint8Array) =>
  framed(correlationId, int(32, 0), int(16, 0), int(32, 0), int(32, 77), int(16, 3));

// The first test of the file: the runtime prints this warning once only.
Deno.test("connections make no warning", async () => {
  const warnings: Error[] = [];
  const listener = (warning: Error) => void warnings.push(warning);
  process.on("warning", listener);
  try {
    await withServer((_, id) => producerId(id), async (port) => {
      const connection = await open(port);
      for (let i = 0; i < 3; i++) await connection.request(producerIdRequest(), patienceMs);
      connection.close();
      await new Promise((resolve) => setTimeout(resolve, 0));
    });
  } finally {
    process.off("warning", listener);
  }
  assert.deepEqual(warnings, []);
});

Deno.test("a broker that asks for patience while it is connected to is sent requests all the same: it holds them back itself", async () => {
  await withBareServer((apiKey, id) => apiKey === 18 ? apiVersions(id, 600_000) : producerId(id), async (port) => {
    const connection = await open(port);
    for (let i = 0; i < 2; i++) assert.equal((await connection.request(producerIdRequest(), 20_000)).code, 0);
    connection.close();
  });
});

Deno.test("a request is answered, also when the answer comes in pieces", async () => {
  const inPieces: Answer = (_, id) => [...joined(producerId(id))].map((byte) => Uint8Array.of(byte));
  await withServer(inPieces, async (port) => {
    const connection = await open(port);
    assert.equal(connection.live, true);
    assert.deepEqual(await connection.request(producerIdRequest(), patienceMs), {
      code: 0,
      producerId: 77n,
      producerEpoch: 3,
    });
    connection.close();
    assert.equal(connection.live, false);
  });
});

Deno.test("no answer in time is a timeout, and the connection is gone with all that waited on it", async () => {
  await withServer(() => "silent", async (port) => {
    const connection = await open(port);
    const both = [connection.request(producerIdRequest(), 100), connection.request(metadataRequest([]), patienceMs)];
    for (const one of both) {
      await assert.rejects(one, failsAs("timed_out", /127\.0\.0\.1:\d+ did not answer within 100 ms/));
    }
    assert.equal(connection.live, false);
    await assert.rejects(connection.request(producerIdRequest(), 100), failsAs("timed_out", /did not answer/));
  });
});

Deno.test("a broker that closes the connection loses what was on it", async () => {
  await withServer(() => "close", async (port) => {
    const connection = await open(port);
    await assert.rejects(connection.request(producerIdRequest(), patienceMs), failsAs("lost", /closed the connection/));
    assert.equal(connection.live, false);
  });
});

const garbage: readonly (readonly [string, Answer])[] = [
  ["a negative length", () => [Uint8Array.of(0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4)]],
  ["an answer without a number", () => [int(32, 2), int(16, 1)]],
  ["an answer that ends too early", (_, id) => framed(id, int(32, 0))],
  ["an array without an end", (_, id) => framed(id, int(32, 0), int(32, 2_000_000_000))],
];
for (const [what, answer] of garbage) {
  Deno.test(`${what} is a failure of the path, not of the program`, async () => {
    await withServer(answer, async (port) => {
      const connection = await open(port);
      await assert.rejects(connection.request(metadataRequest(["t"]), patienceMs), failsAs("garbled", /Kafka/));
      assert.equal(connection.live, false);
    });
  });
}

for (const [what, answer] of garbage) {
  Deno.test(`${what} while connecting is a failure of the path, not of the program`, async () => {
    await withBareServer(answer, async (port) => {
      await assert.rejects(open(port, { connectTimeoutMs: patienceMs }), (thrown) => thrown instanceof PathError);
    });
  });
}

Deno.test("a port where nobody listens refuses", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  await assert.rejects(open(port), failsAs("refused", /refused the connection/));
});

Deno.test("a listener that never speaks is given up after connectTimeoutMs", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  try {
    await assert.rejects(open(listener.addr.port, { connectTimeoutMs: 100 }), failsAs("timed_out", /within 100 ms/));
  } finally {
    listener.close();
  }
});

Deno.test("an attempt to connect ends at once when it is given up", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  try {
    const giveUp = new AbortController();
    const opening = open(listener.addr.port, { connectTimeoutMs: 600_000 }, giveUp.signal);
    giveUp.abort();
    await assert.rejects(opening, failsAs("closed", /closed/));
  } finally {
    listener.close();
  }
});

Deno.test("a retired connection answers what is due, and closes then", async () => {
  await withServer((_, id) => producerId(id), async (port) => {
    const connection = await open(port);
    const answer = connection.request(producerIdRequest(), patienceMs);
    connection.retire();
    assert.equal(connection.live, false);
    assert.equal((await answer).producerId, 77n);
    await assert.rejects(connection.request(producerIdRequest(), patienceMs), failsAs("lost", /was replaced/));
  });
});

Deno.test("a broker that does not speak what we need is told apart", async () => {
  await withServer((_, id) => producerId(id), async (port) => {
    const connection = await open(port);
    const request = { ...producerIdRequest(), apiVersion: 21 };
    await assert.rejects(
      connection.request(request, patienceMs),
      failsAs("unsupported", /does not speak InitProducerId version 21/),
    );
  });
});
