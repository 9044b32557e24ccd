import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { readFile, rename } from "node:fs/promises";
import { join, resolve } from "node:path";
import { makeFolder, syncFolder, writeTemporary } from "./store/durable-file.ts";

/** What a bearer token opens: the operator's routes, enrolment, or one device's session. */
export type TokenKind = "tribadm" | "tribjoin" | "tribdev";

/** A new bearer token: its kind, `_`, and 32 random bytes in base64url. */
export function mintToken(kind: TokenKind): string {
  return `${kind}_${randomBytes(32).toString("base64url")}`;
}

/**
 * The SHA-256 of a token in lower-case hexadecimal: what is kept in its place. One hash is enough, without a salt: a
 * token has 256 bits of entropy, so nothing can be guessed.
 */
export function hashToken(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

/** Whether `token` is the one with this hash, in a time that does not depend on where they differ. */
export function matchesHash(token: string, hash: string): boolean {
  const found = Buffer.from(hashToken(token));
  const expected = Buffer.from(hash);
  return found.length === expected.length && timingSafeEqual(found, expected);
}

export interface OperatorSecrets {
  readonly adminKeyHash: string;
  readonly joinTokenHash: string;
  /** The secrets themselves, only from the call that made them: show them once, keep them nowhere. */
  readonly minted?: { readonly adminKey: string; readonly joinToken: string };
}

/** The hashes of the admin key and the join token, kept in `secrets.json` (mode 0600) and made on first use. */
export async function operatorSecrets(dataFolder: string): Promise<OperatorSecrets> {
  const file = join(dataFolder, "secrets.json");
  const kept = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (kept !== undefined) return parseSecrets(kept, file);

  const minted = { adminKey: mintToken("tribadm"), joinToken: mintToken("tribjoin") };
  const hashes = { adminKeyHash: hashToken(minted.adminKey), joinTokenHash: hashToken(minted.joinToken) };
  await makeFolder(resolve(dataFolder));
  const temporary = await writeTemporary(dataFolder, [Buffer.from(`${JSON.stringify(hashes, null, 2)}\n`)], 0o600);
  await rename(temporary, file);
  await syncFolder(dataFolder);
  return { ...hashes, minted };
}

function parseSecrets(text: string, file: string): OperatorSecrets {
  const hash = /^[0-9a-f]{64}$/;
  try {
    const { adminKeyHash, joinTokenHash } = JSON.parse(text) as Record<string, unknown>;
    if (typeof adminKeyHash === "string" && hash.test(adminKeyHash)) {
      if (typeof joinTokenHash === "string" && hash.test(joinTokenHash)) return { adminKeyHash, joinTokenHash };
    }
  } catch {
    // Not JSON, or not an object: refused below like every other content.
  }
  // The content stays out of the message: it may hold something secret.
  throw new Error(`${file} does not hold two token hashes. Put back a copy, or delete it to have new secrets made.`);
}
