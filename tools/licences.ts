/**
 * The licences of what is inside the program: Weir's own, the runtime's, and of each npm package in the bundle its name, version and
 * licence text, which most of these licences ask for.
 *
 * @module
 */
import { join } from "node:path";

/** What is in the runtime: looked up in its crates, docs/decisions/0176-licences-of-the-runtime.md says how. */
const runtime = `Deno (the runtime inside the program)
https://github.com/denoland/deno

MIT License

Copyright 2018-2026 the Deno authors

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the
"Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish,
distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the
following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF
MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY
CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE
SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.

The runtime holds, each under its own licence:

V8 (BSD-3-Clause) with ICU and its data (Unicode-3.0 and what it names), by way of the crate v8 (MIT); the texts follow
JavaScript of Node.js (MIT; the text follows), by way of the crate deno_node (MIT)
AWS-LC (ISC, Apache-2.0, MIT and BSD-3-Clause, https://github.com/aws/aws-lc/blob/main/LICENSE) and ring (Apache-2.0 and ISC,
  https://github.com/briansmith/ring/blob/main/LICENSE), for TLS and cryptography
SQLite (public domain), by way of the crate libsqlite3-sys (MIT)
libffi (MIT), Little CMS (MIT), Zstandard (BSD-3-Clause), Brotli (BSD-3-Clause or MIT), libdeflate (MIT, its crate Apache-2.0), encoding_rs (Apache-2.0 or MIT, and
  BSD-3-Clause)
Under MPL-2.0, unchanged, their sources at https://crates.io: webpki-roots, webpki-root-certs, cssparser, dtoa-short
Other Rust crates out of https://github.com/denoland/deno/blob/main/Cargo.lock, each under the licence that https://crates.io names; nearly all
  of them MIT, Apache-2.0 or both
`;

/** Texts that come with none of the packages. */
const runtimeTexts = new URL("./runtime_licences.txt", import.meta.url);

const rule = `\n${"=".repeat(100)}\n\n`;

/**
 * One text with all of them.
 *
 * @param folders the folders of the packages
 * @param own Weir's licence
 * @throws {Error} when a package says nothing about its licence.
 */
export async function licencesOf(folders: readonly string[], own: string): Promise<string> {
  const packages = await Promise.all(folders.map(licenceOf));
  const texts = await Deno.readTextFile(runtimeTexts);
  return [`Weir\n\n${await Deno.readTextFile(own)}`, runtime, texts, ...packages].join(rule);
}

async function licenceOf(folder: string): Promise<string> {
  const about: unknown = JSON.parse(await Deno.readTextFile(join(folder, "package.json")));
  const { name, version, license } = about as { name: string; version: string; license?: string };
  const file = (await Array.fromAsync(Deno.readDir(folder))).map((entry) => entry.name).find((one) =>
    /^(?:licen[cs]e|copying)/i.test(one)
  );
  if (file === undefined && license === undefined) throw new Error(`${name} ${version} has no licence`);
  const text = file === undefined ? "" : `\n${await Deno.readTextFile(join(folder, file))}`;
  return `${name} ${version} (${license ?? "see below"})\n${text}`;
}
