import assert from "node:assert/strict";
import fc from "fast-check";
import {
  byteRateOrNone,
  count,
  duration,
  durationOrNone,
  moment,
  oneMeaning,
  oneOf,
  path,
  rateOrNone,
  size,
  sizeOrNone,
  timeZone,
  toggle,
} from "../../src/config/kinds.ts";
import type { Kind } from "../../src/config/kind.ts";

const dayMs = 86_400_000;

function valueOf<T>(kind: Kind<T>, text: string): T | "refused" {
  const parsed = kind.parse(text);
  return parsed.ok ? parsed.value : "refused";
}

function assertTable<T>(kind: Kind<T>, table: Readonly<Record<string, T | "refused">>): void {
  for (const [text, expected] of Object.entries(table)) {
    assert.deepEqual(valueOf(kind, text), expected, `"${text}"`);
  }
}

Deno.test("a time has a unit, or is seconds, and stays within its limits", () => {
  assertTable(duration(0, 7 * dayMs), {
    "10": 10_000,
    "0": 0,
    "1.5": 1500,
    "250ms": 250,
    "10s": 10_000,
    "5m": 300_000,
    "5min": 300_000,
    "24h": dayMs,
    "7d": 7 * dayMs,
    "1h30m": 5_400_000,
    "8d": "refused",
    "10sec": "refused",
    "-1s": "refused",
    "1h 30m": "refused",
    "s": "refused",
    "": "refused",
    "1e3": "refused",
    "10sx": "refused",
  });
});

Deno.test("a size has a unit, or is bytes", () => {
  assertTable(size(10), {
    "10": 10,
    "64KiB": 65_536,
    "64kib": 65_536,
    "1.5KiB": 1536,
    "256 MiB": 268_435_456,
    "2GiB": 2_147_483_648,
    "500MB": 500_000_000,
    "9": "refused",
    "256M": "refused",
    "MiB": "refused",
    "-5KiB": "refused",
    "99999999TiB": "refused",
  });
});

Deno.test("a rate is whole rows a second, or none", () => {
  assertTable<number | "none">(rateOrNone(1), {
    "500": 500,
    "500/s": 500,
    "none": "none",
    "0": "refused",
    "500/m": "refused",
    "500 rows": "refused",
    "1.5": "refused",
    "99999999999": "refused",
  });
});

Deno.test("a rate in bytes takes sizes with and without /s", () => {
  assertTable<number | "none">(byteRateOrNone, {
    "2MiB/s": 2_097_152,
    "2MiB": 2_097_152,
    "4096": 4096,
    "none": "none",
    "10": "refused",
    "fast": "refused",
  });
});

Deno.test("none is allowed only where it says so", () => {
  assert.equal(valueOf(durationOrNone(0, dayMs), "none"), "none");
  assert.equal(valueOf(duration(0, dayMs), "none"), "refused");
  assert.equal(valueOf(sizeOrNone(0), "none"), "none");
  assert.equal(valueOf(size(0), "none"), "refused");
});

Deno.test("a count is whole and within its limits, and the refusal names them", () => {
  assertTable(count(1, 65_535), {
    "1": 1,
    "65535": 65_535,
    "0": "refused",
    "65536": "refused",
    "1.0": "refused",
    "0x10": "refused",
  });
  const parsed = count(1, 65_535).parse("0");
  assert.deepEqual(parsed, { ok: false, mistake: "Must be a whole number from 1 to 65535" });
});

Deno.test("every whole number within the limits of a count is itself", () => {
  fc.assert(fc.property(fc.integer({ min: 5, max: 1_000_000 }), (n) => valueOf(count(5, 1_000_000), String(n)) === n));
});

Deno.test("a word is one of those allowed, and they are named in the order given", () => {
  assertTable<string>(oneOf("keep", "drop"), { keep: "keep", drop: "drop", Keep: "refused", "": "refused" });
  assert.deepEqual(oneOf("keep", "drop").parse("x"), { ok: false, mistake: "Must be one of keep, drop" });
  assertTable<number | string>(oneMeaning<number | string>(["auto", "auto"], ["5", 5], ["3.1.1", 4]), {
    auto: "auto",
    "5": 5,
    "3.1.1": 4,
    "4": "refused",
    "constructor": "refused",
  });
});

Deno.test("a switch is true or false and nothing like it", () => {
  assertTable<boolean>(toggle, { true: true, false: false, yes: "refused", "1": "refused", "": "refused" });
});

Deno.test("a path is not empty and holds no zero byte", () => {
  assertTable(path, { "a/b": "a/b", "": "refused", "a\0b": "refused" });
});

Deno.test("a time zone is one that the runtime knows", () => {
  assertTable(timeZone, { UTC: "UTC", "Europe/Berlin": "Europe/Berlin", "Mars/Olympus": "refused", "": "refused" });
});

Deno.test("a moment is a time ago or a point of the calendar, UTC unless it names a zone", () => {
  const at = (iso: string) => ({ atMs: Date.parse(iso) });
  assert.deepEqual(valueOf(moment, "2h"), { agoMs: 7_200_000 });
  assert.deepEqual(valueOf(moment, "2026-03-01"), at("2026-03-01T00:00:00Z"));
  assert.deepEqual(valueOf(moment, "2026-03-01T08:00"), at("2026-03-01T08:00:00Z"));
  assert.deepEqual(valueOf(moment, "2026-03-01T08:00:00.5Z"), at("2026-03-01T08:00:00.500Z"));
  assert.deepEqual(valueOf(moment, "2026-03-01T08:00:00+02:00"), at("2026-03-01T06:00:00Z"));
  for (const text of ["yesterday", "10", "2026-13-01", "2026-03-01 08:00", "12:00"]) {
    assert.equal(valueOf(moment, text), "refused", text);
  }
});

Deno.test("no text makes a kind throw", () => {
  const kinds: readonly Kind<unknown>[] = [
    duration(0, dayMs),
    size(0),
    rateOrNone(0),
    byteRateOrNone,
    count(0, 9),
    moment,
    timeZone,
    toggle,
    path,
    oneOf("a", "b"),
  ];
  fc.assert(fc.property(fc.string({ unit: "binary" }), fc.constantFrom(...kinds), (text, kind) => {
    kind.parse(text);
  }));
});
