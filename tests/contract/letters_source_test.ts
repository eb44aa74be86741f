import { seededDice } from "../../src/core/dice.ts";
import { createLettersSource } from "../../src/source/letters/letters_source.ts";
import { memoryLedger } from "../../src/store/memory_ledger.ts";
import { lineDecoder, lineNormalizer } from "../source/files/harness.ts";
import { letter } from "../support/ledger_values.ts";
import { virtualClock } from "../support/virtual_clock.ts";
import { sourceContract } from "./source_contract.ts";

sourceContract("letters", () => {
  const clock = virtualClock();
  const store = memoryLedger({ clock, deadLetterBytesMax: 1e6 });
  let fed = 0;
  return Promise.resolve({
    make: () =>
      createLettersSource({
        clock,
        dice: seededDice(1),
        emit: () => {},
        store,
        openDecoder: lineDecoder,
        decodePayload: () => [],
        normalizer: lineNormalizer,
        topicFields: () => null,
      }),
    async feed(from: number, to: number) {
      const raw = (n: number) => new TextEncoder().encode(`{"n":${n}}`);
      await store.append(
        Array.from(
          { length: to - from },
          (_, i) => letter(`gw/${from + i}`, { decoder: "reading", raw: raw(from + i) }),
        ),
      );
      await store.askReplay({ filter: {}, ratePerSecond: 1000 });
      fed += to - from;
    },
    numberOf: (item) => item.kind === "reading" ? Number(item.fields["n"]) : NaN,
    acknowledged: async () => fed - (await store.letterCount({})).letters,
    async pass() {
      await clock.advance(50);
      await new Promise((resolve) => setTimeout(resolve, 1));
    },
    dispose: () => Promise.resolve(),
  });
});
