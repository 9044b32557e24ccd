import { randomUUID } from "node:crypto";
import { mkdir, open, readdir, rm, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ProtocolError } from "@tributary/protocol";

const temporaryPrefix = ".tmp-";

/**
 * Writes the chunks to a new file with a passing name in `folder`, synced to disk, and gives its path: link or rename
 * it into place, then `syncFolder`. Leaves nothing behind when it throws. A full disk refuses with `storage_full`.
 */
export async function writeTemporary(
  folder: string,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  mode = 0o644,
): Promise<string> {
  const path = join(folder, `${temporaryPrefix}${randomUUID()}`);
  const file = await open(path, "wx", mode).catch((error: unknown) => refuseFullDisk(error, folder));
  try {
    try {
      for await (const chunk of chunks) await file.writeFile(chunk);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    await unlink(path);
    return refuseFullDisk(error, folder);
  }
  return path;
}

/** Makes the names in a folder as durable as the files: a rename is on disk only once its folder is synced. */
export async function syncFolder(folder: string): Promise<void> {
  // Windows cannot open a folder as a file, and writes its directory entries through.
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes a folder and those above it, each name durable. */
export async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true }).catch((error: unknown) => refuseFullDisk(error, folder));
  if (first === undefined) return;
  for (let made = folder; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
}

/** A name that `sweepTemporary` removes, should the process die before its user does. */
export function temporaryName(): string {
  return `${temporaryPrefix}${randomUUID()}`;
}

/** Removes what writers that died left in `folder`, and gives how many. Only while no writer is at work there. */
export async function sweepTemporary(folder: string): Promise<number> {
  const left = (await readdir(folder)).filter((name) => name.startsWith(temporaryPrefix));
  await Promise.all(left.map((name) => rm(join(folder, name), { recursive: true })));
  return left.length;
}

/** Throws `storage_full` for errors that say a disk, a quota or a file-size limit is exhausted, else the error itself. */
export function refuseFullDisk(error: unknown, place: string): never {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG") {
    throw new ProtocolError("storage_full", `the disk with ${place} is full (${code}): free some space and repeat`, {
      cause: error,
    });
  }
  throw error;
}
