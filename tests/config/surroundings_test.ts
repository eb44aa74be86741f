import assert from "node:assert/strict";
import { mayNameConfig } from "../../src/config/config_file.ts";
import { defaultGateway, reasonOf } from "../../src/config/surroundings.ts";
import { fakeMachine } from "./fake_machine.ts";

const named = (machineId: string, hostname = "box") =>
  defaultGateway(fakeMachine({ hostname, files: { "/etc/machine-id": machineId } }));

Deno.test("two machines of one host name have different names, and one machine always the same", () => {
  assert.notEqual(named("a".repeat(32)), named("b".repeat(32)));
  assert.equal(named("a".repeat(32)), named(`${"a".repeat(32)}\n`));
  assert.ok(!named("abcd".repeat(8)).includes("abcd"));
});

Deno.test("a machine without an id goes by its host name, and every name is a legal one", () => {
  assert.equal(defaultGateway(fakeMachine({ hostname: "box" })), "box");
  assert.equal(named("\n"), "box");
  for (const hostname of ["", "b\u00fcro pc", "x".repeat(300), "a/b"]) {
    assert.match(named("id", hostname), /^[A-Za-z0-9._-]{1,100}$/);
  }
});

Deno.test("the reason of a failed read is told without the runtime's noise", () => {
  assert.equal(reasonOf(new Error("Permission denied (os error 13): readfile '/x'")), "Permission denied");
  assert.equal(reasonOf(new TypeError("The encoded data is not valid")), "Not UTF-8");
});

Deno.test("the reader of config files is there when the arguments or the environment name one", () => {
  assert.ok(mayNameConfig(["--config", "x.yaml"], {}) && mayNameConfig(["--config=x.yaml"], {}));
  assert.ok(mayNameConfig([], { WEIR_CONFIG: "x.yaml" }));
  assert.ok(!mayNameConfig(["--gateway", "config"], { WEIR_GATEWAY: "g" }));
});
