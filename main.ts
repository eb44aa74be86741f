/**
 * The program: command line and environment in, exit code out.
 *
 * @module
 */
import { commands } from "./src/cli/commands.ts";
import { dispatch } from "./src/cli/dispatch.ts";
import { machineContext } from "./src/cli/machine.ts";
import { sayError } from "./src/cli/mistakes.ts";

if (import.meta.main) {
  const context = await machineContext(Deno.args);
  // What nobody caught is a defect: it ends the program with 70, never silently.
  addEventListener("error", (event) => Deno.exit(sayError(context, event.error)));
  addEventListener("unhandledrejection", (event) => Deno.exit(sayError(context, event.reason)));
  Deno.exit(await dispatch(Deno.args, commands, context));
}
