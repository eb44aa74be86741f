/**
 * HTTP by hand, for what no client would send.
 *
 * @module
 */

/** Sends bytes to a port of this machine and gives all that comes back until the other side closes. */
export async function exchange(port: number, sent: string): Promise<string> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await conn.write(new TextEncoder().encode(sent));
  return await readAll(conn);
}

/** All that comes until the end, and closes; a reset is an end, too. */
export async function readAll(conn: Deno.Conn): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  try {
    for await (const chunk of conn.readable) text += decoder.decode(chunk, { stream: true });
  } catch (thrown) {
    if (!(thrown instanceof Deno.errors.ConnectionReset)) throw thrown;
  }
  return text;
}

/** A request with these headers. */
export function request(path: string, headers: Readonly<Record<string, string>> = {}, method = "GET"): string {
  const lines = Object.entries({ Host: "127.0.0.1", ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`;
}
