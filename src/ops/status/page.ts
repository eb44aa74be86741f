/**
 * The page as one text: style and script stand inside it, so that it needs no second request, and the content security policy names them
 * by their hashes, so that nothing else runs.
 *
 * @module
 */
import { createHash } from "node:crypto";
import style from "./page/page.css" with { type: "text" };
import frame from "./page/page.html" with { type: "text" };
import figures from "./page/figures.js" with { type: "text" };
import live from "./page/live.js" with { type: "text" };
import rivers from "./page/rivers.js" with { type: "text" };

/** The page and what a browser may do with it. */
export interface Page {
  readonly html: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Puts the page together. */
export function buildPage(): Page {
  const script = `\n${[figures, rivers, live].map(withoutModule).join("\n")}`;
  const css = `\n${style}`;
  // Functions, because text in place of a pattern must not be read for `$&`.
  const html = frame
    .replace(/<style>[^<]*<\/style>/, () => `<style>${css}</style>`)
    .replace(/<script type="module">[^<]*<\/script>/, () => `<script type="module">${script}</script>`);
  const policy = [
    "default-src 'none'",
    `script-src '${hash(script)}'`,
    `style-src '${hash(css)}'`,
    "connect-src 'self'",
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ];
  return {
    html,
    headers: { "content-type": "text/html; charset=utf-8", "content-security-policy": policy.join("; ") },
  };
}

/** One text has no modules: their imports and exports go, and their names are unlike anyway. */
function withoutModule(script: string): string {
  return script.replace(/^import [^;]*;\n/gm, "").replace(/^export /gm, "");
}

function hash(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}
