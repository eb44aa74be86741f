/** @module */
import assert from "node:assert/strict";
import fc from "fast-check";
import { WeirError } from "../../src/core/error.ts";
import type { ReadTime } from "../../src/decode/time.ts";
import { createTimeReader } from "../../src/decode/time.ts";

const utc = createTimeReader({ timeZone: "UTC", timeFormat: "epoch" });
const iso = createTimeReader({ timeZone: "UTC", timeFormat: "iso" });
const berlin = createTimeReader({ timeZone: "Europe/Berlin", timeFormat: "iso" });

function read(reader: typeof utc, text: string): string | null {
  const time: ReadTime = { value: 0, json: "" };
  return reader.readText(text, time) ? time.json : null;
}

Deno.test("ISO 8601 leaves as epoch milliseconds, or as ISO 8601 in UTC", () => {
  assert.equal(read(utc, "2026-11-23T11:12:12.123Z"), "1795432332123");
  assert.equal(read(iso, "2026-11-23T11:12:12.123Z"), '"2026-11-23T11:12:12.123Z"');
  for (
    const text of [
      "2026-11-23 11:12:00+00",
      "2026-11-23T13:12+02:00",
      "2026-11-23t11:12:00z",
      "2026-11-23T06:42:00.0-0430",
    ]
  ) {
    assert.equal(read(iso, text), '"2026-11-23T11:12:00.000Z"', text);
  }
  assert.equal(read(iso, "2026-11-23"), '"2026-11-23T00:00:00.000Z"');
  assert.equal(read(iso, "2016-12-31T23:59:60Z"), '"2017-01-01T00:00:00.000Z"');
});

Deno.test("a number is seconds, milliseconds, microseconds or nanoseconds by its magnitude", () => {
  assert.equal(read(utc, "1700000000"), "1700000000000");
  assert.equal(read(utc, "1700000000123"), "1700000000123");
  assert.equal(read(utc, "1700000000123456"), "1700000000123.456");
  assert.equal(read(utc, "1700000000123456789"), "1700000000123.456789");
  assert.equal(read(utc, "0"), "0");
  assert.equal(read(utc, "1.7e9"), "1700000000000");
});

Deno.test("what is finer than a millisecond keeps its decimals", () => {
  assert.equal(read(utc, "2026-11-23T11:12:12.123456789Z"), "1795432332123.456789");
  assert.equal(read(iso, "2026-11-23T11:12:12.123456Z"), '"2026-11-23T11:12:12.123456Z"');
  assert.equal(read(utc, "1700000000.000000001"), "1700000000000.000001");
  assert.equal(read(utc, "-0.0005"), "-0.5");
  assert.equal(read(iso, "-0.0005"), '"1969-12-31T23:59:59.9995Z"');
});

Deno.test("a time without a zone is in the zone of the settings, also where clocks change", () => {
  assert.equal(read(berlin, "2026-01-15 12:00:00"), '"2026-01-15T11:00:00.000Z"');
  assert.equal(read(berlin, "2026-07-15T12:00"), '"2026-07-15T10:00:00.000Z"');
  assert.equal(read(berlin, "2026-07-15T12:00:00Z"), '"2026-07-15T12:00:00.000Z"');
  // Clocks go from 2 to 3 on March 29 and from 3 to 2 on October 25.
  assert.equal(read(berlin, "2026-03-29T01:59:59"), '"2026-03-29T00:59:59.000Z"');
  assert.equal(read(berlin, "2026-03-29T02:30:00"), '"2026-03-29T01:30:00.000Z"');
  assert.equal(read(berlin, "2026-03-29T03:00:00"), '"2026-03-29T01:00:00.000Z"');
  assert.equal(read(berlin, "2026-10-25T02:30:00"), '"2026-10-25T00:30:00.000Z"');
  assert.equal(read(berlin, "2026-10-25T03:00:00"), '"2026-10-25T02:00:00.000Z"');
});

Deno.test("what is no time is refused", () => {
  for (
    const text of [
      "",
      "soon",
      "2026-02-30",
      "2026-13-01",
      "2026-01-01T24:00:00Z",
      "2026-01-01T00:60:00Z",
      "23.11.2026",
      "1e30",
      "NaN",
      "2026-1-1",
    ]
  ) {
    assert.equal(read(utc, text), null, text);
  }
});

Deno.test("any moment that ECMAScript writes is read back, whatever was read before it", () => {
  fc.assert(
    fc.property(
      fc.array(fc.date({ min: new Date(0), max: new Date("9999-12-31T00:00:00Z"), noInvalidDate: true })),
      (dates) => {
        for (const date of dates) {
          for (const text of [date.toISOString(), date.toISOString().replace(".000Z", "Z"), String(date.getTime())]) {
            // Small numbers are seconds, and large ones microseconds.
            if (text === String(date.getTime()) && (date.getTime() < 1e11 || date.getTime() >= 1e14)) continue;
            assert.equal(read(utc, text), String(date.getTime()), text);
            assert.equal(read(iso, text), JSON.stringify(date), text);
          }
        }
      },
    ),
  );
});

Deno.test("rows of one day do not borrow each other's time", () => {
  const reader = createTimeReader({ timeZone: "Europe/Berlin", timeFormat: "iso" });
  assert.equal(read(reader, "2026-07-15T12:00:00"), '"2026-07-15T10:00:00.000Z"');
  assert.equal(read(reader, "2026-07-15T12:00:01Z"), '"2026-07-15T12:00:01.000Z"');
  assert.equal(read(reader, "2026-07-15T12:00:02+01:00"), '"2026-07-15T11:00:02.000Z"');
  assert.equal(read(reader, "2026-07-15T25:00:00Z"), null);
  assert.equal(read(reader, "2026-07-16T12:00:00Z"), '"2026-07-16T12:00:00.000Z"');
  assert.equal(read(reader, "2026-08-16T12:00:00Z"), '"2026-08-16T12:00:00.000Z"');
});

Deno.test("an unknown zone is a mistake in the settings", () => {
  assert.throws(
    () => createTimeReader({ timeZone: "Mars/Olympus", timeFormat: "iso" }),
    (error) => error instanceof WeirError && error.code === "configuration" && error.message.includes('"Mars/Olympus"'),
  );
});
