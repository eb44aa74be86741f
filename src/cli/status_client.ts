/**
 * Asks the running gateway for its status, over HTTP on this machine.
 *
 * @module
 */
import type { StatusAddress } from "../config/status_address.ts";
import type { Clock } from "../core/clock.ts";
import { messageOf, WeirError } from "../core/error.ts";
import type { AppStatus } from "../core/status.ts";
import { printable, quoted } from "../core/text.ts";

/** How long a gateway may take to answer. */
const answerWithinMs = 5_000;
/** More than this is no status. */
const statusBytesMax = 16 * 1024 ** 2;

/**
 * Fetches the status.
 *
 * @throws {WeirError} `unavailable` when nobody answers, or something that is no gateway; `permission` when it wants another token.
 */
export async function fetchStatus({ url, token }: StatusAddress, clock: Clock): Promise<AppStatus> {
  const giveUp = new AbortController();
  const timer = clock.after(answerWithinMs, () => giveUp.abort(new Error("no answer within 5 s")));
  try {
    const headers = token === null ? {} : { authorization: `Bearer ${token.reveal()}` };
    const response = await fetch(url, { signal: giveUp.signal, redirect: "error", headers });
    const text = await textOf(response);
    if (response.status === 401) throw refusedToken(url, token !== null);
    if (!response.ok) throw noGateway(url, `it answers ${response.status} ${printable(response.statusText, 80)}`);
    return statusIn(text, url);
  } catch (thrown) {
    if (thrown instanceof WeirError) throw thrown;
    throw noGateway(url, printable(reasonOf(giveUp.signal.aborted ? giveUp.signal.reason : thrown)));
  } finally {
    timer.cancel();
  }
}

async function textOf(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > statusBytesMax) throw new Error("the answer is too long for a status");
  }
  return text;
}

function statusIn(text: string, url: string): AppStatus {
  let answer: unknown = null;
  try {
    answer = JSON.parse(text);
  } catch {
    // Falls through to the same words as any other answer that is no status.
  }
  if (isStatus(answer)) return answer;
  throw noGateway(url, `what answers there is no gateway: ${quoted(text, 60)}`);
}

/** What is looked at without asking further must be there; the rest is the same program's. */
function isStatus(value: unknown): value is AppStatus {
  return isRecord(value) && typeof value["gateway"] === "string" && typeof value["upMs"] === "number" &&
    isRecord(value["sums"]) && isRecord(value["sums"]["real_time"]) && isRecord(value["sums"]["batch"]) &&
    isRecord(value["streamDelay"]) && Array.isArray(value["sources"]) && value["sources"].every(isRecord) &&
    isRecord(value["sink"]);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function refusedToken(url: string, given: boolean): WeirError {
  const what = given ? "does not take the token that was given" : "wants its token, and none was given";
  return new WeirError("permission", `The gateway at ${quoted(url)} ${what}`, {
    advice:
      "Give the one that it runs with: --status-token-file FILE, WEIR_STATUS_TOKEN, or --config with its settings. " +
      "That of the systemd service is /etc/credstore/status-token, for root to read",
  });
}

function noGateway(url: string, why: string): WeirError {
  return new WeirError("unavailable", `No gateway answers at ${quoted(url)}: ${why}`, {
    retriable: true,
    advice:
      "Start it (weir run), or say where it listens: --config with its settings, --status-listen as it has it, or --status-url",
  });
}

/** The runtime's words for a refused connection are long and name the URL again. */
function reasonOf(thrown: unknown): string {
  const message = messageOf(thrown);
  return /refused/i.test(message) ? "connection refused" : message.replace(/^error sending request[^:]*: /, "");
}
