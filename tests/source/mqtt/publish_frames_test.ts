/**
 * PUBLISH packets taken off a stream: the same as mqtt-packet finds in it, wherever the network cuts the stream.
 *
 * @module
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { generate, type Packet, parser } from "mqtt-packet";
import { createPublishFrames, type PublishFrames } from "../../../src/source/mqtt/publish_frames.ts";

type Version = 4 | 5;

/** What came out, in order: messages as text, other packets as their bytes in hexadecimal. */
interface Seen {
  readonly frames: PublishFrames;
  readonly out: string[];
  readonly malformed: string[];
}

function seen(version: Version, packetBytesMax: number | null = null): Seen {
  const out: string[] = [];
  const malformed: string[] = [];
  const frames = createPublishFrames({ version, packetBytesMax }, {
    publish: (topic, payload, id, dup, retained) => void out.push(messageText(topic, payload, id, dup, retained)),
    other: (packet) => void out.push(Buffer.from(packet).toString("hex")),
    malformed: (why) => void malformed.push(why),
  });
  return { frames, out, malformed };
}

function messageText(topic: string, payload: Uint8Array, id: number, dup: boolean, retained: boolean): string {
  return JSON.stringify([topic, Buffer.from(payload).toString("hex"), id, dup, retained]);
}

/** What mqtt-packet makes of it: messages as above, other packets as their kind and what they are about. */
function secondOpinion(bytes: Buffer, version: Version): string[] {
  const out: string[] = [];
  const packets = parser({ protocolVersion: version });
  packets.on("packet", (packet: Packet) => {
    if (packet.cmd !== "publish" || packet.qos === 2) {
      return void out.push(`${packet.cmd} ${packet.messageId ?? ""}`);
    }
    const { topic, payload, dup, retain } = packet;
    out.push(messageText(topic, Buffer.from(payload), packet.qos === 0 ? 0 : packet.messageId ?? 0, dup, retain));
  });
  packets.on("error", (error) => {
    throw error;
  });
  packets.parse(bytes);
  return out;
}

const connack: Packet = { cmd: "connack", sessionPresent: true, returnCode: 0, reasonCode: 0 };

const properties = fc.record({
  payloadFormatIndicator: fc.boolean(),
  messageExpiryInterval: fc.nat(),
  contentType: fc.string({ maxLength: 200 }),
  responseTopic: fc.string({ maxLength: 3 }),
  correlationData: fc.uint8Array({ maxLength: 9 }).map((bytes) => Buffer.from(bytes)),
  subscriptionIdentifier: fc.integer({ min: 1, max: 268_435_455 }),
  userProperties: fc.constant<Record<string, string | string[]>>({ a: "b", c: ["d", "e"] }),
}, { requiredKeys: [] });

