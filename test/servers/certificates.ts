import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const openssl = promisify(execFile);

/** A private key and its certificate, PEM. */
export interface Identity {
  readonly key: string;
  readonly cert: string;
}

/** An authority of the test's own, and what it has signed. */
export interface Certificates {
  /** What a client has to trust, PEM. */
  readonly ca: string;
  /** Of the server, for 127.0.0.1 and localhost. */
  readonly server: Identity;
  /** Of a client, for servers that ask for one. Its name is CN=client. */
  readonly client: Identity;
}

async function signed(folder: string, name: string): Promise<Identity> {
  const path = (kind: string) => join(folder, `${name}.${kind}`);
  const key = ["-newkey", "rsa:2048", "-nodes", "-keyout", path("key")];
  await openssl("openssl", ["req", ...key, "-subj", `/CN=${name}`, "-out", path("csr")]);
  writeFileSync(path("ext"), "subjectAltName=IP:127.0.0.1,DNS:localhost\n");
  const authority = ["-CA", join(folder, "ca.cert"), "-CAkey", join(folder, "ca.key"), "-CAcreateserial"];
  await openssl("openssl", [
    ...["x509", "-req", "-in", path("csr"), ...authority, "-days", "3650"],
    ...["-extfile", path("ext"), "-out", path("cert")],
  ]);
  return { key: readFileSync(path("key"), "utf8"), cert: readFileSync(path("cert"), "utf8") };
}

/** Makes an authority and two certificates with openssl, and leaves them in a folder as `ca.cert`, `server.key` and so on. */
export async function makeCertificates(folder: string): Promise<Certificates> {
  const key = ["-newkey", "rsa:2048", "-nodes", "-keyout", join(folder, "ca.key")];
  await openssl("openssl", [
    ...["req", "-x509", ...key, "-days", "3650"],
    ...["-subj", "/CN=authority of a test", "-out", join(folder, "ca.cert")],
  ]);
  return {
    ca: readFileSync(join(folder, "ca.cert"), "utf8"),
    server: await signed(folder, "server"),
    client: await signed(folder, "client"),
  };
}
