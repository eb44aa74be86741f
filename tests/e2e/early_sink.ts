/**
 * A Kafka sink that says "delivered" before Kafka has it: the fault that the kill loop is there to find. {@linkcode earlyProgram} puts it in
 * the place of the real one, so that the real program runs with it.
 *
 * @module
 */
import { createKafkaSink as createRealSink } from "../../src/sink/kafka/sink.ts";
import config from "../../deno.json" with { type: "json" };

/** As the real one, but for the moment of the report. */
export function createKafkaSink(
  ...[options, deps]: Parameters<typeof createRealSink>
): ReturnType<typeof createRealSink> {
  const real = createRealSink(options, deps);
  let early: Parameters<typeof real.open>[0] | null = null;
  return {
    ...real,
    open(report) {
      early = report;
      return real.open({ delivered() {}, rejected() {} });
    },
    send(lane, readings) {
      real.send(lane, readings);
      early?.delivered(lane, readings);
    },
  };
}

/** Command line of the program with this sink. Writes an import map into `folder`. */
export async function earlyProgram(folder: string): Promise<readonly string[]> {
  const urlOf = (path: string) => new URL(path, import.meta.url).href;
  const real = urlOf("../../src/sink/kafka/sink.ts");
  // The program's own configuration does not count beside an import map: files inside of libraries have to be said as well.
  const inside = Object.entries(config.imports).map((
    [name, from],
  ) => [`${name}/`, `${from.replace("npm:", "npm:/")}/`]);
  const map = {
    imports: { ...config.imports, ...Object.fromEntries(inside), [real]: import.meta.url },
    scopes: { [import.meta.url]: { [real]: real } },
  };
  await Deno.writeTextFile(`${folder}/import_map.json`, JSON.stringify(map));
  return [
    Deno.execPath(),
    "run",
    "-A",
    "--no-lock",
    `--import-map=${folder}/import_map.json`,
    urlOf("../../main.ts").slice("file://".length),
  ];
}
