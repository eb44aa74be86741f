/**
 * Throw-away certificates for servers on 127.0.0.1, made with openssl.
 *
 * @module
 */

/** A certificate authority and a server's certificate from it, all in PEM. */
export interface TestCertificates {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

/** Makes a CA and a certificate for `localhost` and 127.0.0.1, valid for a day. */
export async function makeCertificates(): Promise<TestCertificates> {
  const dir = await Deno.makeTempDir({ prefix: "weir-certificates-" });
  const openssl = async (...args: readonly string[]) => {
    const { success, stderr } = await new Deno.Command("openssl", { args: [...args], cwd: dir, stdin: "null" })
      .output();
    if (!success) throw new Error(`openssl ${args[0]} failed: ${new TextDecoder().decode(stderr)}`);
  };
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const asServer =
    "basicConstraints=CA:FALSE\nsubjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n";
  try {
    await openssl(
      "req",
      "-x509",
      ...newKey,
      "-keyout",
      "ca.key",
      "-out",
      "ca.pem",
      "-days",
      "1",
      "-subj",
      "/CN=Weir test CA",
    );
    await openssl("req", ...newKey, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost");
    await Deno.writeTextFile(`${dir}/server.ext`, asServer);
    const signing = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "server.ext", "-days", "1"];
    await openssl("x509", "-req", "-in", "server.csr", ...signing, "-out", "server.pem");
    const [ca, certificate, key] = await Promise.all(
      ["ca.pem", "server.pem", "server.key"].map((name) => Deno.readTextFile(`${dir}/${name}`)),
    );
    return { ca: ca ?? "", certificate: certificate ?? "", key: key ?? "" };
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}
