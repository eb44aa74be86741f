/**
 * What the JVM learns about Kafka's classes, kept for the next start (class data sharing): made once on a machine by starting a server and
 * stopping it in good order. A start then costs 2 seconds of CPU instead of 6, and the tests make many.
 *
 * @module
 */
import { cacheDir, java, kafkaClusterId } from "./kafka_jars.ts";
import { kafkaProcess } from "./kafka_process.ts";
import { freePort } from "./servers.ts";

/** The archive's file, made first where need be. One that does not fit jars or JVM is passed over by the JVM itself. */
export async function kafkaArchive(libs: string): Promise<string> {
  const archive = `${cacheDir()}/kafka.jsa`;
  if (await isThere(archive)) return archive;
  const dir = await Deno.makeTempDir({ prefix: "weir-kafka-archive-" });
  const port = freePort();
  const controller = freePort();
  const properties = [
    ...["process.roles=broker,controller", "node.id=1", `controller.quorum.voters=1@127.0.0.1:${controller}`],
    `listeners=CLIENT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`,
    "listener.security.protocol.map=CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    ...["inter.broker.listener.name=CLIENT", "controller.listener.names=CONTROLLER", `log.dirs=${dir}/data`],
  ];
  await Deno.writeTextFile(`${dir}/server.properties`, properties.join("\n"));
  const jvm = [`-XX:ArchiveClassesAtExit=${dir}/kafka.jsa`, "-Xmx256m"];
  const process = await kafkaProcess({ libs, dir, jvm, brokers: [`127.0.0.1:${port}`] });
  await java(libs, dir, ["kafka.tools.StorageTool", "format", "-t", kafkaClusterId, "-c", `${dir}/server.properties`]);
  await process.start();
  await process.stop();
  // Beside it first: several test files may do this at once, and the folders may be on two file systems.
  const beside = `${archive}.${port}`;
  await Deno.copyFile(`${dir}/kafka.jsa`, beside);
  await Deno.rename(beside, archive);
  await Deno.remove(dir, { recursive: true });
  return archive;
}

async function isThere(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return false;
    throw thrown;
  }
}
