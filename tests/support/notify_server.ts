/**
 * The service manager's end of sd_notify(3): a datagram socket that notes what it is told.
 *
 * @module
 */
import { eventually } from "./servers.ts";

/** What was told. */
export interface NotifyServer {
  /** For `NOTIFY_SOCKET`. */
  readonly path: string;
  /** The messages so far, each as its lines. */
  messages(): readonly (readonly string[])[];
  /** Waits for a message with a line that fits; gives the line. */
  told(pattern: RegExp): Promise<string>;
  close(): Promise<void>;
}

/** Makes one in a folder of its own. */
export function startNotifyServer(): NotifyServer {
  const folder = Deno.makeTempDirSync({ prefix: "weir-notify-" });
  const path = `${folder}/notify`;
  const socket = Deno.listenDatagram({ transport: "unixpacket", path });
  const messages: (readonly string[])[] = [];
  const done = (async () => {
    // The loop ends when the socket is closed.
    for await (const [bytes] of socket) messages.push(new TextDecoder().decode(bytes).trimEnd().split("\n"));
  })();
  return {
    path,
    messages: () => messages,
    told: (pattern) =>
      eventually(`systemd is told ${pattern}`, () => messages.flat().find((line) => pattern.test(line))),
    async close() {
      socket.close();
      await done.catch(() => {});
      await Deno.remove(folder, { recursive: true });
    },
  };
}
