/**
 * What the spool says of itself: that readings go to the disk and that it is empty again, once each; drops, at most once a minute.
 *
 * @module
 */
import type { Clock, Timer } from "../core/clock.ts";
import type { Emit } from "../core/event.ts";
import type { SpoolTotals } from "../core/spool.ts";
import { formatBytes, formatCount } from "../core/text.ts";
import type { WhenFull } from "./writer.ts";

/** Says things. */
export interface Notices {
  /** Readings were written. */
  began(totals: SpoolTotals, away: boolean): void;
  /** Nothing is left. */
  emptied(): void;
  /** An earlier run left something. */
  found(totals: SpoolTotals): void;
  dropped(count: number, rule: WhenFull): void;
  lost(count: number): void;
  close(): void;
}

const dropsEveryMs = 60_000;

/** Makes {@linkcode Notices}. */
export function createNotices({ clock, emit }: { readonly clock: Clock; readonly emit: Emit }): Notices {
  let sinceMs: number | null = null;
  let drops = 0;
  let timer: Timer | null = null;
  let rule: WhenFull = "block";

  function tellDrops(): void {
    if (drops === 0) return;
    const which = rule === "drop_oldest" ? "the oldest" : "new ones";
    emit(
      "warn",
      "spool.dropped",
      `${
        formatCount(drops)
      } readings of streams were dropped, ${which}: the spool is full (--spool-max, --spool-when-full ${rule})`,
      { readings: drops },
    );
    drops = 0;
  }

  function tellDropsAfter(): void {
    timer = clock.after(dropsEveryMs, () => {
      timer = null;
      if (drops === 0) return;
      tellDrops();
      tellDropsAfter();
    });
  }

  return {
    began({ readings, bytes }, away) {
      if (sinceMs !== null) return;
      sinceMs = clock.nowMs();
      const why = away ? "the sink does not answer" : "the sink is slower than they come";
      emit("warn", "spool.began", `Readings of streams are put aside on disk: ${why}`, { readings, bytes });
    },
    emptied() {
      if (sinceMs === null) return;
      const seconds = Math.round((clock.nowMs() - sinceMs) / 1000);
      sinceMs = null;
      emit("info", "spool.emptied", `All readings that were put aside on disk are sent, after ${seconds} s`, {
        seconds,
      });
    },
    found({ readings, bytes }) {
      sinceMs = clock.nowMs();
      emit(
        "info",
        "spool.found",
        `${formatCount(readings)} readings of streams (${
          formatBytes(bytes)
        }) are on disk from before the start: they are sent now`,
        { readings, bytes },
      );
    },
    dropped(count, by) {
      drops += count;
      rule = by;
      if (timer !== null) return;
      tellDrops();
      tellDropsAfter();
    },
    lost(count) {
      emit(
        "error",
        "spool.lost",
        `${formatCount(count)} readings of streams that were put aside on disk are gone: the state file was damaged`,
        { readings: count },
      );
    },
    close() {
      timer?.cancel();
      tellDrops();
    },
  };
}
