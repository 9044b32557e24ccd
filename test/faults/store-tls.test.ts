import { createHash, X509Certificate } from "node:crypto";
import { readFile, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { connect } from "node:tls";
import { expect, onTestFinished, test } from "vitest";
import { fromFiles, selfSigned } from "../../apps/coordinator/src/tls.ts";
import { dataFolder } from "../support/data-folder.ts";

const hosts = ["localhost", "gpu-box.example", "127.0.0.1", "::1"];
const dayMs = 24 * 60 * 60 * 1000;

test("the certificate serves its hosts and addresses to a client that trusts it, and no other name", async () => {
  const { cert, key, fingerprint } = await selfSigned(await dataFolder(), hosts);
  const server = createServer({ cert, key });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const reach = (servername: string) =>
    new Promise<string>((resolve, reject) => {
      const socket = connect({ port, host: "127.0.0.1", ca: cert, servername }, () => {
        resolve(socket.getPeerCertificate().fingerprint256);
        socket.end();
      });
      socket.on("error", reject);
    });
  expect(await reach("localhost")).toBe(fingerprint);
  expect(await reach("gpu-box.example")).toBe(fingerprint);
  expect(await reach("")).toBe(fingerprint);
  await expect(reach("elsewhere.example")).rejects.toMatchObject({ code: "ERR_TLS_CERT_ALTNAME_INVALID" });
  const certificate = new X509Certificate(cert);
  expect(certificate.checkIP("::1")).toBe("::1");
  const digest = createHash("sha256").update(certificate.raw).digest("hex").toUpperCase();
  expect(fingerprint.replaceAll(":", "")).toBe(digest);
  expect(fingerprint).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
});

test("it stays the same over restarts until 30 days before it expires", async () => {
  const folder = await dataFolder();
  const now = Date.parse("2026-03-01T00:00:00Z");
  const first = await selfSigned(folder, hosts, now);
  expect((await stat(join(folder, "tls.pem"))).mode & 0o777).toBe(0o600);
  expect(await selfSigned(folder, hosts, now)).toEqual(first);
  expect(await selfSigned(folder, ["127.0.0.1"], now + 334 * dayMs)).toEqual(first);
  const second = await selfSigned(folder, hosts, now + 336 * dayMs);
  expect(second.fingerprint).not.toBe(first.fingerprint);
  expect(await selfSigned(folder, hosts, now + 336 * dayMs)).toEqual(second);
});

test("a host that it does not name yet gets a new certificate", async () => {
  const folder = await dataFolder();
  const first = await selfSigned(folder, ["localhost"]);
  const second = await selfSigned(folder, ["localhost", "192.0.2.7"]);
  expect(second.fingerprint).not.toBe(first.fingerprint);
  expect(new X509Certificate(second.cert).checkIP("192.0.2.7")).toBe("192.0.2.7");
});

test("a damaged certificate file is named and left alone, never replaced", async () => {
  const folder = await dataFolder();
  const file = join(folder, "tls.pem");
  await writeFile(file, "not PEM");
  await expect(selfSigned(folder, hosts)).rejects.toThrow(`${file} does not hold a PEM certificate`);
  expect(await readFile(file, "utf8")).toBe("not PEM");
});

test("the operator's own files are used as they are, and refused by name where they do not fit", async () => {
  const folder = await dataFolder();
  const file = (name: string) => join(folder, name);
  const mine = await selfSigned(join(folder, "a"), hosts);
  const other = await selfSigned(join(folder, "b"), hosts);
  await writeFile(file("cert.pem"), mine.cert);
  await writeFile(file("key.pem"), mine.key);
  await writeFile(file("other.pem"), other.key);
  expect(await fromFiles(file("cert.pem"), file("key.pem"))).toEqual(mine);
  const mismatch = `the key in ${file("other.pem")} does not belong to the certificate in ${file("cert.pem")}`;
  await expect(fromFiles(file("cert.pem"), file("other.pem"))).rejects.toThrow(mismatch);
  await expect(fromFiles(file("key.pem"), file("key.pem"))).rejects.toThrow(
    `${file("key.pem")} does not hold a PEM cert`,
  );
  await expect(fromFiles(file("cert.pem"), file("cert.pem"))).rejects.toThrow(
    `${file("cert.pem")} does not hold an unenc`,
  );
  await expect(fromFiles(file("none.pem"), file("key.pem"))).rejects.toThrow(file("none.pem"));
});
