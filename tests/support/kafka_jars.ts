/**
 * Kafka's jars: those in the folder that `WEIR_TEST_KAFKA_LIBS` names, or those kept in `~/.cache/weir-test/`, which Maven fills once; and
 * how programs in them are run.
 *
 * @module
 */

const version = "4.1.0";
/** What the test's own servers call their cluster. */
export const kafkaClusterId = "weirTestWeirTestWeirTw";
const artifacts = ["kafka_2.13", "kafka-tools"];

/** Why there can be no Kafka here, or null. `ownServer`: an existing one will not do. */
export async function kafkaAvailability(ownServer = false): Promise<string | null> {
  if (!await runs("kcat", "-V")) return "there is no kcat on PATH (Debian package kafkacat)";
  if (!ownServer && Deno.env.get("WEIR_TEST_KAFKA_BROKERS")) return null;
  if (!await runs("java", "-version")) return "there is no java on PATH (Java 17 or newer)";
  if (await findLibs() !== null) return null;
  if (await runs("mvn", "-version")) return null;
  return "there are no Kafka jars: name their folder in WEIR_TEST_KAFKA_LIBS, or have mvn on PATH to fetch them";
}

/** The jars, fetched first where need be. */
export async function kafkaLibs(): Promise<string> {
  return await findLibs() ?? await fetchLibs();
}

/** `log4j2.yaml` for {@linkcode jvmOptions}: warnings on stdout. */
export const kafkaLogging = `Configuration:
  Appenders:
    Console:
      name: stdout
      PatternLayout: { pattern: "%d %p %c{1} %m%n" }
  Loggers:
    Root:
      level: WARN
      AppenderRef: { ref: stdout }
`;

/** JVM option: the quick compiler alone. */
export const quickJit = "-XX:TieredStopAtLevel=1";

/** Options of a JVM that runs Kafka or one of its tools; it logs to stdout as `log4j2.yaml` in `dir` says. */
export function jvmOptions(libs: string, dir: string): string[] {
  return [
    `-Dlog4j2.configurationFile=${dir}/log4j2.yaml`,
    `-Dkafka.logs.dir=${dir}`,
    "-XX:+UseSerialGC",
    "-cp",
    `${libs}/*`,
  ];
}

/** Runs one of the classes in the jars and gives what it wrote. */
export function java(libs: string, dir: string, args: readonly string[]): Promise<string> {
  return output("java", [...jvmOptions(libs, dir), "-Xmx256m", quickJit, ...args]);
}

/** Runs a program and gives what it wrote. @throws {Error} when it failed */
export async function output(command: string, args: readonly string[]): Promise<string> {
  const result = await new Deno.Command(command, { args: [...args], stdin: "null" }).output();
  const text = new TextDecoder().decode(result.stdout);
  if (!result.success) throw new Error(`${command} failed: ${new TextDecoder().decode(result.stderr)}${text}`);
  return text;
}

/** Whether a program is there and ends well. */
export async function runs(command: string, ...args: readonly string[]): Promise<boolean> {
  try {
    return (await new Deno.Command(command, { args: [...args], stdin: "null" }).output()).success;
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return false;
    throw thrown;
  }
}

/** Where the jars and what is made of them are kept. */
export function cacheDir(): string {
  return `${Deno.env.get("HOME") ?? "."}/.cache/weir-test/kafka-libs-${version}`;
}

/** Folder of the jars; null when there are none yet. */
export async function findLibs(): Promise<string | null> {
  const libs = Deno.env.get("WEIR_TEST_KAFKA_LIBS") ?? cacheDir();
  try {
    const names = (await Array.fromAsync(Deno.readDir(libs))).map(({ name }) => name);
    return artifacts.every((artifact) => names.some((name) => name.startsWith(`${artifact}-`))) ? libs : null;
  } catch (thrown) {
    if (thrown instanceof Deno.errors.NotFound) return null;
    throw thrown;
  }
}

/** Has Maven fetch the jars into the cache. Beside it first: several test files may do this at once. */
async function fetchLibs(): Promise<string> {
  const dir = await Deno.makeTempDir({ prefix: "weir-kafka-pom-" });
  const dependencies = artifacts.map((artifact) =>
    `<dependency><groupId>org.apache.kafka</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`
  );
  await Deno.writeTextFile(
    `${dir}/pom.xml`,
    `<project><modelVersion>4.0.0</modelVersion><groupId>weir</groupId><artifactId>test</artifactId><version>1</version>
<dependencies>${dependencies.join("")}</dependencies></project>`,
  );
  await output("mvn", [
    "-q",
    "-B",
    "-f",
    `${dir}/pom.xml`,
    "dependency:copy-dependencies",
    `-DoutputDirectory=${dir}/libs`,
  ]);
  await Deno.mkdir(cacheDir().replace(/\/[^/]*$/, ""), { recursive: true });
  await Deno.rename(`${dir}/libs`, cacheDir()).catch(async (thrown) => {
    // Another test file was faster, or the cache is on another file system.
    if (await findLibs() !== null) return;
    if (!(thrown instanceof Error) || !thrown.message.includes("cross-device")) throw thrown;
    await output("cp", ["-r", `${dir}/libs`, cacheDir()]);
  });
  await Deno.remove(dir, { recursive: true });
  return cacheDir();
}
