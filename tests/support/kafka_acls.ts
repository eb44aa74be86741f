/**
 * Permissions of a Kafka that asks for them.
 *
 * @module
 */
import type { RunningKafka } from "./kafka_tools.ts";
import { eventually } from "./servers.ts";

/** Numbers of Kafka's protocol: ResourceType, AclOperation. */
export const aclResources = { topic: 2, cluster: 4, transactionalId: 5 } as const;
export const aclOperations = { read: 3, write: 4, create: 5, describe: 8, describeConfigs: 10 } as const;

/** Something that one may do. */
export interface Right {
  readonly resource: keyof typeof aclResources;
  readonly name: string;
  readonly operations: readonly (keyof typeof aclOperations)[];
}

const literal = 3;
const allowed = 3;
const any = 1;

/** Permits something to a principal (`User:gateway`), and waits until the broker, which hears of it from the controller, knows. */
export async function allow(kafka: RunningKafka, principal: string, right: Right): Promise<void> {
  const resourceType = aclResources[right.resource];
  const common = { resourceType, resourceName: right.name, resourcePatternType: literal, principal };
  const operations = right.operations.map((operation) => aclOperations[operation]);
  await kafka.admin(async (admin) => {
    await admin.createAcls({
      acl: operations.map((operation) => ({ ...common, host: "*", operation, permissionType: allowed })),
    });
    await eventually(`${principal} may use ${right.resource} ${right.name}`, async () => {
      const { resources } = await admin.describeAcls({ ...common, operation: any, permissionType: allowed });
      const known = new Set(resources.flatMap(({ acls }) => acls.map(({ operation }) => operation)));
      return operations.every((operation) => known.has(operation));
    });
  });
}
