/** How the bytes of something that left look: enough to see whether they are noise, and far too little to go back from. */
export interface Portrait {
  /** The first bytes as they left, at most `portraitBytes`. */
  readonly head: Uint8Array<ArrayBuffer>;
  /** How often each of the 256 values occurs in all of it. */
  readonly counts: Uint32Array;
}

const portraitBytes = 128 * 32;

export function portraitOf(bytes: Uint8Array): Portrait {
  const counts = new Uint32Array(256);
  for (let i = 0; i < bytes.length; i++) counts[bytes[i]!]!++;
  return { head: Uint8Array.from(bytes.subarray(0, portraitBytes)), counts };
}

/**
 * Pearson's χ² of the byte values against "each as often as the others": noise has about 255 (its degrees of freedom),
 * give or take `2 × 255` under the root a few times over.
 */
export function evenness({ counts }: Portrait): { readonly chiSquare: number; readonly noise: boolean } {
  const expected = counts.reduce((sum, count) => sum + count, 0) / 256;
  const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  // Five standard deviations: one upload of noise in a million falls outside.
  return { chiSquare, noise: Math.abs(chiSquare - 255) < 5 * Math.sqrt(2 * 255) };
}
