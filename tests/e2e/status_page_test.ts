/**
 * The status page in a real browser: of a real gateway that reads hostile files, and of gateways in every state.
 *
 * @module
 */
import assert from "node:assert/strict";
import { systemClock } from "../../src/core/clock.ts";
import type { AppStatus } from "../../src/core/status.ts";
import { startStatusServer } from "../../src/ops/status/status_server.ts";
import { fakeFile, fakeLetter, fakeLetters, fakeStatus, hostile } from "../ops/status/fake_gateway.ts";
import { findChromium, open, type Page, screenshot, withChromium } from "../support/chromium.ts";
import { runGateway, startGateway } from "../support/gateway.ts";
import { eventually, freePort } from "../support/servers.ts";

const suite = "Status page in Chromium";
const program = findChromium(suite);

const wide = { width: 1280, height: 900 };
const narrow = { width: 360, height: 780 };

async function textOf(page: Page, selector: string): Promise<string> {
  return await page.locator(selector).innerText();
}

/** How far the page is wider than the window, in pixels, and what sticks out. */
async function overflow(page: Page): Promise<readonly string[]> {
  return await page.evaluate(() => {
    const { document, innerWidth } = globalThis as unknown as {
      readonly innerWidth: number;
      readonly document: {
        querySelectorAll(selector: string): Iterable<{
          readonly tagName: string;
          readonly id: string;
          getBoundingClientRect(): { readonly right: number; readonly left: number; readonly width: number };
        }>;
      };
    };
    return [...document.querySelectorAll("body *:not(.hidden):not(.hidden *):not(.skip)")]
      .filter((one) => one.getBoundingClientRect().width > 1)
      .filter((one) => {
        const { left, right } = one.getBoundingClientRect();
        return right > innerWidth + 1 || left < -1;
      })
      .map((one) => `${one.tagName} ${one.id}`);
  });
}

/** Texts that stand out from what is behind them less than WCAG asks of any text (4.5 to 1), by how much they do. */
async function faintTexts(page: Page): Promise<readonly string[]> {
  return await page.evaluate<readonly string[]>(`(() => {
    const context = Object.assign(document.createElement("canvas"), { width: 1, height: 1 })
      .getContext("2d", { willReadFrequently: true });
    const rgba = (colour) => {
      context.clearRect(0, 0, 1, 1);
      context.fillStyle = colour;
      context.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = context.getImageData(0, 0, 1, 1).data;
      return { rgb: [r, g, b], a: a / 255 };
    };
    const over = ({ rgb, a }, below) => rgb.map((one, i) => one * a + below[i] * (1 - a));
    const linear = (one) => one / 255 <= 0.04045 ? one / 255 / 12.92 : ((one / 255 + 0.055) / 1.055) ** 2.4;
    const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
    const withAncestors = (node) => node === null ? [] : [...withAncestors(node.parentElement), node];
    return [...document.querySelectorAll("body *")].flatMap((node) => {
      const hasText = [...node.childNodes].some((one) => one.nodeType === Node.TEXT_NODE && one.textContent.trim() !== "");
      const { width } = node.getBoundingClientRect();
      if (!hasText || width < 2 || node.closest(".hidden, .skip")) return [];
      const styles = withAncestors(node).map((one) => getComputedStyle(one));
      const ground = styles.reduce((below, { backgroundColor }) => over(rgba(backgroundColor), below), [255, 255, 255]);
      const ink = rgba(styles.at(-1).color);
      const opacity = styles.reduce((product, style) => product * Number(style.opacity), 1);
      const [dark, light] = [luminance(ground), luminance(over({ ...ink, a: ink.a * opacity }, ground))].sort((a, b) => a - b);
      const contrast = (light + 0.05) / (dark + 0.05);
      return contrast < 4.5 ? [node.tagName + "." + node.className + "#" + node.id + " " + contrast.toFixed(2)] : [];
    });
  })()`);
}

/** How many rows of pixels of the upper half of the picture show something, at x from 0 to 1. */
async function waterAt(page: Page, x: number): Promise<number> {
  return Number(
    await page.evaluate(`(() => {
      const water = document.querySelector("#water");
      const half = Math.round(water.height * 0.36);
      const { data } = water.getContext("2d").getImageData(Math.round(water.width * ${x}), 0, 1, half);
      return Array.from({ length: half }, (_, y) => data[4 * y + 3]).filter((alpha) => alpha > 40).length;
    })()`),
  );
}

