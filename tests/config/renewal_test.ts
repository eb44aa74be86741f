import assert from "node:assert/strict";
import { createRenewal } from "../../src/config/renewal.ts";
import { secret } from "../../src/config/secret.ts";
import { emitter, type Event } from "../../src/core/event.ts";
import { makeAuthority } from "../support/certificates.ts";
import { virtualClock } from "../support/virtual_clock.ts";

const dayMs = 86_400_000;

const authority = await makeAuthority("CA 1");
const one = await authority.issue({ name: "one", server: null });
const two = await authority.issue({ name: "two", server: null });
const over = await authority.issue({
  name: "over",
  server: null,
  from: new Date("2020-01-01T00:00:00Z"),
  to: new Date("2020-01-31T00:00:00Z"),
});
const inDays = (days: number) => new Date(Date.now() + days * dayMs);
const short = await authority.issue({ name: "short", server: null, from: inDays(-300), to: inDays(40.5) });
const fresh = await authority.issue({ name: "fresh", server: null, to: inDays(400) });
const longer = await authority.issue({ name: "longer", server: null, from: inDays(-300), to: inDays(60.5) });
await authority[Symbol.asyncDispose]();

/** A renewal on files in memory; `said` holds what it told. */
function world(files: Record<string, string>) {
  const events: Event[] = [];
  const clock = virtualClock(0, Date.now());
  const renewal = createRenewal({
    readTextFile(path) {
      const text = files[path];
      if (text === undefined) throw new Deno.errors.NotFound("No such file or directory (os error 2)");
      return text;
    },
    clock,
    emit: emitter((event) => void events.push(event)),
  });
  return {
    files,
    renewal,
    events,
    clock,
    said: () => events.splice(0).map(({ name, message }) => `${name}: ${message}`),
  };
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

Deno.test("looked at daily, an end is told 30 days and 7 days before and when it has come, CA and certificate each", async () => {
  const { files, renewal, clock, said } = world({
    "/c": short.certificate,
    "/k": short.key,
    "/ca": longer.certificate,
  });
  renewal.tls({
    ca: { path: "/ca", text: longer.certificate },
    identity: { certificate: { path: "/c", text: short.certificate }, key: secret(short.key.trimEnd(), "/k") },
  });
  const watching = renewal.watch();
  const told: string[] = [];
  for (let day = 1; day <= 50; day++) {
    await clock.advance(dayMs);
    for (const line of said()) told.push(`${day}: ${line.replace(/^\S+ |, on .*$/g, "")}`);
  }
  assert.deepEqual(told.map((line) => line.replace(/ on \d.*$/, "")), [
    '11: The certificate in "/c" expires in 29 days',
    '31: The CA in "/ca" expires in 29 days',
    '34: The certificate in "/c" expires in 6 days',
    '41: The certificate in "/c" expired',
  ]);
  Object.assign(files, { "/c": fresh.certificate, "/k": fresh.key });
  await clock.advance(dayMs);
  assert.match(said().join(), /^settings\.renewed: .* certificate in "\/c" and "\/k"[^,]*$/);
  watching.cancel();
  await clock.advance(400 * dayMs);
  assert.deepEqual(said(), []);
  assert.equal(clock.timers, 0);
});

Deno.test("without certificates nobody looks", () => {
  const { renewal, clock } = world({});
  renewal.secret(secret("fixed"));
  renewal.watch().cancel();
  assert.equal(clock.timers, 0);
});
