import { maskKernelBase64 } from "./binary.ts";
import { blockWords, checkRange, type MaskKernel, tileWords } from "./kernel.ts";

interface Exports {
  readonly memory: WebAssembly.Memory;
  keyAddress(): number;
  tileAddress(): number;
  tileWords(): number;
  mask(words: number, counter: number, subtract: number): void;
}

/** The binary of assembly/mask.ts, about 2 kB. */
function maskKernelBinary(): Uint8Array {
  return Uint8Array.from(atob(maskKernelBase64), (character) => character.charCodeAt(0));
}

/** The SIMD kernel, or undefined where WebAssembly or its SIMD is missing. Each kernel owns 384 KiB; not re-entrant. */
export async function loadWasmKernel(): Promise<MaskKernel | undefined> {
  if (typeof WebAssembly === "undefined") return undefined;
  const binary = maskKernelBinary();
  if (!WebAssembly.validate(binary)) return undefined;
  const { instance } = await WebAssembly.instantiate(binary, {});
  return kernelOf(instance.exports as Exports);
}

function kernelOf(exports: Exports): MaskKernel {
  const key = new Uint8Array(exports.memory.buffer, exports.keyAddress(), 32);
  const tile = new Uint32Array(exports.memory.buffer, exports.tileAddress(), exports.tileWords());
  return {
    name: "wasm-simd",
    apply(words, operations, range = { from: 0, to: words.length }) {
      checkRange(words, range);
      for (let start = 0; start < words.length; start += tileWords) {
        const part = words.subarray(start, start + tileWords);
        tile.set(part);
        for (const { seed, subtract } of operations) {
          key.set(seed);
          exports.mask(part.length, ((range.from + start) / 16) | 0, subtract ? 1 : 0);
        }
        part.set(tile.subarray(0, part.length));
      }
      // Neither the last seed nor the last words may outlive the call.
      key.fill(0);
      tile.fill(0, 0, Math.max(blockWords, Math.min(tileWords, words.length)));
    },
  };
}