const published = fc.record({
  cmd: fc.constant("publish" as const),
  topic: fc.string({ minLength: 1, maxLength: 20, unit: "grapheme" }).filter((topic) => !/[+#\0]/.test(topic)),
  payload: fc.oneof(fc.uint8Array({ maxLength: 20 }), fc.uint8Array({ minLength: 120, maxLength: 300 }))
    .map((bytes) => Buffer.from(bytes)),
  qos: fc.constantFrom(0 as const, 1 as const, 2 as const),
  messageId: fc.integer({ min: 1, max: 65_535 }),
  dup: fc.boolean(),
  retain: fc.boolean(),
  properties,
});

const others: readonly Packet[] = [
  { cmd: "pingresp" },
  { cmd: "puback", messageId: 7 },
  { cmd: "suback", messageId: 300, granted: [1] },
];

for (const version of [4, 5] as const) {
  Deno.test(`PUBLISH packets of version ${version} are what mqtt-packet finds, wherever the stream is cut`, () => {
    fc.assert(fc.property(
      fc.array(fc.oneof({ weight: 5, arbitrary: published }, { weight: 1, arbitrary: fc.constantFrom(...others) }), {
        maxLength: 12,
      }),
      fc.array(fc.nat(), { maxLength: 8 }),
      (packets, cuts) => {
        const options = { protocolVersion: version };
        const bytes = Buffer.concat([connack, ...packets].map((packet) => generate(packet, options)));
        const { frames, out, malformed } = seen(version);
        const places = cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b);
        let from = 0;
        let timesHeld = 0;
        for (const to of [...places, bytes.length]) {
          frames.push(bytes.subarray(from, to));
          if (frames.held) {
            assert.equal(out.length, 1, "nothing comes between the CONNACK and the word that it was good");
            timesHeld += 1;
            frames.open();
          }
          from = to;
        }
        assert.deepEqual(malformed, []);
        assert.equal(timesHeld, 1);
        const taken = packets.filter((packet) => packet.cmd === "publish" && packet.qos !== 2);
        assert.equal(out.filter((one) => one.startsWith("[")).length, taken.length, "all of QoS 0 and 1 are taken out");
        const judged = out.flatMap((one) =>
          one.startsWith("[") ? [one] : secondOpinion(Buffer.from(one, "hex"), version)
        );
        assert.deepEqual(judged, secondOpinion(bytes, version));
      },
    ));
  });

  Deno.test(`whatever the bytes of version ${version} are, nothing is thrown and no byte comes out twice`, () => {
    fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 }), (chunks) => {
      let bytesOut = 0;
      let ended = 0;
      const frames = createPublishFrames({ version, packetBytesMax: null }, {
        publish: (topic, payload) => void (bytesOut += Buffer.byteLength(topic) > 0 ? payload.length : 0),
        other: (packet) => void (bytesOut += packet.length),
        malformed: () => void (ended += 1),
      });
      frames.open();
      for (const chunk of chunks) frames.push(chunk);
      assert.ok(ended <= 1);
      assert.ok(bytesOut <= chunks.reduce((sum, chunk) => sum + chunk.length, 0));
    }));
  });
}

Deno.test("before the CONNACK has been dealt with a PUBLISH is not taken out", () => {
  const { frames, out } = seen(4);
  const early = generate({ cmd: "publish", topic: "t", payload: "x", qos: 0, dup: false, retain: false });
  frames.push(early);
  assert.deepEqual(out, [Buffer.from(early).toString("hex")]);
});

const malformed: readonly (readonly [what: string, version: Version, bytes: readonly number[], why: RegExp])[] = [
  ["QoS 3", 4, [0x36, 3, 0, 1, 0x74], /QoS 3/],
  ["a length of five bytes", 4, [0x30, 0x80, 0x80, 0x80, 0x80, 1], /four bytes/],
  ["a topic longer than its packet", 4, [0x30, 3, 0, 2, 0x74], /inside its topic/],
  ["no room for the packet identifier", 4, [0x32, 4, 0, 1, 0x74, 1], /inside its topic/],
  ["the packet identifier 0", 4, [0x32, 5, 0, 1, 0x74, 0, 0], /identifier 0/],
  ["no properties where version 5 has them", 5, [0x30, 3, 0, 1, 0x74], /properties/],
  ["properties longer than the packet", 5, [0x30, 5, 0, 1, 0x74, 2, 1], /properties/],
  ["a property that ends outside of the properties", 5, [0x30, 6, 0, 1, 0x74, 2, 2, 0], /properties/],
  ["a property of CONNECT", 5, [0x30, 9, 0, 1, 0x74, 5, 0x11, 0, 0, 0, 1], /properties/],
  ["a topic alias, of which we offer none", 5, [0x30, 7, 0, 1, 0x74, 3, 0x23, 0, 1], /topic alias/],
];

for (const [what, version, bytes, why] of malformed) {
  Deno.test(`malformed: ${what}; what came before is kept and nothing comes after`, () => {
    const { frames, out, malformed } = seen(version);
    frames.open();
    frames.push(Uint8Array.of(0xd0, 0, ...bytes, 0xd0, 0));
    frames.push(Uint8Array.of(0xd0, 0));
    assert.deepEqual(out, ["d000"]);
    assert.equal(malformed.length, 1);
    assert.match(malformed[0] ?? "", why);
  });
}

Deno.test("a packet over the maximum is refused by its header, before it is in memory", () => {
  const { frames, malformed } = seen(5, 100);
  frames.push(Uint8Array.of(0x30, 101));
  assert.match(malformed[0] ?? "", /101 bytes, over the maximum of 100/);
});
