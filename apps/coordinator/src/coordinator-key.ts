import * as crypto from "node:crypto";
import { readFile, rename } from "node:fs/promises";
import { join, resolve } from "node:path";
import { nodeSigner, type Signer } from "@tributary/secure-agg";
import { makeFolder, syncFolder, writeTemporary } from "./store/durable-file.ts";

/**
 * The coordinator's own Ed25519 key, by which devices know it again: 32 bytes of seed in base64, in the data folder's
 * `coordinator.key` (mode 0600), made on first use. Throws for a file that is something else, and names it.
 */
export async function coordinatorKey(dataFolder: string): Promise<Signer> {
  const file = join(dataFolder, "coordinator.key");
  const kept = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (kept !== undefined) {
    if (/^[A-Za-z0-9+/]{43}=\s*$/.test(kept)) return nodeSigner(crypto, Buffer.from(kept, "base64"));
    throw new Error(
      `${file} does not hold a key (32 bytes in base64). Put back a copy; without it, every device must be told of a new key.`,
    );
  }
  const seed = crypto.randomBytes(32);
  await makeFolder(resolve(dataFolder));
  const temporary = await writeTemporary(dataFolder, [Buffer.from(`${seed.toString("base64")}\n`)], 0o600);
  await rename(temporary, file);
  await syncFolder(dataFolder);
  return nodeSigner(crypto, seed);
}
