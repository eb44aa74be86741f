/**
 * A program with a fault in it: the parts of a life, wrapped. Tests of the tests: each fault must be found by the simulation.
 *
 * @module
 */
import type { Sink } from "../../src/core/sink.ts";
import type { Source } from "../../src/core/source.ts";
import type { Ledger } from "../../src/core/store.ts";
import type { TransactionCluster } from "../../src/sink/kafka/transaction_cluster.ts";
import type { OpenConnection } from "../../src/source/mqtt/connection.ts";
import type { Books } from "./books.ts";

/** How the parts of one life are wrapped. */
export interface Wrappers {
  source(source: Source): Source;
  sink(sink: Sink): Sink;
  ledger(ledger: Ledger): Ledger;
  open(open: OpenConnection): OpenConnection;
  cluster(cluster: TransactionCluster): TransactionCluster;
}

/** Makes the wrappers of a life. */
export type Mutant = (world: { readonly books: Books }) => Wrappers;

/** Wraps nothing. */
export const sound: Wrappers = {
  source: (source) => source,
  sink: (sink) => sink,
  ledger: (ledger) => ledger,
  open: (open) => open,
  cluster: (cluster) => cluster,
};

/** The program as it is. */
export const noMutant: Mutant = (): Wrappers => sound;
