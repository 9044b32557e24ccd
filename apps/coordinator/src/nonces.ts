import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

const lifeMs = 300_000;

/** What became of a nonce that a device sends back. */
export type NonceState = "good" | "expired" | "replay";

/**
 * Nonces of 32 bytes: when each was issued (f64, ms), 8 random bytes, and 16 of an HMAC of both. Whoever asks for one
 * costs no memory; only those that were used are kept, for the five minutes that they would be good.
 */
export class Nonces {
  readonly #secret = randomBytes(32);
  /** Used nonces in hexadecimal, the oldest use first, with when each is forgotten. */
  readonly #used = new Map<string, number>();
  readonly #now: () => number;

  /** `now` is monotonic, in milliseconds; nonces of another life of this process count as expired. */
  constructor(now: () => number) {
    this.#now = now;
  }

  issue(): Uint8Array {
    const nonce = new Uint8Array(32);
    new DataView(nonce.buffer).setFloat64(0, this.#now());
    nonce.set(randomBytes(8), 8);
    nonce.set(this.#tag(nonce), 16);
    return nonce;
  }

  state(nonce: Uint8Array): NonceState {
    if (!timingSafeEqual(this.#tag(nonce), nonce.subarray(16))) return "expired";
    if (this.#used.has(hex(nonce))) return "replay";
    return this.#now() - issuedAt(nonce) <= lifeMs ? "good" : "expired";
  }

  /** Makes a good nonce one that was used. */
  spend(nonce: Uint8Array): void {
    const now = this.#now();
    for (const [used, until] of this.#used) {
      if (until >= now) break;
      this.#used.delete(used);
    }
    this.#used.set(hex(nonce), now + lifeMs);
  }

  #tag(nonce: Uint8Array): Uint8Array {
    return createHmac("sha256", this.#secret).update(nonce.subarray(0, 16)).digest().subarray(0, 16);
  }
}

function issuedAt(nonce: Uint8Array): number {
  return new DataView(nonce.buffer, nonce.byteOffset).getFloat64(0);
}

function hex(nonce: Uint8Array): string {
  return Buffer.from(nonce).toString("hex");
}
