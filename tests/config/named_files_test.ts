import assert from "node:assert/strict";
import { gather } from "../../src/config/gather.ts";
import { openNamedFiles } from "../../src/config/named_files.ts";
import { options } from "../../src/config/options.ts";
import { type FakeMachine, fakeMachine } from "./fake_machine.ts";

const { passwordFile, caFile } = options.mqtt;

function open(args: readonly string[], machine: FakeMachine = {}) {
  const surroundings = fakeMachine(machine);
  return openNamedFiles(gather("run", args, surroundings), surroundings);
}

const files = {
  "/pw": "from file\n",
  "/conf-pw": "from config",
  "/c.yaml": "mqtt-password-file: conf-pw\n",
  "/cred/mqtt-password": "cred\r\n",
};
const variable = { WEIR_MQTT_PASSWORD: "from variable" };
const credentials = { CREDENTIALS_DIRECTORY: "/cred" };

Deno.test("a secret comes from the flag's file, the variable, the config's file or the credential, in this order", () => {
  const all = { files, environment: { ...variable, ...credentials } };
  const from = (args: readonly string[], machine: FakeMachine) =>
    open(args, machine).secret(passwordFile, "mqtt-password")?.reveal();
  assert.equal(from(["--config", "/c.yaml", "--mqtt-password-file", "/pw"], all), "from file");
  assert.equal(from(["--config", "/c.yaml"], all), "from variable");
  assert.equal(from(["--config", "/c.yaml"], { files, environment: credentials }), "from config");
  assert.equal(from([], { files, environment: credentials }), "cred");
  assert.equal(from([], { files }), undefined);
});

Deno.test("a secret in two variables at once is told", () => {
  const named = open([], { files, environment: { ...variable, WEIR_MQTT_PASSWORD_FILE: "/pw" } });
  named.secret(passwordFile, "mqtt-password");
  assert.match(named.problems()[0]?.message ?? "", /WEIR_MQTT_PASSWORD is set, too/);
});

Deno.test("a file that cannot be read, is empty or is no certificate is told with the reason", () => {
  const machine = { files: { "/denied": "denied", "/empty": "\n", "/text": "hello" } };
  const says = (path: string) => {
    const named = open(["--mqtt-ca-file", path], machine);
    assert.equal(named.certificates(caFile), null);
    return named.problems().map((one) => `${one.where} ${one.seen}: ${one.message}`);
  };
  assert.deepEqual(says("/none"), ["--mqtt-ca-file /none: Cannot be read: No such file or directory"]);
  assert.deepEqual(says("/denied"), ["--mqtt-ca-file /denied: Cannot be read: Permission denied"]);
  assert.deepEqual(says("/empty"), ["--mqtt-ca-file /empty: The file is empty"]);
  assert.match(says("/text")[0] ?? "", /Holds no certificate in PEM form/);
});

Deno.test("not having a credential is normal; one that may not be read is told", () => {
  const without = open([], { environment: credentials });
  assert.equal(without.secret(passwordFile, "mqtt-password"), null);
  assert.deepEqual(without.problems(), []);
  const denied = open([], { environment: credentials, files: { "/cred/mqtt-password": "denied" } });
  denied.secret(passwordFile, "mqtt-password");
  assert.match(denied.problems()[0]?.message ?? "", /credential "mqtt-password" cannot be read: Permission denied/);
});
