import { createMqttSource } from "../../src/source/mqtt/mqtt_source.ts";
import { modelBroker } from "../source/mqtt/model_broker.ts";
import { defaultOptions, testParts } from "../source/mqtt/parts.ts";
import { virtualClock } from "../support/virtual_clock.ts";
import { closed, sourceContract } from "./source_contract.ts";

sourceContract("mqtt", async () => {
  const clock = virtualClock();
  const broker = modelBroker(clock, 100);
  const make = () => createMqttSource(defaultOptions, testParts(clock, broker.open));
  const pass = async () => {
    broker.deliver(Infinity);
    await clock.advance(50);
    broker.readAcks(Infinity);
  };
  // The session must be there before the first message, as with any broker.
  const first = make();
  await first.start(() => {});
  await pass();
  await closed({ pass }, first);
  return {
    make,
    feed(from, to) {
      for (let n = from; n < to; n++) broker.publish({ topic: "plant/d1", payload: String(n), qos: 1 });
      return Promise.resolve();
    },
    numberOf: (item) => item.kind === "reading" ? Number(item.fields["name"]) : NaN,
    acknowledged: () => Promise.resolve(broker.acknowledged.length),
    pass,
    dispose: () => Promise.resolve(),
  };
});
