/**
 * What happens outside of the gateway: sensors publish, systems drop files. Everything carries a key, and the books say what is to become
 * of it.
 *
 * @module
 */
import type { Dice } from "../../src/core/dice.ts";
import type { ModelBroker, ModelMessage } from "../source/mqtt/model_broker.ts";
import { type Books, type Fate, keyIn } from "./books.ts";
import type { MemoryDisk } from "./memory_disk.ts";

/** Folders that files are dropped into. */
export const folders = ["/drop/a", "/drop/b"] as const;

/** Shares of what does not simply arrive. */
export interface Shares {
  readonly filtered: number;
  readonly bad: number;
  readonly refused: number;
}

/** The outside. */
export interface Traffic {
  /** Some sensors speak, each on a topic of its own. */
  publish(): void;
  /** A file appears. */
  drop(wallMs: number): void;
  /** One of the files that were dropped appears again under another name, as the older of the two or the newer. */
  dropAgain(wallMs: number): void;
}

interface Dump {
  readonly folder: string;
  readonly text: string;
  readonly ending: string;
  /** Their keys. */
  readonly rows: readonly string[];
}

/** The key that a message of the world carries. */
export function keyOfMessage(message: ModelMessage): string {
  return keyIn(message.payload) ?? "";
}

/** Makes the outside. */
export function traffic(dice: Dice, shares: Shares, books: Books, broker: ModelBroker, disk: MemoryDisk): Traffic {
  let messages = 0;
  let files = 0;
  const placed: Dump[] = [];

  function fate(): Fate {
    const chance = dice();
    if (chance < shares.filtered) return "filtered";
    if (chance < shares.filtered + shares.bad) return "bad";
    return chance < shares.filtered + shares.bad + shares.refused ? "refused" : "good";
  }

  function place({ folder, text, ending, rows }: Dump, wallMs: number): void {
    const path = `${folder}/dump-${String(files++).padStart(4, "0")}.${ending}`;
    books.placed(path, rows);
    disk.put(path, text, wallMs);
  }

  return {
    publish() {
      for (let i = Math.floor(dice() * 4); i > 0; i--) {
        const hall = dice() < 0.3;
        const device = `${hall ? "hall" : "plant"}${Math.floor(dice() * 3)}`;
        const what = fate();
        messages += 1;
        const key = `${device}:${messages}`;
        const before = broker.kept;
        broker.publish({
          topic: `${hall ? "hall" : "plant"}/${device}`,
          payload: `{"metric":"m","value":${valueOf(what, messages)},"n":"${key}"}`,
          qos: 1,
        });
        // Before the first subscription a broker keeps nothing: what it did not take was not sent.
        if (broker.kept > before) books.sent(key, what);
      }
    },
    drop(wallMs) {
      const ending = ["csv", "ndjson", "json"][Math.floor(dice() * 3)] ?? "csv";
      const rows = Array.from({ length: Math.floor(dice() ** 2 * 160) }, (_, row) => {
        const device = `file${files}-${row % 3}`;
        return { device, key: `${device}:${row}`, what: fate(), row };
      });
      for (const { key, what } of rows) books.sent(key, what);
      const lines = rows.map(({ device, key, what, row }) => {
        if (ending !== "csv") {
          return `{"device_id":"${device}","metric":"m","value":${valueOf(what, row)},"n":"${key}"}`;
        }
        return what === "bad" ? `${device},m` : `${device},m,${valueOf(what, row)},${key}`;
      });
      const text = ending === "csv"
        ? `device_id,metric,value,n\n${lines.map((line) => `${line}\n`).join("")}`
        : ending === "ndjson"
        ? lines.map((line) => `${line}\n`).join("")
        : `[${lines.join(",\n")}]`;
      const keys = rows.map(({ key }) => key);
      const dump = { folder: folders[dice() < 0.5 ? 0 : 1], text, ending, rows: keys };
      placed.push(dump);
      place(dump, wallMs);
    },
    dropAgain(wallMs) {
      const again = placed[Math.floor(dice() * placed.length)];
      // Files without rows may be alike without being the same.
      if (again === undefined || again.rows.length === 0) return;
      place(again, wallMs);
    },
  };
}

function valueOf(what: Fate, number: number): string {
  return what === "filtered" ? "13" : what === "bad" ? "[1]" : String(number + 100);
}
