import { createHash } from "node:crypto";
import type { Sha256 } from "@tributary/protocol";
import type { Blobs } from "./store/blobs.ts";

/** Blobs up to this size are kept in memory, where a whole cohort asks for the same one at once. */
const largestBytes = 16 * 1024 * 1024;
const kept = 4;
/** Blobs up to this size, such as the checkpoint of a server without state, are not written again while they are held. */
const smallBytes = 65_536;

/** Blobs of which the few that were put or asked for last are in memory, too. */
export interface RecentBlobs extends Blobs {
  /** The bytes of a blob that is in memory just now. Nobody may write to them. */
  held(sha256: Sha256): Promise<Uint8Array> | undefined;
  /** The bytes of a blob of this size, or undefined for one that is better streamed. Nobody may write to them. */
  recent(sha256: Sha256, size: number): Promise<Uint8Array | undefined>;
}

/**
 * Keeps the few blobs that were put or asked for last in memory: a file stream takes ten times as long. Bytes that were
 * put in one piece belong to it from then on.
 */
export function recentBlobs(blobs: Blobs): RecentBlobs {
  const held = new Map<Sha256, Promise<Uint8Array>>();

  function hold(sha256: Sha256, bytes: Promise<Uint8Array>): void {
    held.delete(sha256);
    held.set(sha256, bytes);
    for (const oldest of [...held.keys()].slice(0, -kept)) held.delete(oldest);
  }

  function heldAs(bytes: Uint8Array): Sha256 | undefined {
    if (bytes.length > smallBytes) return undefined;
    const sha256 = createHash("sha256").update(bytes).digest("hex") as Sha256;
    return held.has(sha256) ? sha256 : undefined;
  }

  return {
    ...blobs,
    held: (sha256) => held.get(sha256),

    async put(bytes) {
      if (!(bytes instanceof Uint8Array) || bytes.length > largestBytes) return blobs.put(bytes);
      const sha256 = heldAs(bytes) ?? (await blobs.put(bytes));
      hold(sha256, Promise.resolve(bytes));
      return sha256;
    },

    remove(sha256) {
      held.delete(sha256);
      return blobs.remove(sha256);
    },

    async recent(sha256, size) {
      if (size > largestBytes) return undefined;
      const reading = held.get(sha256) ?? blobs.get(sha256);
      hold(sha256, reading);
      try {
        return await reading;
      } catch (error) {
        held.delete(sha256);
        throw error;
      }
    },
  };
}
