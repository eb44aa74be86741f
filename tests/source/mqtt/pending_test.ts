import assert from "node:assert/strict";
import { createPending, fingerprint, type Pending } from "../../../src/source/mqtt/pending.ts";
import { bytes } from "./parts.ts";

function arrived(packetId: number, payload = `p${packetId}`, topic = "t") {
  return { topic, packetId, payload, fingerprint: fingerprint(bytes(payload)) };
}

function adopt(pending: Pending, { packetId, topic, payload }: ReturnType<typeof arrived>, dup: boolean): boolean {
  return pending.adopt(packetId, topic, bytes(payload), dup);
}

/** A pending table on a resumed connection, and the PUBACKs that it sent. */
function connectedPending() {
  const pending = createPending(() => {});
  const acks: number[] = [];
  pending.connected(true, (packetId) => void acks.push(packetId));
  return { pending, acks };
}

Deno.test("PUBACKs leave in the order of the PUBLISHes, whatever order they are settled in", () => {
  const { pending, acks } = connectedPending();
  const [first, second, third] = [1, 2, 3].map((packetId) => pending.begin(arrived(packetId), 10, 1));
  third?.settle(0, "delivered");
  second?.settle(0, "dead_lettered");
  assert.deepEqual(acks, []);
  assert.deepEqual([pending.unsettled, pending.unfinished, pending.bytes], [1, 3, 10]);
  first?.settle(0, "filtered");
  assert.deepEqual(acks, [1, 2, 3]);
  assert.deepEqual([pending.unsettled, pending.unfinished, pending.bytes], [0, 0, 0]);
});

Deno.test("A message of several readings is acknowledged after the last of them, each settled once", () => {
  const { pending, acks } = connectedPending();
  const delivery = pending.begin(arrived(1), 10, 3);
  const settled = () => [0, 1, 2].map((index) => delivery.isSettled?.(index));
  delivery.settle(2, "delivered");
  assert.deepEqual(settled(), [false, false, true]);
  delivery.settle(0, "delivered");
  assert.deepEqual(settled(), [true, false, true]);
  assert.throws(() => delivery.settle(0, "delivered"), /settled already/);
  assert.throws(() => delivery.settle(3, "delivered"), /has 3/);
  assert.throws(() => delivery.settle(-1, "delivered"), /has 3/);
  assert.deepEqual(acks, []);
  delivery.settle(1, "delivered");
  assert.deepEqual(acks, [1]);
  assert.deepEqual(settled(), [true, true, true]);
  assert.throws(() => delivery.settle(1, "delivered"), /settled already/);
});

Deno.test("A message without readings is acknowledged in its turn", () => {
  const { pending, acks } = connectedPending();
  const first = pending.begin(arrived(1), 10, 1);
  pending.begin(arrived(2), 0, 0);
  assert.deepEqual(acks, []);
  first.settle(0, "delivered");
  assert.deepEqual(acks, [1, 2]);
});

Deno.test("A message of QoS 0 counts bytes, and neither the receive maximum nor a PUBACK", () => {
  const { pending, acks } = connectedPending();
  const delivery = pending.begin(arrived(0), 10, 1);
  assert.deepEqual([pending.unsettled, pending.unfinished, pending.bytes], [0, 1, 10]);
  delivery.settle(0, "delivered");
  pending.begin(arrived(0), 0, 0);
  assert.deepEqual([pending.unfinished, pending.bytes, acks.length], [0, 0, 0]);
});

