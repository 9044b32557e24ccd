// The SHA-256 of every file of a built page: who hosts the folder elsewhere, and who visits it, can check what is served.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const listName = "integrity.json";

/** Writes `integrity.json` into a built folder: the path and the SHA-256 (hexadecimal) of each of its files. */
export function writeIntegrity(folder) {
  const files = readdirSync(folder, { recursive: true })
    .map((name) => name.replaceAll("\\", "/"))
    // What a server sends under these names is the file beside them, compressed.
    .filter((name) => name !== listName && !/\.(br|gz)$/.test(name) && statSync(join(folder, name)).isFile())
    .sort();
  const hashes = Object.fromEntries(files.map((name) => [name, sha256(readFileSync(join(folder, name)))]));
  writeFileSync(join(folder, listName), `${JSON.stringify(hashes, undefined, 1)}\n`);
}

export const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");
