/** Words in one vector of the kernel: lengths are multiples of it, the padding is zero and masked like the rest. */
export const blockWords = 64;
/** Words of the accumulator that stay in the cache while every mask is folded into them. */
export const tileWords = 65_536;

/** One pairwise or self mask: the keystream of `seed` (32 bytes, used once), added or taken away. */
export interface MaskOperation {
  readonly seed: Uint8Array;
  readonly subtract: boolean;
}

/** A stretch of the vector in words: from a multiple of 64 up to a multiple of 64. */
export interface WordRange {
  readonly from: number;
  readonly to: number;
}

/**
 * Expands masks and folds them into a vector of words mod 2³² in one pass. Word i of a mask is word i of the ChaCha20
 * keystream (RFC 8439, zero nonce, block counter from 0), so any range can be worked on by itself.
 */
export interface MaskKernel {
  readonly name: "wasm-simd" | "portable";
  /** Folds `operations` into `words` in place; `words` holds the vector's words from `range.from` to `range.to`. */
  apply(words: Uint32Array, operations: readonly MaskOperation[], range?: WordRange): void;
}

/** Throws `RangeError` unless the range fits the words and lies on block bounds: a caller's bug, not a peer's. */
export function checkRange(words: Uint32Array, range: WordRange): void {
  const aligned = range.from % blockWords === 0 && range.to % blockWords === 0 && range.from >= 0;
  if (aligned && words.length === range.to - range.from && range.to < 2 ** 36) return;
  throw new RangeError(`${words.length} words for ${range.from}…${range.to}: a range is a multiple of ${blockWords}`);
}

/** `length` rounded up to whole vectors of the kernel. */
export function paddedLength(length: number): number {
  return Math.ceil(length / blockWords) * blockWords;
}
