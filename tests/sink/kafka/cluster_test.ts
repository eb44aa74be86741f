import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createCluster } from "../../../src/sink/kafka/cluster.ts";
import type { BrokerAddress, Connection } from "../../../src/sink/kafka/connection.ts";
import { PathError, type PathFailure } from "../../../src/sink/kafka/path_error.ts";
import type { KafkaRequest } from "../../../src/sink/kafka/requests.ts";
import { wireWriter } from "../../../src/sink/kafka/wire.ts";

const brokers = [{ host: "a", port: 1 }, { host: "b", port: 1 }, { host: "c", port: 1 }];

/** Metadata with node n at `hosts[n]` and no topics. */
function metadataAnswer(hosts: readonly string[]): Buffer {
  const writer = wireWriter();
  writer.int32(hosts.length);
  hosts.forEach((host, node) => {
    writer.int32(node);
    writer.string(host);
    writer.int32(1);
    writer.string(null);
  });
  writer.string(null);
  writer.int32(0);
  writer.int32(0);
  // The throttle time stands first.
  return Buffer.concat([Buffer.alloc(4), ...writer.parts()]);
}

/** A cluster over connections that are only pretended; `down` says how a host fails. */
function setUp(nodes: readonly string[] = ["a", "b", "c"]) {
  const down = new Map<string, PathFailure>();
  const opened: string[] = [];
  const asked: string[] = [];
  const connections: { host: string; live: boolean; closed: boolean; retired: boolean }[] = [];
  const open = (address: BrokerAddress): Promise<Connection> => {
    opened.push(address.host);
    const failure = down.get(address.host);
    if (failure !== undefined) return Promise.reject(new PathError(failure, `${address.host} ${failure}`));
    const state = { host: address.host, live: true, closed: false, retired: false };
    connections.push(state);
    return Promise.resolve({
      address,
      get live() {
        return state.live;
      },
      request<T>(request: KafkaRequest<T>): Promise<T> {
        asked.push(`${address.host} ${request.apiName}`);
        const answer = request.apiName === "Metadata" ? metadataAnswer(nodes) : Buffer.alloc(8);
        return Promise.resolve(request.read(answer));
      },
      retire: () => void (state.retired = true),
      close: () => void (state.closed = true),
    });
  };
  const cluster = createCluster({ brokers, requestTimeoutMs: 1000 }, open, () => 0);
  return { cluster, down, opened, asked, connections };
}

const batch = { topic: "t", partition: 0, bytes: new Uint8Array(1) };

Deno.test("each broker is tried until one answers", async () => {
  const { cluster, down, opened } = setUp();
  down.set("a", "refused").set("b", "timed_out");
  await cluster.metadata([]);
  assert.deepEqual(opened, ["a", "b", "c"]);
  assert.equal(cluster.connected, true);
});

Deno.test("when none answers, a refused password says more than a broker that is down", async () => {
  const { cluster, down } = setUp();
  down.set("a", "refused").set("b", "authentication").set("c", "refused");
  await assert.rejects(cluster.metadata([]), /b authentication/);
  assert.equal(cluster.connected, false);
});

Deno.test("a connection is used again, and replaced when it is not alive any more", async () => {
  const { cluster, opened, connections } = setUp();
  await cluster.metadata([]);
  await cluster.produce(0, [batch]);
  assert.deepEqual(opened, ["a"]);
  for (const connection of connections) connection.live = false;
  await cluster.produce(0, [batch]);
  assert.deepEqual(opened, ["a", "a"]);
  assert.equal(connections[0]?.retired, true);
});

Deno.test("two requests at once to a new node open one connection", async () => {
  const { cluster, opened } = setUp();
  await cluster.metadata([]);
  await Promise.all([cluster.produce(2, [batch]), cluster.produce(2, [batch])]);
  assert.deepEqual(opened, ["a", "c"]);
});

Deno.test("a node without an address is a path that failed, so that the metadata is asked for", async () => {
  const { cluster } = setUp();
  await cluster.metadata([]);
  await assert.rejects(
    cluster.produce(9, [batch]),
    (thrown) => thrown instanceof PathError && thrown.failure === "unknown_node",
  );
});

Deno.test("a failed attempt to connect is not kept", async () => {
  const { cluster, down, opened } = setUp();
  await cluster.metadata([]);
  down.set("b", "refused");
  await assert.rejects(cluster.produce(1, [batch]), /b refused/);
  down.delete("b");
  await cluster.produce(1, [batch]);
  assert.deepEqual(opened, ["a", "b", "b"]);
});

Deno.test("brokers that the metadata names are asked when the configured ones are gone", async () => {
  const { cluster, down, asked, connections } = setUp(["x", "y"]);
  await cluster.metadata([]);
  for (const connection of connections) connection.live = false;
  for (const { host } of brokers) down.set(host, "refused");
  await cluster.metadata([]);
  assert.equal(asked.at(-1), "x Metadata");
});

Deno.test("close closes every connection", async () => {
  const { cluster, connections } = setUp();
  await cluster.metadata([]);
  await cluster.produce(1, [batch]);
  cluster.close();
  assert.deepEqual(connections.map(({ closed }) => closed), [true, true]);
});
