import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, rename, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Readable } from "node:stream";
import type { Sha256 } from "@tributary/protocol";
import { makeFolder, sweepTemporary, syncFolder, writeTemporary } from "./durable-file.ts";

/** A blob is missing or is not what its name says. It was left as it is. */
class DamagedBlob extends Error {
  constructor(path: string, found: string) {
    super(`the blob ${path} ${found}. Put back this file, or the whole data folder, from a copy.`);
    this.name = "DamagedBlob";
  }
}

/** Bytes by their SHA-256, one file each in one folder. A `put` that resolved survives any crash. */
export interface Blobs {
  /** Stores the bytes, or all chunks in order; repeating it is harmless and mends a damaged file. */
  put(bytes: Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<Sha256>;
  /** The bytes, checked against their name; the caller owns them. Throws DamagedBlob. */
  get(sha256: Sha256): Promise<Uint8Array>;
  /** Where the bytes are and how many; not checked. */
  find(sha256: Sha256): Promise<{ readonly path: string; readonly bytes: number } | undefined>;
  /** The bytes from `start` to `end` (both included; default all), for serving; not checked. */
  stream(sha256: Sha256, range?: { readonly start?: number; readonly end?: number }): Readable;
  /** Reads the blob through and throws DamagedBlob unless it is what its name says; holds one chunk at a time. */
  verify(sha256: Sha256): Promise<void>;
  /** Deletes bytes that nothing names any more; repeating it is harmless. */
  remove(sha256: Sha256): Promise<void>;
}

/** The blobs in `folder`, made if it is missing, after sweeping what an earlier process left half-written. */
export async function openBlobs(folder: string): Promise<Blobs> {
  await makeFolder(resolve(folder));
  await sweepTemporary(folder);
  const path = (sha256: Sha256) => join(folder, sha256);

  async function verify(sha256: Sha256): Promise<void> {
    const hash = createHash("sha256");
    try {
      for await (const chunk of createReadStream(path(sha256))) hash.update(chunk as Uint8Array);
    } catch (error) {
      return refuseMissing(error, path(sha256));
    }
    requireName(hash.digest("hex"), path(sha256));
  }

  async function find(sha256: Sha256): Promise<{ path: string; bytes: number } | undefined> {
    try {
      return { path: path(sha256), bytes: (await stat(path(sha256))).size };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  return {
    async put(bytes) {
      const hash = createHash("sha256");
      const chunks = bytes instanceof Uint8Array ? inParts(bytes) : bytes;
      const temporary = await writeTemporary(folder, hashed(chunks, hash));
      const sha256 = hash.digest("hex") as Sha256;
      await rename(temporary, path(sha256));
      await syncFolder(folder);
      return sha256;
    },

    async get(sha256) {
      try {
        const bytes = await readFile(path(sha256));
        requireName(createHash("sha256").update(bytes).digest("hex"), path(sha256));
        return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      } catch (error) {
        return refuseMissing(error, path(sha256));
      }
    },

    find,
    stream: (sha256, range = {}) => createReadStream(path(sha256), range),
    verify,
    remove: (sha256) => rm(path(sha256), { force: true }),
  };
}

/** Hashing a large model in one go would hold up every socket. */
export function* inParts(bytes: Uint8Array, partBytes = 1 << 20): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += partBytes) yield bytes.subarray(at, at + partBytes);
}

async function* hashed(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, hash: Hash) {
  for await (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
  }
}

function requireName(found: string, path: string): void {
  if (!path.endsWith(found)) throw new DamagedBlob(path, `has the SHA-256 ${found}`);
}

function refuseMissing(error: unknown, path: string): never {
  throw isMissing(error) ? new DamagedBlob(path, "is missing") : error;
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
