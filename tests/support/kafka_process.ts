/**
 * One server process of Kafka: started, stopped or killed, and started again with the same data.
 *
 * @module
 */
import { systemClock } from "../../src/core/clock.ts";
import { connectionOpener } from "../../src/sink/kafka/connection.ts";
import { parseBroker } from "../../src/sink/kafka/options.ts";
import { producerIdRequest } from "../../src/sink/kafka/requests.ts";
import { jvmOptions, kafkaLogging, runs } from "./kafka_jars.ts";
import { eventually, patienceMs } from "./servers.ts";

/** A process that may run. */
export interface KafkaProcess {
  /** Starts it, unless it runs, and waits until it does its work. */
  start(): Promise<void>;
  /** Stops it (SIGTERM, or SIGKILL) and keeps its data. */
  stop(signal?: "SIGTERM" | "SIGKILL"): Promise<void>;
  /** Has it stand still (SIGSTOP): its connections stay, and nothing comes of what is sent there. */
  pause(): void;
  /** Has it go on (SIGCONT). */
  resume(): void;
}

/** How a process is to be. */
export interface KafkaProcessOptions {
  readonly libs: string;
  /** With its `server.properties`; it logs to `server.log` there. */
  readonly dir: string;
  /** More options of the JVM. */
  readonly jvm: readonly string[];
  /** `host:port` of its own listener for clients: it works once it answers there. Empty: a controller alone, not waited for. */
  readonly brokers: readonly string[];
}

/** Whether a broker tells what it has, and gives producer ids: its first block of them it gets from the controller a little later. */
async function answers(brokers: readonly string[]): Promise<boolean> {
  if (!await runs("kcat", "-b", brokers.join(","), "-m", "5", "-L")) return false;
  const timeoutMs = 5_000;
  const open = connectionOpener(
    { clientId: "weir-test", tls: null, sasl: null, connectTimeoutMs: timeoutMs },
    systemClock,
  );
  for (const broker of brokers) {
    const connection = await open(parseBroker(broker), AbortSignal.timeout(timeoutMs));
    try {
      if ((await connection.request(producerIdRequest(), timeoutMs)).code !== 0) return false;
    } finally {
      connection.close();
    }
  }
  return true;
}

/** Makes a process, which does not run yet. */
export async function kafkaProcess({ libs, dir, jvm, brokers }: KafkaProcessOptions): Promise<KafkaProcess> {
  let child: Deno.ChildProcess | null = null;
  await Deno.writeTextFile(`${dir}/log4j2.yaml`, kafkaLogging);
  return {
    async start() {
      if (child !== null) return;
      const log = await Deno.open(`${dir}/server.log`, { write: true, create: true, append: true });
      child = new Deno.Command("java", {
        args: [...jvmOptions(libs, dir), ...jvm, "kafka.Kafka", `${dir}/server.properties`],
        stdin: "null",
        stdout: "piped",
        stderr: "null",
      }).spawn();
      void child.stdout.pipeTo(log.writable).catch(() => {});
      let exited = false;
      void child.status.then(() => exited = true);
      await eventually(
        "Kafka listens",
        async () => {
          // The controller may still be electing itself while the port is open: ask for something.
          if (!exited) return brokers.length === 0 || await answers(brokers);
          throw new Error(`Kafka did not start:\n${(await Deno.readTextFile(`${dir}/server.log`)).slice(-3000)}`);
        },
        patienceMs,
        200,
      );
    },
    async stop(signal = "SIGTERM") {
      if (child === null) return;
      const stopping = child;
      child = null;
      stopping.kill(signal);
      const killer = setTimeout(() => stopping.kill("SIGKILL"), 20_000);
      await stopping.status;
      clearTimeout(killer);
    },
    pause: () => child?.kill("SIGSTOP"),
    resume: () => child?.kill("SIGCONT"),
  };
}
