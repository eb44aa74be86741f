/**
 * What the spool says of itself: that readings go to the disk and that it is empty again, once each; drops, at most once a minute. When
 * it fills again within a minute because the sink is slow, that is said only if it is not empty by the end of it.
 *
 * @module
 */
import type { Clock, Timer } from "../core/clock.ts";
import type { Emit } from "../core/event.ts";
import type { SpoolTotals } from "../core/spool.ts";
import { formatBytes, formatCount, formatDuration } from "../core/text.ts";
import type { WhenFull } from "./writer.ts";

/** Says things. */
export interface Notices {
  /** So many readings were written. */
  written(count: number, totals: SpoolTotals, away: boolean): void;
  /** Nothing is left. */
  emptied(): void;
  /** An earlier run left something. */
  found(totals: SpoolTotals): void;
  dropped(count: number, rule: WhenFull): void;
  lost(count: number): void;
  close(): void;
}

const dropsEveryMs = 60_000;
/** Beginnings that are said are so far from the end before, at least. */
const againMs = 60_000;

/** Makes {@linkcode Notices}. */
export function createNotices({ clock, emit }: { readonly clock: Clock; readonly emit: Emit }): Notices {
  /** Of what is on disk now: since when, how many in all, and whether that was said. */
  let sinceMs: number | null = null;
  let readings = 0;
  let told = false;
  let emptiedMs = -Infinity;
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
    written(count, totals, away) {
      const nowMs = clock.nowMs();
      sinceMs ??= nowMs;
      readings += count;
      if (told || !away && nowMs - emptiedMs < againMs) return;
      told = true;
      const why = away ? "the sink does not answer" : "the sink does not take all of them";
      emit("warn", "spool.began", `Readings of streams are put aside on disk: ${why}`, {
        readings: totals.readings,
        bytes: totals.bytes,
      });
    },
    emptied() {
      if (sinceMs === null) return;
      const tookMs = clock.nowMs() - sinceMs;
      if (told) {
        emit(
          "info",
          "spool.emptied",
          `All readings that were put aside on disk are sent: ${formatCount(readings)} in ${formatDuration(tookMs)}`,
          { readings, seconds: Math.round(tookMs / 1000) },
        );
        emptiedMs = clock.nowMs();
      }
      sinceMs = null;
      readings = 0;
      told = false;
    },
    found(totals) {
      sinceMs = clock.nowMs();
      readings = totals.readings;
      told = true;
      const { bytes } = totals;
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
      if (by === "drop_oldest") readings -= count;
      rule = by;
      if (timer !== null) return;
      tellDrops();
      tellDropsAfter();
    },
    lost(count) {
      readings -= count;
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
