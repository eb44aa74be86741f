/**
 * The spool in memory: the same answers as the table on disk.
 *
 * @module
 */
import { spooledBytes, type SpooledReading, type SpoolTotals, utf8Bytes } from "../core/spool.ts";
import type { SpoolTable } from "./spool_table.ts";

/** Makes an empty spool. */
export function spoolShelf(): SpoolTable {
  const kept = new Map<number, SpooledReading>();
  let bytes = 0;

  const inOrder = () => [...kept.values()].sort((a, b) => a.number - b.number);
  const bytesOf = (reading: SpooledReading) => spooledBytes(reading, utf8Bytes(reading.value));

  function totals(): SpoolTotals {
    return { readings: kept.size, bytes, oldestAtMs: inOrder()[0]?.arrivedAtMs ?? null };
  }

  function remove(number: number): void {
    const reading = kept.get(number);
    if (reading === undefined) return;
    kept.delete(number);
    bytes -= bytesOf(reading);
  }

  return {
    spoolAppend(readings) {
      for (const { number } of readings) if (kept.has(number)) throw new Error(`Reading ${number} is in the spool`);
      for (const reading of readings) {
        kept.set(reading.number, { ...reading });
        bytes += bytesOf(reading);
      }
      return totals();
    },
    spoolRead({ after, limit, bytesMax, except }) {
      let sum = 0;
      const wanted = inOrder().filter(({ number, source }) => number > after && !except.includes(source));
      const end = wanted.slice(0, limit).findIndex((reading, i) => (sum += bytesOf(reading)) > bytesMax && i > 0);
      return wanted.slice(0, end < 0 ? limit : end);
    },
    spoolRemove(numbers) {
      for (const number of numbers) remove(number);
      return totals();
    },
    spoolDropOldest(wanted, spared) {
      const until = bytes - wanted;
      const sparedNumbers = new Set(spared);
      const dropped: { number: number; source: string }[] = [];
      for (const { number, source } of inOrder()) {
        if (bytes <= until) break;
        if (sparedNumbers.has(number)) continue;
        remove(number);
        dropped.push({ number, source });
      }
      return { ...totals(), dropped };
    },
    spoolInventory() {
      const sources = new Map<string, number>();
      for (const { source } of kept.values()) sources.set(source, (sources.get(source) ?? 0) + 1);
      const numbers = inOrder().map(({ number }) => number);
      return {
        ...totals(),
        firstNumber: numbers[0] ?? 0,
        lastNumber: numbers.at(-1) ?? 0,
        sources: [...sources].map(([source, readings]) => ({ source, readings })).sort((a, b) =>
          a.source < b.source ? -1 : 1
        ),
      };
    },
  };
}
