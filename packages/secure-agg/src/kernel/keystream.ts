import { type MaskKernel, paddedLength } from "./kernel.ts";

const refillWords = 16_384;

/** The first `length` words of the keystream of `seed`; `from` is a multiple of 64. */
export function keystreamWords(kernel: MaskKernel, seed: Uint8Array, span: { from: number; length: number }) {
  const words = new Uint32Array(paddedLength(span.length));
  kernel.apply(words, [{ seed, subtract: false }], { from: span.from, to: span.from + words.length });
  return words.subarray(0, span.length);
}

/** Uniform 32-bit words in order: the ChaCha20 keystream of `seed`. For rounding and for permutations. */
export interface WordStream {
  /** The next word. */
  next(): number;
  /** The next words, 1 … 16,384 of them and at most `limit`: a view that the next call overwrites. */
  take(limit: number): Uint32Array;
}

export function wordStream(kernel: MaskKernel, seed: Uint8Array): WordStream {
  let words = new Uint32Array(0);
  let used = 0;
  let from = 0;
  function refill(): void {
    // Small streams stay small; long ones double up to 64 KiB at a time.
    const length = Math.min(refillWords, Math.max(64, 2 * words.length));
    words = keystreamWords(kernel, seed, { from, length });
    from += length;
    used = 0;
  }
  return {
    next() {
      if (used === words.length) refill();
      return words[used++]!;
    },
    take(limit) {
      if (used === words.length) refill();
      const taken = words.subarray(used, used + limit);
      used += taken.length;
      return taken;
    },
  };
}
