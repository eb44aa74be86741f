/**
 * Any command line, environment and config file whatever: settings, help or a list of mistakes, never a crash. What is wrong ends with 78,
 * and what it says holds no control character and no secret.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { commands } from "../../src/cli/commands.ts";
import { complaintsOf } from "../../src/cli/complaints.ts";
import { dispatch } from "../../src/cli/dispatch.ts";
import { flagOf, variableOf } from "../../src/config/option.ts";
import { isEverywhere, optionList } from "../../src/config/options.ts";
import { WeirError } from "../../src/core/error.ts";
import { fakeContext } from "../cli/fake_context.ts";

/** Text that means something somewhere. */
const telling = fc.constantFrom(
  ...[
    "",
    " ",
    "0",
    "-1",
    "1e999",
    "NaN",
    "none",
    "auto",
    "true",
    "500/s",
    "10s",
    "1h30m",
    "64MiB",
    "9999999999999999999",
  ],
  ...[
    "mqtt://h",
    "mqtts://u:p@[::1]:70000/x?y",
    "http://",
    "h:9092,,k",
    "a/{x}",
    "{",
    "}",
    "a/#/b",
    "$share/g/a",
    "a,weight=0",
  ],
  ...[
    "/d,every=1s,every=2s",
    "/d,cap=",
    "value=1 +",
    "value=[1,2",
    "f=x.y.z()",
    "__proto__=a",
    "device_id=",
    "=",
    "ndjson:",
    "stdout",
  ],
  ...[
    "Europe/Berlin",
    "Mars/Olympus",
    "[a-",
    "{a,b",
    "***",
    "\u0000",
    "\u001b[31m",
    "\ud800",
    "\u202e",
    "x".repeat(5_000),
    "\n",
    "a\nb",
  ],
  ...["/ca", "/schema", "/c.yaml", "/denied", "/nowhere"],
);
const text = fc.oneof(telling, telling, fc.string({ unit: "binary", maxLength: 30 }));
const option = fc.constantFrom(...optionList);
const everywhere = fc.constantFrom(...optionList.filter(isEverywhere));

const word = fc.oneof(
  option.map(flagOf),
  option.map((one) => `--no-${one.name}`),
  fc.tuple(option, text).map(([one, value]) => `${flagOf(one)}=${value}`),
  text,
  fc.constantFrom("--", "-", "-h", "--help", "--config", "/c.yaml", "---", "--=x"),
);
const flagAndValue = fc.tuple(option.map(flagOf), text);
const passwordFile = fc.constantFrom("--mqtt-password-file", "--kafka-password-file").map((flag) => [flag, "/pw"]);
const args = fc.array(fc.oneof(flagAndValue, passwordFile, word.map((one) => [one])), { maxLength: 10 }).map((parts) =>
  parts.flat()
);

const environment = fc.dictionary(
  fc.oneof(
    everywhere.map(variableOf),
    fc.constantFrom(
      "WEIR_CONFIG",
      "WEIR_MQTT_PASSWORD",
      "WEIR_KAFKA_PASSWORD",
      "CREDENTIALS_DIRECTORY",
      "STATE_DIRECTORY",
      "WEIR_",
    ),
    fc.string({ maxLength: 8 }).map((name) => `WEIR_${name}`),
  ),
  text,
  { maxKeys: 5 },
);

const yaml = fc.oneof(
  fc.array(fc.tuple(everywhere.map((one) => one.name), text), { maxLength: 6 }).map((pairs) =>
    pairs.map(([name, value]) => `${name}: ${JSON.stringify(value)}`).join("\n")
  ),
  fc.array(fc.tuple(everywhere.map((one) => one.name), fc.json({ maxDepth: 3 })), { maxLength: 4 }).map((pairs) =>
    pairs.map(([name, value]) => `${name}: ${value}`).join("\n")
  ),
  fc.array(fc.constantFrom(..."-:?&*!|>'\"%@`{}[],# \n\tabc~01\u0000\ufeff"), { maxLength: 80 }).map((parts) =>
    parts.join("")
  ),
  fc.constantFrom(
    "&a [*a]",
    "a: &a [x, x]\nb: [*a, *a]",
    "<<: {files-cap: 1}",
    "!!js/function 'x'",
    "files-cap: !!binary x",
    "? [a]\n: b",
    "--- 1\n--- 2",
    "__proto__: {files-cap: 1}",
    `${"a: &a1 [x,x,x,x,x,x,x,x]\n"}${
      Array.from({ length: 9 }, (_, i) => `b${i}: &a${i + 2} [*a${i + 1},*a${i + 1},*a${i + 1},*a${i + 1}]`).join("\n")
    }`,
    "[".repeat(3_000),
  ),
  text,
);

const schema = fc.oneof(
  fc.json({ maxDepth: 4 }),
  text,
  fc.constantFrom('{"type":"object","properties":{"a":{"pattern":"("}}}', '{"$ref":"#"}'),
);

Deno.test("no settings whatever crash a command: wrong ones end with 78, and nothing raw or secret is said", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom("run", "check", "dlq list", "dlq show"),
      args,
      environment,
      yaml,
      schema,
      async (command, words, variables, configFile, schemaFile) => {
        const rig = fakeContext([], {
          machine: {
            environment: variables,
            files: {
              "/c.yaml": configFile,
              "/schema": schemaFile,
              "/ca": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
              "/pw": "topsecret\n",
              "/denied": "denied",
            },
          },
          complaintsOf,
          // What comes after the settings is not under test.
          refusal: new WeirError("unavailable", "The settings are right"),
          letters: {},
        });
        const all = [...command.split(" "), ...words];
        // One in two names the config file, so that it is read at all.
        if (configFile.length % 2 === 0) all.push("--config", "/c.yaml");
        const code = await dispatch(all, commands, rig.context);
        assert.ok([0, 69, 78].includes(code), `code ${code} for ${JSON.stringify(all)}: ${rig.err()}`);
        if (code === 78) assert.notEqual(rig.err(), "", "a mistake is told");
        // deno-lint-ignore no-control-regex
        assert.doesNotMatch(rig.err(), /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]|\p{Cs}/u);
        assert.ok(!rig.err().includes("topsecret") && !rig.out().includes("topsecret"));
      },
    ),
    { numRuns: 1_000 },
  );
});
