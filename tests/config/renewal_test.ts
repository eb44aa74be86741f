import assert from "node:assert/strict";
import { createRenewal } from "../../src/config/renewal.ts";
import { secret } from "../../src/config/secret.ts";
import { emitter, type Event } from "../../src/core/event.ts";
import { makeAuthority } from "../support/certificates.ts";
import { virtualClock } from "../support/virtual_clock.ts";

const authority = await makeAuthority("CA 1");
const one = await authority.issue({ name: "one", server: null });
const two = await authority.issue({ name: "two", server: null });
const over = await authority.issue({
  name: "over",
  server: null,
  from: new Date("2020-01-01T00:00:00Z"),
  to: new Date("2020-01-31T00:00:00Z"),
});
await authority[Symbol.asyncDispose]();

/** A renewal on files in memory; `said` holds what it told. */
function world(files: Record<string, string>) {
  const events: Event[] = [];
  const renewal = createRenewal({
    readTextFile(path) {
      const text = files[path];
      if (text === undefined) throw new Deno.errors.NotFound("No such file or directory (os error 2)");
      return text;
    },
    clock: virtualClock(0, Date.now()),
    emit: emitter((event) => void events.push(event)),
  });
  return { files, renewal, events, said: () => events.splice(0).map(({ name, message }) => `${name}: ${message}`) };
}

Deno.test("a renewed password is used from the next connection on, and that is said once", () => {
  const { files, renewal, said } = world({ "/pw": "old\n" });
  const password = renewal.secret(secret("old", "/pw"));
  assert.equal(password(), "old");
  assert.deepEqual(said(), []);
  files["/pw"] = "new\r\n";
  assert.deepEqual([password(), password()], ["new", "new"]);
  const [line, ...more] = said();
  assert.match(line ?? "", /settings\.renewed: The secret in "\/pw" was renewed/);
  assert.deepEqual(more, []);
});

Deno.test("a password file that is gone or empty changes nothing: the last good one stays, said once a trouble", () => {
  const { files, renewal, said } = world({ "/pw": "old\n" });
  const password = renewal.secret(secret("old", "/pw"));
  delete files["/pw"];
  assert.deepEqual([password(), password()], ["old", "old"]);
  assert.match(said().join("|"), /^settings\.renewal_refused: [^|]*No such file[^|]*last good one stays in use[^|]*$/);
  files["/pw"] = "\n";
  assert.equal(password(), "old");
  assert.match(said().join("|"), /It is empty/);
  files["/pw"] = "old\n";
  assert.equal(password(), "old");
  assert.deepEqual(said(), []);
  files["/pw"] = "newer\n";
  assert.equal(password(), "newer");
});

Deno.test("a secret from the environment stays, and nothing is read", () => {
  const { renewal } = world({});
  assert.equal(renewal.secret(secret("fixed"))(), "fixed");
});

Deno.test("certificate and key are renewed together: half a renewal keeps the old pair until the other half is there", () => {
  const { files, renewal, said } = world({ "/c": one.certificate, "/k": one.key, "/ca": authority.ca });
  const tls = renewal.tls({
    ca: { path: "/ca", text: authority.ca },
    identity: { certificate: { path: "/c", text: one.certificate }, key: secret(one.key.trimEnd(), "/k") },
  });
  assert.equal(tls().identity?.certificate, one.certificate);
  assert.deepEqual(said(), []);
  files["/c"] = two.certificate;
  assert.equal(tls().identity?.certificate, one.certificate);
  assert.match(said().join(), /The certificate in "\/c" and "\/k" .*does not belong.*stays in use/);
  files["/k"] = two.key;
  assert.equal(tls().identity?.certificate.trimEnd(), two.certificate.trimEnd());
  assert.match(said().join(), /settings\.renewed/);
});

Deno.test("a CA that was overwritten with something else stays what it was; no message holds a character of a key", () => {
  const { files, renewal, events } = world({ "/c": one.certificate, "/k": one.key, "/ca": authority.ca });
  const tls = renewal.tls({
    ca: { path: "/ca", text: authority.ca },
    identity: { certificate: { path: "/c", text: one.certificate }, key: secret(one.key, "/k") },
  });
  files["/ca"] = one.key;
  files["/k"] = one.key.replace(/\n[A-Za-z0-9+/]{20}/, "\nAAAAAAAAAAAAAAAAAAAA");
  assert.equal(tls().ca, authority.ca);
  assert.equal(events.length, 2);
  const secretLine = one.key.split("\n")[1] ?? "";
  assert.ok(secretLine.length > 20 && !JSON.stringify(events).includes(secretLine.slice(24, 44)));
});

Deno.test("a certificate whose days are over is told once, not at each connection", () => {
  const { renewal, said } = world({ "/c": over.certificate, "/k": over.key });
  const tls = renewal.tls({
    ca: null,
    identity: { certificate: { path: "/c", text: over.certificate }, key: secret(over.key, "/k") },
  });
  tls();
  tls();
  const lines = said().filter((line) => line.startsWith("settings.certificate_date"));
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? "", /expired on 2020-01-31/);
});
