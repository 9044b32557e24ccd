import { closeSync, openSync, readSync, statSync } from "node:fs";
import { access, readFile } from "node:fs/promises";
import { getHeapStatistics } from "node:v8";
import { ProtocolError } from "@tributary/protocol";
import { badData } from "../data/bad-data.ts";
import { gunzipped } from "../data/idx.ts";
import { textEncoding } from "../data/text-encoding.ts";

/** Files beyond this size stay on disk: what is made of their contents takes some sixteen times their size at its peak. */
export const inMemoryBytes = () => getHeapStatistics().heap_size_limit / 16;

/** A file's size once it is unpacked. Throws `ProtocolError("bad_data")` where it cannot be read. */
function unpackedBytes(path: string): number {
  return reading(path, () => {
    const { size } = statSync(path);
    const file = openSync(path, "r");
    try {
      const ends = Buffer.alloc(4);
      readSync(file, ends, 0, 2, 0);
      if (size < 18 || ends.readUInt16BE(0) !== 0x1f8b) return size;
      // RFC 1952: the length, modulo 2³², is the last four bytes.
      readSync(file, ends, 0, 4, size - 4);
      return ends.readUInt32LE(0);
    } finally {
      closeSync(file);
    }
  });
}

/** Whether a file is too large to be held. Throws `ProtocolError("bad_data")` for one that is, and packed or in UTF-16. */
export function staysOnDisk(path: string): boolean {
  const bytes = unpackedBytes(path);
  if (bytes <= inMemoryBytes()) return false;
  if (textEncoding(firstBytes(path)) !== "utf-8") {
    badData(
      `${path} has ${bytes} bytes of UTF-16, more than is kept in memory; save it as UTF-8, and it is read in parts`,
    );
  }
  if (bytes === statSync(path).size) return true;
  return badData(
    `${path} has ${bytes} bytes once unpacked, more than is kept in memory; unpack it, and it is read in parts`,
  );
}

function firstBytes(path: string): Uint8Array {
  return reading(path, () => {
    const file = openSync(path, "r");
    try {
      const first = Buffer.alloc(2);
      readSync(file, first, 0, 2, 0);
      return first;
    } finally {
      closeSync(file);
    }
  });
}

/** The text of a file, gzipped or not, in UTF-8 or UTF-16, a byte order mark kept. */
export async function readText(path: string): Promise<string> {
  const bytes = gunzipped(await read(path), path);
  const encoding = textEncoding(bytes);
  const nul = encoding === "utf-8" ? bytes.subarray(0, 1024).indexOf(0) : -1;
  if (nul >= 0) badData(`${path} is not text: byte ${nul} is 0`);
  return new TextDecoder(encoding, { ignoreBOM: true }).decode(bytes);
}

/** The file at `path`, or the one beside it that ends in `.gz`. */
export async function readEither(path: string): Promise<Uint8Array> {
  for (const candidate of [path, `${path}.gz`]) {
    const exists = await access(candidate).then(
      () => true,
      () => false,
    );
    if (exists) return read(candidate);
  }
  return badData(`There is neither ${path} nor ${path}.gz; an unpacked or gzipped file of MNIST is wanted there`);
}

export async function read(path: string): Promise<Uint8Array> {
  try {
    const file = await readFile(path);
    return new Uint8Array(file.buffer, file.byteOffset, file.byteLength);
  } catch (cause) {
    return badData(`${path} cannot be read: ${(cause as Error).message}`, cause);
  }
}

/** Says which file a failure of the system was about. */
export function reading<Result>(path: string, work: () => Result): Result {
  try {
    return work();
  } catch (cause) {
    return badData(`${path} cannot be read: ${(cause as Error).message}`, cause);
  }
}

/** Puts the path before what a reader of bytes says is wrong. */
export async function within<Result>(path: string, work: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause;
    throw new ProtocolError(cause.code, `${path}: ${cause.message}`, { cause });
  }
}
