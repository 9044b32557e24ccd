import type { Sha256 } from "@tributary/protocol";
import type { Blobs } from "./store/blobs.ts";

/** Blobs up to this size are sent from memory, where a whole cohort asks for the same one at once. */
const largestBytes = 16 * 1024 * 1024;
const kept = 4;

/** The few blobs that were asked for last, each read once however many ask: a file stream takes ten times as long. */
export class RecentBlobs {
  readonly #blobs: Blobs;
  readonly #recent = new Map<Sha256, Promise<Uint8Array>>();

  constructor(blobs: Blobs) {
    this.#blobs = blobs;
  }

  /** The bytes of a blob of this size, or undefined for one that is better streamed. */
  async bytes(sha256: Sha256, size: number): Promise<Buffer | undefined> {
    if (size > largestBytes) return undefined;
    const reading = this.#recent.get(sha256) ?? this.#blobs.get(sha256);
    this.#recent.delete(sha256);
    this.#recent.set(sha256, reading);
    for (const oldest of [...this.#recent.keys()].slice(0, -kept)) this.#recent.delete(oldest);
    try {
      const { buffer, byteOffset, byteLength } = await reading;
      return Buffer.from(buffer, byteOffset, byteLength);
    } catch (error) {
      this.#recent.delete(sha256);
      throw error;
    }
  }
}
