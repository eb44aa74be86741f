/**
 * What the status server answers on which path.
 *
 * @module
 */
import { exposition, expositionType } from "./exposition.ts";
import type { HttpRequest } from "./http_head.ts";
import { type HttpAnswer, plain } from "./http_server.ts";
import type { ProcessFigures } from "./metrics.ts";
import type { Page } from "./page.ts";
import type { Watchers } from "./events.ts";
import type { History, Snapshot } from "./snapshot.ts";

/** What answers are made of. */
export interface RouteParts {
  readonly page: Page;
  readonly watchers: Watchers;
  readonly history: History;
  snapshot(): Promise<Snapshot>;
  process(): ProcessFigures;
  /** Null: ready; else what is missing. */
  notReady(): string | null;
}

type Route = (request: HttpRequest) => Promise<HttpAnswer> | HttpAnswer;

/** Makes the answers. */
export function createRoutes(parts: RouteParts): Route {
  const routes: ReadonlyMap<string, Route> = new Map<string, Route>([
    ["/", () => ({ status: 200, headers: parts.page.headers, body: parts.page.html })],
    ["/status.json", async () => ({
      status: 200,
      headers: { "content-type": "application/json" },
      body: `${JSON.stringify(await parts.snapshot())}\n`,
    })],
    ["/events", (request) => events(request, parts)],
    ["/metrics", async () => ({
      status: 200,
      headers: { "content-type": expositionType },
      body: exposition({ snapshot: await parts.snapshot(), process: parts.process() }),
    })],
    ["/healthz", () => plain(200, "ok")],
    ["/readyz", () => {
      const missing = parts.notReady();
      return missing === null ? plain(200, "ready") : plain(503, missing);
    }],
  ]);
  return (request) => routes.get(request.path)?.(request) ?? plain(404, `There are ${[...routes.keys()].join(" ")}`);
}

async function events({ method }: HttpRequest, parts: RouteParts): Promise<HttpAnswer> {
  const headers = { "content-type": "text/event-stream" };
  if (method === "HEAD") return { status: 200, headers, body: "" };
  const stream = parts.watchers.join([
    { name: "history", json: JSON.stringify(parts.history.points()) },
    { name: "status", json: JSON.stringify(await parts.snapshot()) },
  ]);
  return stream === null
    ? plain(503, "As many watch as may", { "retry-after": "10" })
    : { status: 200, headers, body: stream };
}
