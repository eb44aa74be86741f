/**
 * Adds up what `deno test` printed into the one line that CI ends with. Reads the output of the tests on stdin; its arguments are the
 * exit code of the tests and the number of other checks that failed.
 *
 * @module
 */

/** What the run came to. */
export interface CiSummary {
  readonly passed: number;
  /** Failed tests, ignored tests, failed checks; at least 1 when the run failed without saying why, or nothing ran. */
  readonly failed: number;
  /** What is not a failed test and counts as one. */
  readonly remarks: readonly string[];
}

/** The end of a run: `ok | 22 passed (3 steps) | 0 failed | 1 ignored (822ms)`. */
const lastLine =
  /^(?:ok|FAILED) \| (\d+) passed(?: \(\d+ steps?\))? \| (\d+) failed(?: \(\d+ steps?\))?(?: \| (\d+) ignored)?/gm;
// deno-lint-ignore no-control-regex
const colours = /\u001b\[[0-9;]*m/g;

/** Adds up the output of one or several runs of `deno test`. */
export function summarize(output: string, testExitCode: number, failedChecks: number): CiSummary {
  const remarks: string[] = [];
  let passed = 0;
  let failed = 0;
  for (const [, passedHere, failedHere, ignoredHere] of output.replace(colours, "").matchAll(lastLine)) {
    passed += Number(passedHere);
    failed += Number(failedHere) + Number(ignoredHere ?? 0);
    if (Number(ignoredHere ?? 0) > 0) remarks.push(`${ignoredHere} ignored tests count as failed`);
  }
  if (passed + failed === 0) {
    remarks.push("No test ran: that counts as failed");
    failed += 1;
  } else if (testExitCode !== 0 && failed === 0) {
    remarks.push(`The tests ended with exit code ${testExitCode}: that counts as failed`);
    failed += 1;
  }
  if (failedChecks > 0) remarks.push(`${failedChecks} other checks failed`);
  return { passed, failed: failed + failedChecks, remarks };
}

if (import.meta.main) {
  const [testExitCode = "1", failedChecks = "0"] = Deno.args;
  const output = await new Response(Deno.stdin.readable).text();
  const { passed, failed, remarks } = summarize(output, Number(testExitCode), Number(failedChecks));
  const lines = [...remarks, `${passed} passed, ${failed} failed`];
  await Deno.stdout.write(new TextEncoder().encode(`${lines.join("\n")}\n`));
  Deno.exit(failed === 0 ? 0 : 1);
}
