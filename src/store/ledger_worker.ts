/**
 * The worker that owns the state file: a commit on an SD card takes tens of milliseconds, and here it blocks nobody. It answers one
 * request after the other. It is started by `ledger.ts` alone, and named by `--include` when the program is compiled.
 *
 * @module
 */
/// <reference lib="deno.worker" />
import { type Call, type Request, type Response, toWire } from "./ledger_protocol.ts";
import { type LedgerStore, type LedgerTables, openLedgerStore } from "./ledger_store.ts";

serve();

function serve(): void {
  let store: LedgerStore | null = null;

  function answer(request: Request): unknown {
    if (request.kind === "open") {
      const onSetAside = (reason: string, path: string) => tell({ kind: "set_aside", reason, path });
      store = openLedgerStore({ ...request.options, onSetAside }, request.wallMs);
      return null;
    }
    if (store === null) throw new Error("The state file is not open");
    if (request.kind === "call") return store.act(request.wallMs, (tables) => perform(tables, request.call));
    store.close();
    store = null;
    return null;
  }

  self.onmessage = (message: MessageEvent<Request>): void => {
    const request = message.data;
    try {
      tell({ kind: "done", id: request.id, result: answer(request) });
    } catch (thrown) {
      tell({ kind: "failed", id: request.id, error: toWire(thrown) });
    }
  };
}

function tell(response: Response): void {
  self.postMessage(response);
}

function perform(tables: LedgerTables, call: Call): unknown {
  switch (call.method) {
    case "files":
      return tables.files(...call.args);
    case "fileById":
      return tables.fileById(...call.args);
    case "fileByHash":
      return tables.fileByHash(...call.args);
    case "saveFiles":
      return tables.saveFiles(...call.args);
    case "forgetFiles":
      return tables.forgetFiles(...call.args);
    case "append":
      return tables.append(...call.args);
    case "list":
      return tables.list(...call.args);
    case "letter":
      return tables.letter(...call.args);
    case "letterCount":
      return tables.letterCount(...call.args);
    case "lettersInRange":
      return tables.lettersInRange(...call.args);
    case "removeLetters":
      return tables.removeLetters(...call.args);
    case "askReplay":
      return tables.askReplay(...call.args);
    case "nextReplay":
      return tables.nextReplay();
    case "replay":
      return tables.replay(...call.args);
    case "stepReplay":
      return tables.stepReplay(...call.args);
    case "mark":
      return tables.mark(...call.args);
    case "saveMark":
      return tables.saveMark(...call.args);
    case "spoolAppend":
      return tables.spoolAppend(...call.args);
    case "spoolRead":
      return tables.spoolRead(...call.args);
    case "spoolRemove":
      return tables.spoolRemove(...call.args);
    case "spoolDropOldest":
      return tables.spoolDropOldest(...call.args);
    case "spoolInventory":
      return tables.spoolInventory();
  }
}
