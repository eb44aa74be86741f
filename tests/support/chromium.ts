/**
 * A real browser without a window, for tests of the status page.
 *
 * @module
 */
import { type Browser, chromium, type Page } from "playwright-core";
import { leftOut, patienceMs } from "./servers.ts";

export type { Page };

/** How a page is looked at. */
export interface View {
  readonly width: number;
  readonly height: number;
  readonly scheme: "light" | "dark";
  readonly reducedMotion?: boolean;
  /** Password for the browser to give when it is asked for one. */
  readonly token?: string;
}

/** A page, and what went wrong in it. */
export interface Watched {
  readonly page: Page;
  /** Errors, refusals of the content security policy, dialogs, requests that failed. */
  readonly wrong: readonly string[];
}

const places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** The browser's program, or null when there is none; says so, for the suite, then. */
export function findChromium(suite: string): string | null {
  for (const program of places) {
    try {
      Deno.statSync(program);
      return program;
    } catch (thrown) {
      if (!(thrown instanceof Deno.errors.NotFound)) throw thrown;
    }
  }
  leftOut(suite, "no Chromium found; install Debian's package chromium");
  return null;
}

/** Starts the browser for as long as `use` takes. */
export async function withChromium(program: string, use: (browser: Browser) => Promise<void>): Promise<void> {
  // Its sandbox does not work for root and in most containers; it sees nothing here but our own page.
  const browser = await chromium.launch({
    executablePath: program,
    args: ["--no-sandbox", "--disable-gpu"],
    timeout: patienceMs,
  });
  try {
    await use(browser);
  } finally {
    await browser.close();
  }
}

/** Opens an address, and watches for everything that goes wrong. */
export async function open(browser: Browser, url: string, view: View): Promise<Watched> {
  const { width, height, scheme, reducedMotion = false, token } = view;
  const page = await browser.newPage({
    viewport: { width, height },
    colorScheme: scheme,
    reducedMotion: reducedMotion ? "reduce" : "no-preference",
    ...(token === undefined ? {} : { httpCredentials: { username: "weir", password: token } }),
  });
  page.setDefaultTimeout(patienceMs);
  const wrong: string[] = [];
  page.on("pageerror", (error) => wrong.push(`error: ${error.message}`));
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && wrong.push(message.text()));
  page.on("dialog", (dialog) => {
    wrong.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on("request", (request) => {
    const asked = request.url();
    if (!asked.startsWith(url) && !asked.startsWith("data:")) wrong.push(`asks ${asked}`);
  });
  await page.goto(url);
  return { page, wrong };
}

/** Where screenshots go: a build output. */
export async function screenshot(page: Page, name: string): Promise<void> {
  const folder = new URL("../../dist/screenshots/", import.meta.url).pathname;
  await Deno.mkdir(folder, { recursive: true });
  await page.screenshot({ path: `${folder}${name}.png`, fullPage: true });
}
