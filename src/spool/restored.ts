/**
 * A reading as it comes back from the disk.
 *
 * @module
 */
import type { Clock } from "../core/clock.ts";
import type { Delivery } from "../core/delivery.ts";
import { messageOf } from "../core/error.ts";
import type { Fields, Item } from "../core/reading.ts";
import type { SpooledReading } from "../core/spool.ts";

/**
 * Makes an item of it. One whose text is damaged is a misfit and goes to the dead letters, as it stands.
 *
 * @param parts.parseFields throws when the text is no JSON object
 */
export function restoredItem(
  { id, source, value, row, arrivedAtMs, redelivered }: SpooledReading,
  { clock, parseFields }: { readonly clock: Clock; readonly parseFields: (value: string) => Fields },
): Item {
  const delivery = spoolDelivery(source);
  const bytes = new TextEncoder().encode(value);
  const shared = { delivery, index: 0, bytes: bytes.length };
  try {
    // A wall clock that was set back must not put arrivals into the future.
    const arrivedMs = clock.nowMs() - Math.max(0, clock.wallMs() - arrivedAtMs);
    return {
      ...shared,
      ...{ kind: "reading", id, fields: parseFields(value), value, row, byte: -1, arrivedMs, redelivered },
    };
  } catch (thrown) {
    const detail = `It was damaged on the disk: ${messageOf(thrown)}`;
    const origin = "real_time";
    return {
      ...shared,
      kind: "misfit",
      letter: {
        ...{ id, reason: "bad_json", detail, origin, source, row, byte: null, decoder: "reading", header: null },
        ...{ raw: bytes, arrivedAtMs },
      },
    };
  }
}

/** Nobody waits for it: the verdict removes the reading from the disk. */
function spoolDelivery(source: string): Delivery {
  return { origin: "real_time", source, settle: () => {} };
}
