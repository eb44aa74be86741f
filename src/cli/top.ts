/**
 * `weir top`: what the running gateway does, live, until Ctrl-C. On anything but a terminal a plain line now and then.
 *
 * @module
 */
import type { StatusAddress } from "../config/status_address.ts";
import { sleep } from "../core/clock.ts";
import { exitCodes, WeirError } from "../core/error.ts";
import { formatDuration } from "../core/text.ts";
import { createLiveViewer } from "../ops/live.ts";
import { terminalOf } from "../ops/terminal.ts";
import type { Command, CommandContext } from "./command.ts";
import { openGateway } from "./opening.ts";
import { fetchStatus } from "./status_client.ts";
import { listenForStop } from "./stop.ts";

/** The gateway is asked this often: half as often as the picture is drawn would show as a stutter. */
const askEveryMs = 250;

/** The command. */
export const top: Command = {
  name: "top",
  summary: "watch the running gateway, redrawn in place; Ctrl-C ends it",
  words: "",
  examples: ["weir top", "ssh -t gateway-7 sudo weir top --config /etc/weir/weir.yaml"],
  async run(context) {
    const opened = openGateway(top, context);
    return typeof opened === "number" ? opened : await watch(opened.address, context);
  },
};

async function watch(address: StatusAddress, context: CommandContext): Promise<number> {
  const { clock, output, surroundings } = context;
  // The first answer before anything is painted: no gateway is an error like any other.
  let now = await fetchStatus(address, clock);
  const stop = listenForStop(context);
  const over = new AbortController();
  const stopped = stop.first.then(() => over.abort());
  const terminal = terminalOf(output, surroundings.environment);
  const viewer = createLiveViewer({ terminal, clock, status: () => now, endsAtMs: null });
  viewer.start();
  let silentSinceMs: number | null = null;
  try {
    while (!over.signal.aborted && !output.isGone) {
      await sleep(clock, askEveryMs, over.signal);
      if (over.signal.aborted) break;
      try {
        // A signal need not wait for a gateway that hangs.
        const next = await Promise.race([fetchStatus(address, clock), stopped]);
        if (next === undefined) break;
        now = next;
        if (silentSinceMs !== null) {
          viewer.print(`The gateway answers again after ${formatDuration(clock.nowMs() - silentSinceMs)}`);
        }
        silentSinceMs = null;
      } catch (thrown) {
        if (!(thrown instanceof WeirError)) throw thrown;
        if (silentSinceMs === null) viewer.print(`${thrown.message}; what is shown is the last that it told`);
        silentSinceMs ??= clock.nowMs();
      }
    }
  } finally {
    viewer.stop();
    stop.release();
  }
  return exitCodes.ok;
}
