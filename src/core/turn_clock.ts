/**
 * A clock whose `after(0)` costs 20 us instead of a millisecond and more: work that is done in short turns gives pending I/O its chance
 * between them, and goes on at once when there is none.
 *
 * A timer of 0 ms takes 1 to 2 ms. `setImmediate` and `MessageChannel` do not let sockets have their turn: the runtime looks at them once
 * in 61 turns. So a byte goes over a connection of the process with itself. It is seen only when the runtime asks the system which sockets
 * are ready, and then all others are seen too.
 *
 * @module
 */
import type { Clock, Timer } from "./clock.ts";

/** A connection of the process with itself. */
export interface Loop {
  /** Sends a byte to itself. Resolves when it has come, after what other sockets had to say was seen. */
  turn(): Promise<void>;
  close(): void;
}

/**
 * Makes a {@linkcode Clock} whose `after(0)` takes turns of a loop, in the order of the calls. The loop is opened at the first of them; until it is open,
 * where it cannot be opened, and when it breaks, `base` is asked as before.
 */
export function turnClock(base: Clock, open: () => Promise<Loop> = openLoop): Clock {
  /** Null: there is none, or not yet. */
  let loop: Loop | null = null;
  let asked = false;
  let turning = false;
  let due: Turn[] = [];

  function ask(): void {
    asked = true;
    open().then((opened) => (loop = opened), () => {});
  }

  async function turn(through: Loop): Promise<void> {
    turning = true;
    const arrived = await through.turn().then(() => true, () => false);
    turning = false;
    const now = due;
    due = [];
    if (!arrived && loop === through) {
      loop = null;
      through.close();
    }
    for (const { callback, cancelled } of now) {
      if (cancelled()) continue;
      if (arrived) callback();
      else base.after(0, () => cancelled() ? undefined : callback());
    }
  }

  return {
    nowMs: () => base.nowMs(),
    wallMs: () => base.wallMs(),
    after(delayMs, callback): Timer {
      if (delayMs > 0) return base.after(delayMs, callback);
      if (!asked) ask();
      if (loop === null) return base.after(0, callback);
      let isCancelled = false;
      due.push({ callback, cancelled: () => isCancelled });
      if (!turning) void turn(loop);
      return {
        cancel() {
          isCancelled = true;
        },
      };
    },
  };
}

interface Turn {
  readonly callback: () => void;
  readonly cancelled: () => boolean;
}

/** The real {@linkcode Loop}: over TCP on the loopback interface. Rejects with what the system says. */
export async function openLoop(): Promise<Loop> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  try {
    const [near, far] = await Promise.all([
      Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port }),
      listener.accept(),
    ]);
    // Anybody on the machine may connect meanwhile.
    if (far.remoteAddr.port !== near.localAddr.port) {
      near.close();
      far.close();
      throw new Error("Somebody else has connected");
    }
    near.setNoDelay(true);
    const [out, into] = [new Uint8Array(1), new Uint8Array(1)];
    return {
      async turn() {
        const [read] = await Promise.all([far.read(into), near.write(out)]);
        if (read === null) throw new Error("The connection was closed");
      },
      close() {
        near.close();
        far.close();
      },
    };
  } finally {
    listener.close();
  }
}
