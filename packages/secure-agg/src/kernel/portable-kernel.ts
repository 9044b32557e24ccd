import { chacha20 } from "@noble/ciphers/chacha.js";
import { checkRange, type MaskKernel } from "./kernel.ts";

const nonce = new Uint8Array(12);
const chunkWords = 16_384;

/** The same masks by @noble/ciphers, for platforms without WebAssembly SIMD: about a sixth of the speed. */
export function portableKernel(): MaskKernel {
  const zeros = new Uint8Array(4 * chunkWords);
  const keystream = new Uint8Array(4 * chunkWords);
  const wordsOfKeystream = new Uint32Array(keystream.buffer);
  return {
    name: "portable",
    apply(words, operations, range = { from: 0, to: words.length }) {
      checkRange(words, range);
      for (let start = 0; start < words.length; start += chunkWords) {
        const part = words.subarray(start, start + chunkWords);
        const input = zeros.subarray(0, 4 * part.length);
        const output = keystream.subarray(0, 4 * part.length);
        for (const { seed, subtract } of operations) {
          chacha20(seed, nonce, input, output, (range.from + start) / 16);
          if (subtract) for (let i = 0; i < part.length; i++) part[i]! -= wordsOfKeystream[i]!;
          else for (let i = 0; i < part.length; i++) part[i]! += wordsOfKeystream[i]!;
        }
      }
      keystream.fill(0);
    },
  };
}
