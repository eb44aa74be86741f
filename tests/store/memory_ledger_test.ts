import { memoryLedger } from "../../src/store/memory_ledger.ts";
import { ledgerContract } from "../contract/ledger_contract.ts";

ledgerContract(
  "memory",
  (options) => Promise.resolve({ ledger: memoryLedger(options), dispose: () => Promise.resolve() }),
);