Deno.test("A redelivery in a resumed session is adopted, and acknowledged on the new connection once it is settled", () => {
  const { pending, acks } = connectedPending();
  const first = pending.begin(arrived(1), 10, 1);
  const second = pending.begin(arrived(2), 10, 1);
  pending.disconnected();
  second.settle(0, "delivered");
  const newAcks: number[] = [];
  assert.equal(pending.connected(true, (packetId) => void newAcks.push(packetId)), 0);
  assert.ok(adopt(pending, arrived(1), true));
  assert.ok(adopt(pending, arrived(2), true));
  assert.ok(adopt(pending, arrived(1), true), "twice on one connection: still the same message");
  assert.deepEqual(newAcks, []);
  first.settle(0, "delivered");
  assert.deepEqual([acks, newAcks], [[], [1, 2]]);
  assert.ok(!adopt(pending, arrived(1), true), "it is finished: the broker has lost the PUBACK, and it is read again");
});

Deno.test("A packet identifier that comes back with something else is another message, and the pending one gets no PUBACK", () => {
  const others = [
    { again: arrived(1, "other"), dup: true },
    { again: arrived(1, "p1", "other topic"), dup: true },
    { again: arrived(1), dup: false },
  ];
  for (const { again, dup } of others) {
    const { pending } = connectedPending();
    const old = pending.begin(arrived(1), 10, 1);
    pending.disconnected();
    const acks: number[] = [];
    pending.connected(true, (packetId) => void acks.push(packetId));
    assert.ok(!adopt(pending, again, dup));
    const fresh = pending.begin(again, 10, 1);
    old.settle(0, "delivered");
    assert.deepEqual(acks, []);
    fresh.settle(0, "delivered");
    assert.deepEqual(acks, [1]);
    assert.deepEqual([pending.unsettled, pending.unfinished, pending.bytes], [0, 0, 0]);
  }
});

Deno.test("A broker that uses an identifier again before its PUBACK does not block the order or get a PUBACK too early", () => {
  const { pending, acks } = connectedPending();
  const old = pending.begin(arrived(1), 10, 1);
  const between = pending.begin(arrived(2), 10, 1);
  assert.ok(!adopt(pending, arrived(1, "new"), false));
  const fresh = pending.begin(arrived(1, "new"), 10, 1);
  old.settle(0, "delivered");
  between.settle(0, "delivered");
  assert.deepEqual(acks, [2]);
  fresh.settle(0, "delivered");
  assert.deepEqual(acks, [2, 1]);
  assert.equal(pending.unfinished, 0);
});

Deno.test("A lost session finishes all that is pending without a PUBACK, and counts it", () => {
  const { pending } = connectedPending();
  const open = pending.begin(arrived(1), 10, 1);
  const settled = pending.begin(arrived(2), 10, 1);
  settled.settle(0, "delivered");
  pending.disconnected();
  const acks: number[] = [];
  assert.equal(pending.connected(false, (packetId) => void acks.push(packetId)), 2);
  assert.deepEqual([pending.unsettled, pending.unfinished], [1, 1]);
  const other = pending.begin(arrived(1), 10, 1);
  open.settle(0, "delivered");
  assert.deepEqual(acks, []);
  other.settle(0, "delivered");
  assert.deepEqual(acks, [1]);
  assert.equal(pending.unfinished, 0);
});

Deno.test("What a resumed session does not send again can be given up", () => {
  const { pending } = connectedPending();
  pending.begin(arrived(1), 10, 1).settle(0, "delivered");
  const claimed = pending.begin(arrived(2), 10, 1);
  const unclaimed = pending.begin(arrived(3), 10, 1);
  pending.disconnected();
  const acks: number[] = [];
  pending.connected(true, (packetId) => void acks.push(packetId));
  adopt(pending, arrived(2), true);
  assert.equal(pending.abandonUnclaimed(), 1);
  unclaimed.settle(0, "delivered");
  claimed.settle(0, "delivered");
  assert.deepEqual(acks, [2]);
  assert.equal(pending.unfinished, 0);
});

Deno.test("Fingerprints tell payloads apart", () => {
  const payloads = ["", "\0", "a", "b", "ab", "ba", "20.1", "20.2"];
  assert.equal(new Set(payloads.map((payload) => fingerprint(bytes(payload)))).size, payloads.length);
});
