import { type MaskKernel, paddedLength } from "./kernel.ts";

const refillWords = 16_384;

/** The first `length` words of the keystream of `seed`; `from` is a multiple of 64. */
export function keystreamWords(kernel: MaskKernel, seed: Uint8Array, span: { from: number; length: number }) {
  const words = new Uint32Array(paddedLength(span.length));
  kernel.apply(words, [{ seed, subtract: false }], { from: span.from, to: span.from + words.length });
  return words.subarray(0, span.length);
}

/** Uniform 32-bit words, one after the other: the ChaCha20 keystream of `seed`. For rounding and for permutations. */
export function wordStream(kernel: MaskKernel, seed: Uint8Array): () => number {
  let words = new Uint32Array(0);
  let next = 0;
  let from = 0;
  return () => {
    if (next === words.length) {
      // Small streams stay small; long ones double up to 64 KiB at a time.
      const length = Math.min(refillWords, Math.max(64, 2 * words.length));
      words = keystreamWords(kernel, seed, { from, length });
      from += length;
      next = 0;
    }
    return words[next++]!;
  };
}
