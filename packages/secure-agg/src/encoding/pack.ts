import { blockWords } from "../kernel/kernel.ts";

/** Bytes of `words` packed words: whole, since vectors are multiples of 64. */
export function packedBytes(words: number, bits: number): number {
  return (words * bits) / 8;
}

/** The low `bits` bits of every word, one after the other, little-endian: 2^bits divides 2³², so masks still cancel. */
export function packWords(words: Uint32Array, bits: number): Uint8Array {
  checkWidth(words, bits);
  if (bits === 32) return new Uint8Array(words.slice().buffer);
  const packed = new Uint32Array(packedBytes(words.length, bits) / 4);
  const mask = 2 ** bits - 1;
  let pending = 0;
  let filled = 0;
  let at = 0;
  for (let i = 0; i < words.length; i++) {
    const word = words[i]! & mask;
    pending |= word << filled;
    filled += bits;
    if (filled >= 32) {
      packed[at++] = pending;
      filled -= 32;
      pending = filled === 0 ? 0 : word >>> (bits - filled);
    }
  }
  return new Uint8Array(packed.buffer);
}

/** Adds packed words to a running sum, which is the one argument that changes. */
export function addPacked(sum: Uint32Array, packed: Uint8Array, bits: number): void {
  checkWidth(sum, bits);
  if (packed.length !== packedBytes(sum.length, bits)) {
    throw new RangeError(`${packed.length} bytes for ${sum.length} words of ${bits} bits`);
  }
  const aligned = packed.byteOffset % 4 === 0 ? packed : packed.slice();
  const source = new Uint32Array(aligned.buffer, aligned.byteOffset, packed.length / 4);
  if (bits === 32) {
    for (let i = 0; i < sum.length; i++) sum[i]! += source[i]!;
    return;
  }
  const mask = 2 ** bits - 1;
  // A block's packed words are whole ones: each block starts at bit 0, and its last value is what a word ends with.
  const sourceWords = 2 * bits;
  for (let block = 0, first = 0; block < sum.length; block += blockWords, first += sourceWords) {
    const last = blockWords - 1;
    for (let i = 0, bit = 0; i < last; i++, bit += bits) {
      const at = first + (bit >>> 5);
      const offset = bit & 31;
      // In two shifts, so that at offset 0 nothing is left of the next word.
      sum[block + i]! += ((source[at]! >>> offset) | ((source[at + 1]! << 1) << (31 - offset))) & mask;
    }
    sum[block + last]! += source[first + sourceWords - 1]! >>> (32 - bits);
  }
}

function checkWidth(words: Uint32Array, bits: number): void {
  if (bits >= 1 && bits <= 32 && words.length % blockWords === 0) return;
  throw new RangeError(`${words.length} words of ${bits} bits: expected 1 … 32 bits and a multiple of ${blockWords}`);
}