/** Serves statuses that move with the machine's clock, for as long as `use` takes. */
async function serving(
  changes: Partial<AppStatus> | ((upMs: number) => Partial<AppStatus>),
  use: (url: string) => Promise<void>,
  token: string | null = null,
): Promise<void> {
  const port = freePort();
  const startedMs = systemClock.nowMs() - 65_000;
  const server = startStatusServer({
    ...{ hostname: "127.0.0.1", port, token, version: "0.1.0", clock: systemClock, emit: () => {} },
    status() {
      const upMs = systemClock.nowMs() - startedMs;
      return fakeStatus(upMs, typeof changes === "function" ? changes(upMs) : changes);
    },
    letters: fakeLetters(
      fakeLetter(2, { source: `/dumps/${hostile}`, detail: hostile, raw: new TextEncoder().encode(hostile) }),
      fakeLetter(1),
    ),
  });
  try {
    await use(`http://127.0.0.1:${port}/`);
  } finally {
    await server.close();
  }
}

/** Everything that can be wrong or long, at once. */
const worst: Partial<AppStatus> = {
  gateway: "a-gateway-with-a-name-of-a-hundred-characters-".repeat(2),
  sources: [
    {
      kind: "mqtt",
      connected: false,
      protocolVersion: null,
      pendingMessages: 123_456_789,
      pendingBytes: 123_456_789_000,
      inboxReadings: 1_000_000,
      reconnects: 9999,
    },
    {
      kind: "files",
      active: [
        fakeFile({ name: hostile, verdict: "late", etaMs: 123_456_789 }),
        fakeFile({ folder: `/${"x".repeat(200)}`, name: `${"y".repeat(200)}.csv`, verdict: "at_risk" }),
        fakeFile({ folder: "/c", rowsEstimated: null, etaMs: null, verdict: "none", sizeBytes: 0, readBytes: 0 }),
      ],
      waitingFiles: 1234,
      waitingBytes: 5e12,
      doneFiles: 99_999,
      quarantinedFiles: 12,
    },
  ],
  sink: {
    kind: "kafka",
    connected: false,
    trouble: `No broker answers at ${"kafka-1.plant.example:9092,".repeat(8)} ${hostile}`,
    inFlightReadings: 2160,
    retries: 12_345,
    throttledMs: 98_765_432,
  },
  spool: {
    ...{ readings: 123_456_789, bytes: 200e6, bytesMax: 268_435_456, oldestAgeMs: 123_456_789 },
    ...{ droppedReadings: 9_876_543, stillTopics: 9, stuck: "full" },
  },
};

