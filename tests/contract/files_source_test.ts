import { seededDice } from "../../src/core/dice.ts";
import { machineDisk } from "../../src/source/files/disk.ts";
import { createFilesSource } from "../../src/source/files/files_source.ts";
import { filesDefaults } from "../../src/source/files/options.ts";
import { memoryLedger } from "../../src/store/memory_ledger.ts";
import { lineDecoder, lineNormalizer } from "../source/files/harness.ts";
import { attendedDisk } from "../support/attended_disk.ts";
import { virtualClock } from "../support/virtual_clock.ts";
import { sourceContract } from "./source_contract.ts";

sourceContract("files", async () => {
  const folder = await Deno.makeTempDir();
  const clock = virtualClock();
  const { disk, idle } = attendedDisk(machineDisk);
  const store = memoryLedger({ clock, deadLetterBytesMax: 1e6 });
  /** Name and rows of each file, in the order in which they were dropped. */
  const dropped: { readonly path: string; readonly rows: number }[] = [];
  return {
    make: () =>
      createFilesSource({
        ...filesDefaults,
        folders: [{ path: folder, weight: 1, everyMs: null, capRows: null }],
        quietMs: 100,
        pollMs: 100,
        checkpointMs: 50,
      }, {
        clock,
        emit: () => {},
        store,
        openDecoder: lineDecoder,
        normalizer: lineNormalizer,
        gateway: "gw",
        dice: seededDice(1),
        disk: { ...disk, watch: () => ({ close: () => {} }) },
      }),
    async feed(from, to) {
      const path = `dump-${String(dropped.length).padStart(4, "0")}.csv`;
      const lines = Array.from({ length: to - from }, (_, i) => `${from + i}\n`);
      await Deno.writeTextFile(`${folder}/${path}`, `n\n${lines.join("")}`);
      dropped.push({ path, rows: to - from });
    },
    numberOf: (item) => item.kind === "reading" ? Number(item.value) : NaN,
    async acknowledged() {
      let sum = 0;
      const records = await store.files(folder, 1_000);
      for (const { path, rows } of dropped) {
        const record = records.find((candidate) => candidate.path === path);
        const done = record?.state === "done" || record?.state === "archived";
        const finished = done ? rows : record?.checkpoint?.row ?? 0;
        sum += finished;
        if (finished < rows) break;
      }
      return sum;
    },
    async pass() {
      await clock.advance(50);
      await idle();
    },
    dispose: () => Deno.remove(folder, { recursive: true }),
  };
});
