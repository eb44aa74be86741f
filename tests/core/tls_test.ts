/** Why TLS fails, against real TLS servers: each cause has its own words. */
import assert from "node:assert/strict";
import { connect, createServer, type TlsOptions } from "node:tls";
import { createServer as createTcpServer } from "node:net";
import { systemClock } from "../../src/core/clock.ts";
import { explainTls, isTlsError, type TlsMaterial, tlsOptions } from "../../src/core/tls.ts";
import { makeAuthority, type TestIdentity } from "../support/certificates.ts";

const past = { from: new Date("2020-01-01T00:00:00Z"), to: new Date("2020-01-31T00:00:00Z") };
const future = { from: new Date("2120-01-01T00:00:00Z"), to: new Date("2120-01-31T00:00:00Z") };

const authority = await makeAuthority("Plant CA");
const stranger = await makeAuthority("Other CA");
const server = await authority.issue({ name: "broker" });
const expired = await authority.issue({ name: "gateway", server: null, ...past });
const good = await authority.issue({ name: "gateway", server: null });
const trusting: TlsMaterial = { ca: authority.ca };

const cases: readonly (readonly [
  what: string,
  certificate: TestIdentity,
  material: TlsMaterial,
  expected: RegExp,
])[] = [
  [
    "an expired certificate of the server",
    await authority.issue({ name: "broker", ...past }),
    trusting,
    /its certificate expired on 2020-01-31\. Renew it at the server\. This gateway's clock says \d{4}-/,
  ],
  [
    "one that is not valid yet",
    await authority.issue({ name: "broker", ...future }),
    trusting,
    /its certificate is valid only from 2120-01-01 on.*clock/,
  ],
  [
    "one for another host",
    await authority.issue({ name: "broker", server: "DNS:elsewhere.example" }),
    trusting,
    /its certificate is for "DNS:elsewhere.example" and not for "127.0.0.1"/,
  ],
  [
    "one of a CA that is not trusted",
    server,
    { ca: stranger.ca },
    /it was issued by "Plant CA".*--test-ca-file/,
  ],
  ["one of a CA that the system does not know", server, { ca: null }, /it was issued by "Plant CA".*--test-ca-file/],
];

await authority[Symbol.asyncDispose]();
await stranger[Symbol.asyncDispose]();

for (const [what, { certificate: cert, key }, material, expected] of cases) {
  Deno.test(`${what} is named as the cause`, async () => {
    assert.match(await explained({ cert, key }, material), expected);
  });
}

Deno.test("a certificate signed by itself is named as the cause", async () => {
  const [cert, key] = await selfSigned();
  assert.match(
    await explained({ cert, key }, trusting),
    /signed by itself \("lonely"\) and not trusted.*--test-ca-file/,
  );
});

Deno.test("a server that does not speak TLS is named as the cause", async () => {
  const tcp = createTcpServer((socket) => {
    socket.on("error", () => {});
    socket.resume();
    socket.write("HTTP/1.1 400 Bad Request\r\n\r\n");
  });
  const port = await listening(tcp);
  const error = await failure(port, trusting);
  const { what } = await explainTls(error, { host: "127.0.0.1", port }, trusting, "test", systemClock);
  assert.match(what, /there is no TLS/);
  assert.ok(isTlsError(error));
  await new Promise((resolve) => tcp.close(resolve));
});

Deno.test("alerts about client certificates are told apart by what we have", async () => {
  const words = async (alert: string, identity: TestIdentity | null) => {
    const error = new Error(`received fatal alert: ${alert}`);
    assert.ok(isTlsError(error));
    const material = { ca: null, identity };
    const trouble = await explainTls(error, { host: "127.0.0.1", port: 1 }, material, "test", systemClock);
    return `${trouble.what}. ${trouble.advice}`;
  };
  assert.match(
    await words("CertificateRequired", null),
    /wants a client certificate, and there is none.*--test-cert-file/,
  );
  assert.match(await words("BadCertificate", null), /wants a client certificate/);
  assert.match(await words("HandshakeFailure", null), /most likely wants a client certificate/);
  assert.match(await words("ProtocolVersion", null), /broke the TLS handshake off \(ProtocolVersion\)/);
  assert.match(await words("CertificateUnknown", expired), /our client certificate, which expired on 2020-01-31/);
  assert.match(await words("CertificateExpired", good), /valid until .* has expired.*clocks/);
  assert.match(await words("UnknownCA", good), /does not accept our client certificate, issued by "Plant CA"/);
});

Deno.test("errors of the network are not taken for TLS", () => {
  for (
    const [message, code] of [["connect ECONNREFUSED 127.0.0.1:1", "ECONNREFUSED"], ["read ECONNRESET", "ECONNRESET"]]
  ) {
    assert.equal(isTlsError(Object.assign(new Error(message), { code })), false);
  }
});

/** What is said of a connection to a server with these options. */
async function explained(options: TlsOptions, material: TlsMaterial): Promise<string> {
  const tls = createServer(options, (socket) => socket.on("error", () => {}));
  tls.on("tlsClientError", () => {});
  const port = await listening(tls);
  try {
    const error = await failure(port, material);
    assert.ok(isTlsError(error), error.message);
    const trouble = await explainTls(error, { host: "127.0.0.1", port }, material, "test", systemClock);
    return `${trouble.what}. ${trouble.advice}`;
  } finally {
    tls.close();
  }
}

function failure(port: number, material: TlsMaterial): Promise<Error> {
  return new Promise((resolve, reject) => {
    const socket = connect(tlsOptions({ host: "127.0.0.1", port }, material));
    socket.once("secureConnect", () => {
      socket.destroy();
      reject(new Error("It was connected"));
    });
    socket.once("error", (error) => {
      socket.destroy();
      resolve(error);
    });
  });
}

function listening(tcp: ReturnType<typeof createTcpServer>): Promise<number> {
  return new Promise((resolve) => {
    tcp.listen(0, "127.0.0.1", () => {
      const address = tcp.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
}

async function selfSigned(): Promise<readonly [string, string]> {
  await using lonely = await makeAuthority("lonely");
  return [lonely.ca, lonely.caKey];
}
