import assert from "node:assert/strict";
import { dateStage, dateWarning, readCertificates, readIdentity, readKey } from "../../src/core/certificate.ts";
import { makeAuthority } from "../support/certificates.ts";

const dayMs = 86_400_000;

Deno.test("certificate and key that belong together are told from those that do not, also in a chain", async () => {
  await using authority = await makeAuthority("Some CA");
  const one = await authority.issue({ name: "gateway-1", server: null });
  const two = await authority.issue({ name: "gateway-2", server: null });
  const right = readIdentity({ certificate: one.certificate + authority.ca, key: one.key });
  assert.ok(right.ok);
  assert.deepEqual([right.value.subject, right.value.issuer], ["gateway-1", "Some CA"]);
  const trouble = (certificate: string, key: string) => {
    const read = readIdentity({ certificate, key });
    return read.ok ? "none" : read.trouble;
  };
  assert.match(trouble(one.certificate, two.key), /does not belong to the certificate of "gateway-1"/);
  assert.match(trouble(authority.ca + one.certificate, one.key), /of "gateway-1", which must be the first/);
  assert.match(trouble(one.certificate, one.certificate), /Holds no private key/);
  assert.match(trouble(one.key, one.key), /Holds no certificate/);
});

Deno.test("an encrypted key is refused with the way out, without asking the terminal for its passphrase", () => {
  for (
    const pem of [
      "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIF\n-----END ENCRYPTED PRIVATE KEY-----\n",
      "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,82\n\nMIIF\n-----END RSA PRIVATE KEY-----\n",
    ]
  ) {
    const read = readKey(pem);
    assert.ok(!read.ok);
    assert.match(read.trouble, /encrypted.*openssl pkey.*LoadCredentialEncrypted/);
  }
});

Deno.test("what is wrong with a key is told without a character of it", () => {
  const read = readKey("-----BEGIN PRIVATE KEY-----\nc2VjcmV0c2VjcmV0\n-----END PRIVATE KEY-----\n");
  assert.ok(!read.ok);
  assert.match(read.trouble, /private key that cannot be read/);
  assert.doesNotMatch(read.trouble, /c2Vj/);
});

Deno.test("a certificate that cannot be read is told", () => {
  const read = readCertificates("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  assert.ok(!read.ok && /cannot be read/.test(read.trouble));
});

Deno.test("an end is told 30 days ahead, of a short life only in its last third", () => {
  const facts = (lifeDays: number) => ({
    subject: "s",
    issuer: "i",
    validFromMs: Date.UTC(2026, 0, 1),
    validToMs: Date.UTC(2026, 0, 1) + lifeDays * dayMs,
  });
  const at = (lifeDays: number, day: number) => dateWarning(facts(lifeDays), Date.UTC(2026, 0, 1) + day * dayMs);
  assert.equal(at(365, 334), null);
  assert.equal(at(365, 335), "expires in 30 days, on 2027-01-01");
  assert.equal(at(90, 59), null);
  assert.equal(at(90, 77), "expires in 13 days, on 2026-04-01");
  assert.equal(at(90, 89), "expires in 1 day, on 2026-04-01");
  assert.equal(at(90, 89.5), "expires in less than a day, on 2026-04-01");
  assert.equal(at(90, 90), "expired on 2026-04-01");
  assert.equal(at(90, -1), "is valid only from 2026-01-01 on");
  assert.equal(at(3, 1), null);
  assert.equal(at(3, 2.5), "expires in less than a day, on 2026-01-04");
  const stage = (day: number) => dateStage(facts(90), Date.UTC(2026, 0, 1) + day * dayMs);
  assert.deepEqual([stage(70), stage(82), stage(83), stage(90), stage(-1)], [
    "weeks left",
    "weeks left",
    "days left",
    "wrong",
    "wrong",
  ]);
});
