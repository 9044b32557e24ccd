import * as node from "node:crypto";
import { chacha20 } from "@noble/ciphers/chacha.js";
import { loadWasmKernel, type MaskKernel, portableKernel } from "@tributary/secure-agg";
import { describe, expect, test } from "vitest";

const wasm = (await loadWasmKernel())!;
const kernels: readonly MaskKernel[] = [wasm, portableKernel()];
const hex = (text: string) => new Uint8Array(Buffer.from(text.replaceAll(/\s/g, ""), "hex"));
const bytesOf = (words: Uint32Array) => new Uint8Array(words.buffer, words.byteOffset, words.byteLength);

/** The keystream by node:crypto; `block` is the first block's counter. */
function opensslKeystream(seed: Uint8Array, block: number, length: number): Uint8Array {
  const iv = Buffer.alloc(16);
  iv.writeUInt32LE(block, 0);
  return new Uint8Array(node.createCipheriv("chacha20", seed, iv).update(Buffer.alloc(length)));
}

test("this platform runs the SIMD kernel", () => {
  expect(wasm.name).toBe("wasm-simd");
});

describe.each(kernels)("the $name kernel", (kernel) => {
  test("gives the keystream of RFC 8439 A.1, test vectors 1 to 3", () => {
    const words = new Uint32Array(64);
    kernel.apply(words, [{ seed: new Uint8Array(32), subtract: false }]);
    // Vectors 1 and 2: the zero key, blocks 0 and 1.
    expect(bytesOf(words).subarray(0, 128)).toEqual(
      hex(`76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586
           9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f`),
    );
    // Vector 3: a key ending in one, block 1.
    words.fill(0);
    kernel.apply(words, [{ seed: hex(`${"00".repeat(31)}01`), subtract: false }]);
    expect(bytesOf(words).subarray(64, 128)).toEqual(
      hex(
        `3aeb5224ecf849929b9d828db1ced4dd832025e8018b8160b82284f3c949aa5a8eca00bbb4a73bdad192b5c42f73f2fd4e273644c8b36125a64addeb006c13a0`,
      ),
    );
  });

  test("agrees with OpenSSL and noble across tile bounds and at high counters", () => {
    const seed = new Uint8Array(node.createHash("sha256").update("tile").digest());
    for (const { from, length } of [
      { from: 0, length: 64 },
      { from: 65_536 - 64, length: 128 },
      { from: 0, length: 2 * 65_536 + 64 },
      { from: 16 * (2 ** 31 - 4), length: 256 },
      { from: 16 * (2 ** 32 - 8), length: 64 },
    ]) {
      const words = new Uint32Array(length);
      kernel.apply(words, [{ seed, subtract: false }], { from, to: from + length });
      expect(Buffer.compare(bytesOf(words), opensslKeystream(seed, from / 16, 4 * length))).toBe(0);
      const noble = chacha20(seed, new Uint8Array(12), new Uint8Array(4 * length), undefined, from / 16);
      expect(Buffer.compare(bytesOf(words), noble)).toBe(0);
    }
  });

  test("adds and subtracts modulo 2³², any range by itself", () => {
    const operations = [
      { seed: hex("11".repeat(32)), subtract: false },
      { seed: hex("22".repeat(32)), subtract: true },
    ];
    const whole = new Uint32Array(70_016).fill(0xffff_fff0);
    kernel.apply(whole, operations);
    const pieces = new Uint32Array(70_016).fill(0xffff_fff0);
    for (const [from, to] of [
      [64, 65_600],
      [0, 64],
      [65_600, 70_016],
    ] as const) {
      kernel.apply(pieces.subarray(from, to), operations, { from, to });
    }
    expect(Buffer.compare(bytesOf(whole), bytesOf(pieces))).toBe(0);
    kernel.apply(
      whole,
      operations.map(({ seed, subtract }) => ({ seed, subtract: !subtract })),
    );
    expect(whole.every((word) => word === 0xffff_fff0)).toBe(true);
  });

  test("refuses a range that is not whole blocks", () => {
    expect(() => kernel.apply(new Uint32Array(63), [])).toThrow(RangeError);
    expect(() => kernel.apply(new Uint32Array(64), [], { from: 32, to: 96 })).toThrow(RangeError);
  });

  test("every bit of the seed counts: one flipped, half of the stream changes", () => {
    const stream = (seed: Uint8Array) => {
      const words = new Uint32Array(256);
      kernel.apply(words, [{ seed, subtract: false }]);
      return words;
    };
    const seed = hex("5a".repeat(32));
    const original = stream(seed);
    for (let bit = 0; bit < 256; bit++) {
      const flipped = seed.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      const changed = stream(flipped).reduce((sum, word, i) => sum + popcount(word ^ original[i]!), 0);
      // 8,192 fair coins: mean 4,096, σ 45; ±6σ over 256 trials.
      expect(Math.abs(changed - 4096), `bit ${bit}`).toBeLessThan(272);
    }
  });
});

function popcount(word: number): number {
  let count = 0;
  for (let rest = word >>> 0; rest !== 0; rest = (rest & (rest - 1)) >>> 0) count++;
  return count;
}
