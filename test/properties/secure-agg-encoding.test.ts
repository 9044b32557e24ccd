import {
  addPacked,
  decodeSum,
  encodeContribution,
  packedBytes,
  packWords,
  type SecureLane,
} from "@tributary/secure-agg";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { kernel, parametersFor, seededBytes } from "../support/secure-agg-federation.ts";

const rounding = (seed: string) => ({ kernel, seed: seededBytes(seed)(32) });
const update = (length: number, bits: number, clip = 1): SecureLane[] => [
  { name: "model", length, encoding: { kind: "update", clip, bits } },
];
const exact = (length: number, scaleBits: number): SecureLane[] => [
  { name: "sum", length, encoding: { kind: "exact", scaleBits } },
];

describe("packing", () => {
  test.each([1, 5, 16, 26, 30, 31, 32])("%i bits come back as they were, sums included", (bits) => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.string(), (blocks, seed) => {
        const draw = (name: string) => new Uint32Array(seededBytes(name)(256 * blocks).buffer);
        const [first, second] = [draw(`${seed}1`), draw(`${seed}2`)];
        const sum = new Uint32Array(64 * blocks);
        for (const words of [first, second]) {
          const packed = packWords(words, bits);
          expect(packed.length).toBe(packedBytes(words.length, bits));
          addPacked(sum, packed, bits);
        }
        const mask = bits === 32 ? 0xffff_ffff : 2 ** bits - 1;
        const expected = first.map((word, i) => ((word & mask) >>> 0) + ((second[i]! & mask) >>> 0));
        expect(sum).toEqual(expected);
      }),
      { numRuns: 50 },
    );
  });

  test("reads a vector at any offset of a larger buffer", () => {
    const words = Uint32Array.from({ length: 64 }, (_, i) => i * 1000);
    const shifted = new Uint8Array(packedBytes(64, 26) + 3);
    shifted.set(packWords(words, 26), 3);
    const sum = new Uint32Array(64);
    addPacked(sum, shifted.subarray(3), 26);
    expect(sum).toEqual(words);
  });
});

describe("update lanes", () => {
  test("refuse NaN and infinities, and clip the rest", () => {
    const parameters = parametersFor(3, update(1, 8));
    const encode = (value: number) =>
      encodeContribution(parameters, { values: Float64Array.of(value), weight: 100 }, rounding("x"));
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      expect(() => encode(value)).toThrow(expect.objectContaining({ code: "bad_update" }));
    }
    const level = (value: number) => (encode(value)[0]! | 0) / 16;
    expect([level(1), level(-1), level(7), level(-7), level(1e300), level(0)]).toEqual([127, -127, 127, -127, 127, 0]);
    expect(Math.abs(level(5e-324))).toBeLessThanOrEqual(1);
    expect(level(1 - 1e-12)).toBeGreaterThanOrEqual(126);
  });

  test("round without bias: the mean of a million is where it should be", () => {
    const length = 1_000_000;
    const parameters = parametersFor(3, update(length, 8), { weightLevels: 1 });
    for (const value of [0.3, -0.77, 1 / 254, 0.999]) {
      const values = new Float64Array(length).fill(value);
      const words = encodeContribution(parameters, { values, weight: 100 }, rounding(`bias ${value}`));
      const target = value * 127;
      const fraction = target - Math.floor(target);
      let sum = 0;
      for (let i = 0; i < length; i++) sum += words[i]! | 0;
      const z = (sum / length - target) / Math.sqrt((fraction * (1 - fraction)) / length);
      expect(Math.abs(z), `${value}`).toBeLessThan(4);
    }
  });

  test("weights round without bias into 1 … W; nobody is left out of the sum", () => {
    const parameters = parametersFor(3, update(1, 8));
    const weightOf = (examples: number, seed: string) =>
      encodeContribution(parameters, { values: Float64Array.of(0), weight: examples }, rounding(seed))[1]!;
    expect([weightOf(1, "a"), weightOf(100, "b"), weightOf(1e9, "c")]).toEqual([1, 16, 16]);
    const trials = 20_000;
    let sum = 0;
    for (let i = 0; i < trials; i++) sum += weightOf(33, `weight ${i}`);
    // 16 · 0.33 = 5.28, a coin of 0.28.
    expect(Math.abs(sum / trials - 5.28) / Math.sqrt((0.28 * 0.72) / trials)).toBeLessThan(4);
    expect(() => weightOf(Number.NaN, "d")).toThrow(expect.objectContaining({ code: "bad_update" }));
    expect(() => weightOf(-1, "e")).toThrow(expect.objectContaining({ code: "bad_update" }));
  });

  test("a sum at full scale passes, one past it is refused", () => {
    const parameters = parametersFor(5, update(1, 16));
    const words = new Uint32Array(64);
    words[0] = 5 * 16 * 32_767;
    words[1] = 5 * 16;
    expect(decodeSum(parameters, words, 5).lanes["model"]![0]).toBeCloseTo(1, 12);
    words[0] += 1;
    expect(() => decodeSum(parameters, words, 5)).toThrow(expect.objectContaining({ code: "secure_sum" }));
    words.set([0, 81]);
    expect(() => decodeSum(parameters, words, 5)).toThrow(expect.objectContaining({ code: "secure_sum" }));
    words.set([0, 4]);
    expect(() => decodeSum(parameters, words, 5)).toThrow(/the weight/);
    words.set([0, 80, 1]);
    expect(() => decodeSum(parameters, words, 5)).toThrow(/padding/);
  });
});

describe("exact lanes", () => {
  test("add up to the last bit, whatever the signs", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 3, max: 40 }).chain((clients) => {
          const limit = Math.floor((2 ** 47 - 1) / clients);
          return fc.tuple(
            fc.constant(clients),
            fc.array(fc.integer({ min: -limit, max: limit }), { minLength: clients, maxLength: clients }),
          );
        }),
        ([clients, integers]) => {
          const parameters = parametersFor(clients, exact(1, 10));
          const sum = new Uint32Array(64);
          for (const integer of integers) {
            const contribution = { values: Float64Array.of(integer / 1024), weight: 0 };
            const words = encodeContribution(parameters, contribution, rounding("exact"));
            addPacked(sum, packWords(words, parameters.wordBits), parameters.wordBits);
          }
          const total = integers.reduce((a, b) => a + BigInt(b), 0n);
          expect(decodeSum(parameters, sum, clients).lanes["sum"]![0]).toBe(Number(total) / 1024);
        },
      ),
    );
  });

  test("refuse what a whole cohort could not add up, and what is no number", () => {
    const parameters = parametersFor(4, exact(1, 0));
    for (const value of [2 ** 46, -(2 ** 46), Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() =>
        encodeContribution(parameters, { values: Float64Array.of(value), weight: 1 }, rounding("x")),
      ).toThrow(expect.objectContaining({ code: "bad_update" }));
    }
  });
});
