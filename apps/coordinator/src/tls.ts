import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile, rename } from "node:fs/promises";
import { isIP } from "node:net";
import { join, resolve } from "node:path";
import { makeFolder, syncFolder, writeTemporary } from "./store/durable-file.ts";

/** A certificate and its key in PEM, and the certificate's SHA-256 in colon-separated upper-case hexadecimal. */
export interface TlsIdentity {
  readonly cert: string;
  readonly key: string;
  readonly fingerprint: string;
}

const dayMs = 24 * 60 * 60 * 1000;
const validDays = 365;
const renewDays = 30;

/**
 * The data folder's own certificate for these host names and IP addresses, with its key in `tls.pem` (mode 0600). It
 * stays the same until 30 days before it expires or until it lacks one of the hosts; then a new one takes its place,
 * with another fingerprint. `now` is in epoch milliseconds.
 */
export async function selfSigned(
  dataFolder: string,
  hosts: readonly string[],
  now: number = Date.now(),
): Promise<TlsIdentity> {
  // One file, so that a crash cannot leave a certificate beside another one's key.
  const file = join(dataFolder, "tls.pem");
  const kept = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (kept !== undefined) {
    const identity = identityFrom({ cert: kept, certPlace: file, key: kept, keyPlace: file });
    if (serves(new X509Certificate(identity.cert), hosts, now)) return identity;
  }

  // Few coordinators make a certificate, and never twice in a year: the others start without the code for it.
  const { generate } = await import("selfsigned");
  const { cert, private: key } = await generate([{ name: "commonName", value: hosts[0] ?? "localhost" }], {
    keyType: "ec",
    algorithm: "sha256",
    // A device whose clock is a little behind would refuse a certificate that begins now.
    notBeforeDate: new Date(now - dayMs),
    notAfterDate: new Date(now + validDays * dayMs),
    extensions: [
      { name: "basicConstraints", cA: false, critical: true },
      { name: "keyUsage", digitalSignature: true, critical: true },
      { name: "extKeyUsage", serverAuth: true },
      {
        name: "subjectAltName",
        altNames: hosts.map((host) => (isIP(host) ? { type: 7, ip: host } : { type: 2, value: host })),
      },
    ],
  });
  await makeFolder(resolve(dataFolder));
  const pem = `${cert.trim()}\n${key.trim()}\n`;
  await rename(await writeTemporary(dataFolder, [Buffer.from(pem)], 0o600), file);
  await syncFolder(dataFolder);
  return identityFrom({ cert: pem, certPlace: file, key: pem, keyPlace: file });
}

/** The operator's own certificate (chain) and key from PEM files. Throws an Error naming the file that cannot be used. */
export async function fromFiles(certFile: string, keyFile: string): Promise<TlsIdentity> {
  const [cert, key] = await Promise.all([readFile(certFile, "utf8"), readFile(keyFile, "utf8")]);
  return identityFrom({ cert, certPlace: certFile, key, keyPlace: keyFile });
}

function identityFrom(pem: { cert: string; certPlace: string; key: string; keyPlace: string }): TlsIdentity {
  const certificate = parsed(pem.certPlace, "a PEM certificate", () => new X509Certificate(pem.cert));
  const key = parsed(pem.keyPlace, "an unencrypted PEM key", () => createPrivateKey(pem.key));
  if (!certificate.checkPrivateKey(key)) {
    throw new Error(`the key in ${pem.keyPlace} does not belong to the certificate in ${pem.certPlace}`);
  }
  return {
    cert: pem.cert === pem.key ? certificate.toString() : pem.cert,
    key: key.export({ type: "pkcs8", format: "pem" }) as string,
    fingerprint: certificate.fingerprint256,
  };
}

function parsed<T>(place: string, what: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    throw new Error(`${place} does not hold ${what}`, { cause });
  }
}

function serves(certificate: X509Certificate, hosts: readonly string[], now: number): boolean {
  const lasts = Date.parse(certificate.validTo) - now > renewDays * dayMs;
  return lasts && hosts.every((host) => (isIP(host) ? certificate.checkIP(host) : certificate.checkHost(host)));
}
