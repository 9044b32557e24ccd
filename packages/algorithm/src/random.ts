import { sha256 } from "@noble/hashes/sha2.js";
import { utf8ToBytes } from "@noble/hashes/utils.js";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus";

/** A stream of random numbers. Drawing from it changes it: pass one stream to one consumer. */
export interface Random {
  /** A uniform integer in 0 … 2³² − 1. */
  uint32(): number;
  /** A uniform real in [0, 1), 53 bits. */
  uniform(): number;
  /** A uniform integer in 0 … bound − 1. */
  below(bound: number): number;
  /** A standard normal variate. */
  normal(): number;
  /** A uniformly random order of 0 … length − 1. */
  permutation(length: number): Uint32Array;
}

/**
 * The stream named `name` of a seed: xoroshiro128+ (Blackman and Vigna), its state the SHA-256 of both. Equal arguments
 * give equal streams; different names give unrelated ones. Not for secrets.
 */
export function seededRandom(seed: number, name: string): Random {
  const digest = new DataView(sha256(utf8ToBytes(`tributary/${seed}/${name}`)).buffer);
  const state = [0, 4, 8, 12].map((offset) => digest.getInt32(offset, true));
  const generator = xoroshiro128plusFromState(state);
  return randomFrom({
    uint32: () => generator.next() >>> 0,
    below: (bound) => uniformInt(generator, 0, bound - 1),
  });
}

/** A stream drawn from a source of uniform 32-bit integers, such as the platform's own generator. */
export function randomFrom(source: { uint32(): number; below?: (bound: number) => number }): Random {
  const uint32 = () => source.uint32();
  const below = source.below ?? ((bound: number) => rejectionBelow(uint32, bound));
  const uniform = () => ((uint32() >>> 5) * 67_108_864 + (uint32() >>> 6)) / 9_007_199_254_740_992;
  return {
    uint32,
    uniform,
    below,
    // Box and Muller 1958; the second variate is dropped so that the stream has no hidden state.
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    permutation(length) {
      const order = Uint32Array.from({ length }, (_, i) => i);
      // Fisher and Yates; Durstenfeld 1964.
      for (let i = length - 1; i > 0; i--) {
        const j = below(i + 1);
        const swapped = order[i]!;
        order[i] = order[j]!;
        order[j] = swapped;
      }
      return order;
    },
  };
}

function rejectionBelow(uint32: () => number, bound: number): number {
  const limit = 4_294_967_296 - (4_294_967_296 % bound);
  for (;;) {
    const drawn = uint32();
    if (drawn < limit) return drawn % bound;
  }
}
