/**
 * The licences of what is inside the program: Weir's own, the runtime's, and of each npm package in the bundle its name, version and
 * licence text, which most of these licences ask for.
 *
 * @module
 */
import { join } from "node:path";

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

The runtime holds V8 (BSD-3-Clause, https://github.com/v8/v8/blob/main/LICENSE) with ICU and its data (Unicode-3.0), SQLite (public domain),
JavaScript of Node.js (MIT, https://github.com/nodejs/node/blob/main/LICENSE), AWS-LC and ring for TLS (ISC, Apache-2.0, and what they name), and
the Rust crates that its Cargo.lock lists, under MIT, Apache-2.0, BSD, ISC, Zlib, Unicode-3.0 and MPL-2.0.
`;

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
  return [`Weir\n\n${await Deno.readTextFile(own)}`, runtime, ...packages].join(rule);
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