if (program !== null) {
  Deno.test("the page of a running gateway moves, and a hostile file is text on it", async () => {
    const root = await Deno.makeTempDir({ prefix: "weir-page-" });
    const name = `<img src=x onerror=alert(1)>\u202egpj.csv`;
    const rows = Array.from(
      { length: 120_000 },
      (_, i) => i % 200 === 7 ? "<script>alert(1)<b>" : `d${i % 50},temp,${i}`,
    );
    await Deno.mkdir(`${root}/drop`);
    await Deno.writeTextFile(`${root}/drop/${name}`, `device_id,metric,value\n${rows.join("\n")}\n`);
    const port = freePort();
    const token = crypto.randomUUID();
    await Deno.writeTextFile(`${root}/token`, token);
    const where = ["--status-listen", `127.0.0.1:${port}`, "--status-token-file", `${root}/token`];
    const gateway = startGateway([
      ...["run", "--files-dir", `${root}/drop`, "--files-ready", "rename", "--files-cap", "500/s"],
      ...["--sink", `ndjson:${root}/out.ndjson`, "--state-dir", `${root}/state`, "--gateway", "press-line-3"],
      ...where,
    ]);
    try {
      await gateway.logged(/status page is at/);
      const told = await runGateway(["status", ...where]);
      assert.match(told.stdout, /^press-line-3, up /, told.stderr);
      await withChromium(program, async (browser) => {
        const url = `http://127.0.0.1:${port}/`;
        const { page, wrong } = await open(browser, url, { ...wide, scheme: "light", token });
        // Four minutes of rows: on a slow machine, too, they flow until the last look.
        await eventually("rows flow", async () => Number(await textOf(page, "#files-rate")) > 300);
        assert.equal(await textOf(page, ".file .name"), "<img src=x onerror=alert(1)>\\u202egpj.csv");
        assert.equal(await textOf(page, "#state"), "all is well");
        assert.equal(await page.locator("#spool-note").isVisible(), false);
        const first = await textOf(page, "#sea-note");
        await eventually("the sum moves", async () => await textOf(page, "#sea-note") !== first);
        await eventually("a dead letter is there", async () => await page.locator(".letters li").count() > 0);
        await page.locator(".letters summary").first().click();
        assert.equal(await textOf(page, ".letters details[open] pre"), "<script>alert(1)<b>");
        assert.equal(await page.locator("main img, main script").count(), 0);
        await screenshot(page, "gateway-light-wide");
        assert.deepEqual(wrong, []);

        await gateway.stop();
        await eventually(
          "the page says that it is alone",
          async () => /no connection/.test(await textOf(page, "#state")),
        );
        assert.equal(await page.locator("main").getAttribute("data-stale"), "true");
        assert.match(await textOf(page, "#news"), /no connection/, "who does not see it is told");
        assert.deepEqual(await faintTexts(page), [], "old figures can be read");
      });
    } finally {
      gateway.signal("SIGKILL");
      await gateway.ended;
      await Deno.remove(root, { recursive: true });
    }
  });

  Deno.test("nothing sticks out, in light and dark, on a wide and on a narrow screen, whatever the gateway says", async () => {
    await withChromium(program, async (browser) => {
      for (const [state, changes] of [["well", {}], ["worst", worst]] as const) {
        await serving(changes, async (url) => {
          for (const [size, view] of [["wide", wide], ["narrow", narrow]] as const) {
            for (const scheme of ["light", "dark"] as const) {
              const { page, wrong } = await open(browser, url, { ...view, scheme, token: "0123456789abcdef" });
              await eventually("figures are there", async () => /\d/.test(await textOf(page, "#sea-rate")));
              for (const summary of await page.locator(".letters summary").all()) await summary.click();
              // Enough of the curves and the water to look at.
              await eventually("it moves", async () => Number(await textOf(page, "#files-rate")) > 400);
              assert.deepEqual(await overflow(page), [], `${state} ${size} ${scheme}`);
              assert.deepEqual(await faintTexts(page), [], `${state} ${size} ${scheme}`);
              await screenshot(page, `${state}-${scheme}-${size}`);
              assert.deepEqual(wrong, [], `${state} ${size} ${scheme}`);
              assert.ok(!(await page.title()).includes("owned"));
              await page.close();
            }
          }
        }, "0123456789abcdef");
      }
    });
  });

  Deno.test("what is wrong is said in words, and told to who does not see it", async () => {
    await withChromium(program, async (browser) => {
      await serving(worst, async (url) => {
        const { page } = await open(browser, url, { ...wide, scheme: "dark", reducedMotion: true });
        await eventually("figures are there", async () => /\d/.test(await textOf(page, "#sea-rate")));
        assert.equal(await textOf(page, "#state"), "the sink is in trouble");
        assert.match(await textOf(page, "#news"), /the sink is in trouble; reading <img/);
        assert.equal(await page.locator("#news").getAttribute("aria-live"), "polite");
        assert.match(await textOf(page, "#sink-state"), /^No broker answers at kafka-1/);
        assert.equal(
          await textOf(page, "#spool-note"),
          "123,456,789 on disk (191 MiB of 256 MiB), the oldest 34 h 17 min old, 9,876,543 dropped; the spool is full",
        );
        assert.deepEqual(await page.locator(".chip:visible").allInnerTexts(), ["late", "at risk"]);
        const bar = page.locator(".file .bar").first();
        assert.equal(await bar.getAttribute("role"), "progressbar");
        assert.equal(await bar.getAttribute("aria-valuenow"), "50");
        const told = await textOf(page, "#news");
        const up = await textOf(page, "#about");
        await eventually("seconds pass", async () => await textOf(page, "#about") !== up);
        assert.equal(await textOf(page, "#news"), told, "nothing is told again each second");
      });
    });
  });

  Deno.test("the stream ends in its basin while nothing is forwarded, and flows on otherwise", async () => {
    const away = (upMs: number): Partial<AppStatus> => {
      const none = { filtered: 0, dead_lettered: 0, dropped: 0 };
      const read = Math.round(upMs * 0.3);
      return {
        sums: {
          real_time: { ...none, read, delivered: 10, open: read - 10 },
          batch: { ...none, read: 0, delivered: 0, open: 0 },
        },
        spool: {
          ...{ readings: 20_000, bytes: 4_000_000, bytesMax: 256 * 1024 * 1024, oldestAgeMs: 60_000 },
          ...{ droppedReadings: 0, stillTopics: 0, stuck: null },
        },
      };
    };
    await withChromium(program, async (browser) => {
      for (const [changes, flowsOn] of [[{}, true], [away, false]] as const) {
        await serving(changes, async (url) => {
          const { page } = await open(browser, url, { ...wide, scheme: "light", reducedMotion: true });
          await eventually("it moves", async () => Number(await textOf(page, "#streams-rate")) > 200);
          const [before, behind] = [await waterAt(page, 0.04), await waterAt(page, 0.27)];
          assert.ok(before > 15, `${before} of the picture's rows are water where the stream comes in`);
          if (flowsOn) assert.ok(behind > 15, `${behind} behind the basin`);
          else assert.ok(behind <= 4, `${behind} behind the basin, where nothing flows`);
          await screenshot(page, flowsOn ? "stream-flows" : "stream-held");
          await page.close();
        });
      }
    });
  });

  Deno.test("a screen reader finds places, headings, values and words for each picture", async () => {
    await withChromium(program, async (browser) => {
      await serving({}, async (url) => {
        const { page } = await open(browser, url, { ...wide, scheme: "light", token: "0123456789abcdef" });
        await eventually("letters are there", async () => await page.locator(".letters li").count() === 2);
        await page.locator(".letters summary").first().click();
        // Letters and figures come each by itself, and what flows now needs two of the latter.
        await eventually("it moves", async () => Number(await textOf(page, "#files-rate")) > 0);
        const heard = await page.locator("body").ariaSnapshot();
        for (
          const part of [
            /^- link "To the figures":/m,
            /^- banner:\n {2}- heading "press-line-3" \[level=1\]/m,
            /^- status: all is well; reading a\.csv$/m,
            /^- main:\n {2}- region "What flows now":\n {4}- heading "Streams" \[level=2\]/m,
            /^ {2}- region "Delay of the streams":\n {4}- heading [^]*- 'img "p99 of the delay: highest \d/m,
            /- img "Streams now \d+ a second, files \d+ a second; highest \d+"/,
            /- progressbar "Progress of a\.csv"/,
            /- row "delivered [\d,]+ [\d,]+":\n *- rowheader "delivered"/,
            /- group "Contents of dead letter 2": /,
            /^- contentinfo:/m,
          ]
        ) assert.match(heard, part);
        const levels = [...heard.matchAll(/\[level=(\d)\]/g)].map(([, level]) => level);
        assert.deepEqual([levels[0], ...new Set(levels.slice(1))], ["1", "2"]);
      }, "0123456789abcdef");
    });
  });

  Deno.test("the keyboard is enough, an open letter stays open, and without a token its contents stay away", async () => {
    await withChromium(program, async (browser) => {
      await serving({}, async (url) => {
        const { page } = await open(browser, url, { ...narrow, scheme: "light" });
        await eventually("letters are there", async () => await page.locator(".letters li").count() === 2);
        await page.keyboard.press("Tab");
        assert.equal(await page.evaluate("document.activeElement.className"), "skip");
        await page.keyboard.press("Tab");
        assert.equal(await page.evaluate("document.activeElement.tagName"), "SUMMARY");
        await page.keyboard.press("Enter");
        const up = await textOf(page, "#about");
        await eventually("seconds pass", async () => await textOf(page, "#about") !== up);
        assert.equal(await page.locator(".letters details[open]").count(), 1);
        assert.equal(await page.evaluate("document.activeElement.tagName"), "SUMMARY");
        assert.match(await textOf(page, ".letters details[open]"), /--status-token-file.*weir dlq show 2/);
        assert.equal(await page.locator(".letters pre").count(), 0);
        await page.keyboard.press("Escape");
        assert.equal(await page.locator(".letters details[open]").count(), 0);
        assert.equal(await page.evaluate("document.activeElement.tagName"), "SUMMARY");
        const stops: unknown[] = [];
        for (let stop = 0; stop < 5; stop++) {
          await page.keyboard.press("Tab");
          stops.push(await page.evaluate("document.activeElement.textContent.trim().split(' ')[0]"));
          assert.equal(await page.evaluate("getComputedStyle(document.activeElement).outlineStyle"), "solid");
        }
        assert.deepEqual(stops, ["bad_csv", "status.json", "metrics", "healthz", "readyz"]);
      });
    });
  });
}
