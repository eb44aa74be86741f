/**
 * Throw-away certificates for servers on 127.0.0.1 and their clients, made with openssl.
 *
 * @module
 */

/** A certificate authority and a server's certificate from it, all in PEM. */
export interface TestCertificates {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

/** A certificate and its key in PEM. */
export interface TestIdentity {
  readonly certificate: string;
  readonly key: string;
}

/** What a certificate is to be. */
export interface Wanted {
  /** Its common name. */
  readonly name: string;
  /** Names of a server (`DNS:localhost,IP:127.0.0.1`); null for a client. Default: those two. */
  readonly server?: string | null;
  /** First and last moment; default: from an hour ago for a day. */
  readonly from?: Date;
  readonly to?: Date;
}

/** A certificate authority. */
export interface TestAuthority {
  /** Its own certificate, and its key. */
  readonly ca: string;
  readonly caKey: string;
  issue(wanted: Wanted): Promise<TestIdentity>;
  /** Removes its folder; the certificates stay good. */
  [Symbol.asyncDispose](): Promise<void>;
}

const hourMs = 3_600_000;
const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

const config = `[ca]
default_ca = test
[test]
database = index.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
`;

/** Makes a CA with a folder of its own. */
export async function makeAuthority(name = "Weir test CA"): Promise<TestAuthority> {
  const dir = await Deno.makeTempDir({ prefix: "weir-certificates-" });
  const openssl = async (...args: readonly string[]) => {
    const { success, stderr } = await new Deno.Command("openssl", { args: [...args], cwd: dir, stdin: "null" })
      .output();
    if (!success) throw new Error(`openssl ${args[0]} failed: ${new TextDecoder().decode(stderr)}`);
  };
  const read = (file: string) => Deno.readTextFile(`${dir}/${file}`);
  await Deno.writeTextFile(`${dir}/ca.cnf`, config);
  await Deno.writeTextFile(`${dir}/index.txt`, "");
  const subject = ["-subj", `/CN=${name}`];
  await openssl("req", "-x509", ...newKey, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", ...subject);
  let issued = 0;
  return {
    ca: await read("ca.pem"),
    caKey: await read("ca.key"),
    async issue({ name, server = "DNS:localhost,IP:127.0.0.1", from, to }) {
      const file = `${++issued}`;
      const use = server === null ? "clientAuth" : `serverAuth\nsubjectAltName=${server}`;
      await Deno.writeTextFile(`${dir}/${file}.ext`, `basicConstraints=CA:FALSE\nextendedKeyUsage=${use}\n`);
      await openssl("req", ...newKey, "-keyout", `${file}.key`, "-out", `${file}.csr`, "-subj", `/CN=${name}`);
      const now = Date.now();
      const dates = ["-startdate", stamp(from ?? new Date(now - hourMs))];
      dates.push("-enddate", stamp(to ?? new Date(now + 24 * hourMs)));
      const issuer = ["-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key", "-extfile", `${file}.ext`];
      await openssl("ca", "-batch", "-notext", ...issuer, ...dates, "-in", `${file}.csr`, "-out", `${file}.pem`);
      return { certificate: await read(`${file}.pem`), key: await read(`${file}.key`) };
    },
    [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }),
  };
}

/** Makes a CA and a certificate for `localhost` and 127.0.0.1, valid for a day. */
export async function makeCertificates(): Promise<TestCertificates> {
  await using authority = await makeAuthority();
  return { ca: authority.ca, ...await authority.issue({ name: "localhost" }) };
}

/** As `openssl ca` wants it: `20260131235959Z`. */
function stamp(date: Date): string {
  return `${date.toISOString().slice(0, 19).replace(/[-:T]/g, "")}Z`;
}
