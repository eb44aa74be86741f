/**
 * Which of Kafka's quotas holds for a client. Pure.
 *
 * Source: https://kafka.apache.org/documentation/#design_quotasconfig
 *
 * @module
 */
import type { Quota } from "./examine_requests.ts";

/** Whose quota is looked for. `user` null: nobody knows here which it is; then only quotas of all users are found. */
export interface QuotaClient {
  readonly user: string | null;
  readonly clientId: string;
}

/** What the quotas of producers are called. */
export type ProducerQuota = "producer_byte_rate" | "request_percentage";

/**
 * The value of a quota that holds for a client; null: none does. The first that is set, in this order: this user's, then all users', then
 * nobody's in particular; of each the one for this client id, then for all client ids, then, for users, the one without client id.
 */
export function quotaFor(
  { user, clientId }: QuotaClient,
  name: ProducerQuota,
  quotas: readonly Quota[],
): number | null {
  const users: readonly (string | null | undefined)[] = user === null ? [null, undefined] : [user, null, undefined];
  const clientIds: readonly (string | null | undefined)[] = [clientId, null, undefined];
  for (const ofUser of users) {
    for (const ofClient of clientIds) {
      const quota = quotas.find(({ entity, values }) =>
        values.has(name) && !entity.has("ip") && entity.get("user") === ofUser && entity.get("client-id") === ofClient
      );
      const value = quota?.values.get(name);
      if (value !== undefined) return value;
    }
  }
  return null;
}
