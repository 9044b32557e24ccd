import { randomBytes as nodeRandomBytes } from "node:crypto";
import { combine, decode, type Share, split } from "@tributary/secure-agg";
import { describe, expect, test } from "vitest";
import { divide, multiply, multiplyWord } from "../../packages/secure-agg/src/shamir/field.ts";

const randomBytes = (length: number) => new Uint8Array(nodeRandomBytes(length));

function* subsets<Item>(items: readonly Item[], size: number): Generator<Item[]> {
  if (size === 0) yield [];
  else
    for (let i = 0; i <= items.length - size; i++)
      for (const rest of subsets(items.slice(i + 1), size - 1)) yield [items[i]!, ...rest];
}

describe("GF(256)", () => {
  test("multiplies as in FIPS 197 §4.2", () => {
    expect(multiply(0x57, 0x83)).toBe(0xc1);
    expect(multiply(0x57, 0x13)).toBe(0xfe);
    for (let a = 0; a < 256; a++) for (let b = 1; b < 256; b++) if (divide(multiply(a, b), b) !== a) throw Error();
  });

  test("four bytes at a time equal the tables, for every pair", () => {
    for (let a = 0; a < 256; a++) {
      for (let b = 0; b < 256; b++) {
        const word = (a | (b << 8) | ((a ^ 0x5a) << 16) | ((b ^ 0xa5) << 24)) >>> 0;
        const expected = [a, b, a ^ 0x5a, b ^ 0xa5].reduceRight((sum, byte) => (sum << 8) | multiply(byte, b), 0);
        if (multiplyWord(word, b) >>> 0 !== expected >>> 0) throw new Error(`${a} · ${b}`);
      }
    }
  });
});

describe("shares", () => {
  test("any t of them give the secret, for every subset of small cohorts", () => {
    for (let shares = 1; shares <= 7; shares++) {
      for (let threshold = 1; threshold <= shares; threshold++) {
        const secret = randomBytes(32);
        const all = split(secret, { threshold, shares, randomBytes });
        for (const subset of subsets(all, threshold)) expect(combine(subset)).toEqual(secret);
      }
    }
  });

  test("255 shares with a threshold of 170 come together", () => {
    const secret = randomBytes(32);
    const all = split(secret, { threshold: 170, shares: 255, randomBytes });
    expect(combine(all.slice(85))).toEqual(secret);
    expect(combine(all.slice(86))).not.toEqual(secret);
  });

  test("t − 1 of them leave a secret byte uniform: every value is reached once", () => {
    // One byte, threshold 3: over all 2¹⁶ coefficients, two given shares go with each secret equally often.
    for (const given of [
      [7, 201],
      [0, 0],
    ]) {
      const counts = new Uint32Array(256);
      for (let c1 = 0; c1 < 256; c1++) {
        for (let c2 = 0; c2 < 256; c2++) {
          // Shares at x = 1 and x = 2 fix two equations; the secret that solves the first must solve the second.
          const secret = given[0]! ^ c1 ^ c2;
          if ((secret ^ multiply(c1, 2) ^ multiply(c2, 4)) === given[1]) counts[secret]!++;
        }
      }
      expect(new Set(counts)).toEqual(new Set([1]));
    }
  });

  test("refuses thresholds that make no sense", () => {
    const secret = randomBytes(32);
    for (const [threshold, shares] of [
      [0, 3],
      [4, 3],
      [2, 256],
    ] as const) {
      expect(() => split(secret, { threshold, shares, randomBytes })).toThrow(RangeError);
    }
  });
});

describe("decoding around wrong shares", () => {
  const damage = (shares: readonly Share[], wrong: readonly number[]) =>
    shares.map((share) => (wrong.includes(share.x) ? { x: share.x, value: randomBytes(32) } : share));

  test("names up to ⌊(shares − t) / 2⌋ culprits and gives the secret", async () => {
    for (const { shares, threshold, wrong } of [
      { shares: 7, threshold: 3, wrong: [1] },
      { shares: 7, threshold: 3, wrong: [2, 7] },
      { shares: 10, threshold: 7, wrong: [4] },
      { shares: 100, threshold: 67, wrong: Array.from({ length: 16 }, (_, i) => 3 * i + 1) },
    ]) {
      const secret = randomBytes(32);
      const damaged = damage(split(secret, { threshold, shares, randomBytes }), wrong);
      const decoded = await decode(damaged, { threshold, isSecret: (s) => Buffer.compare(s, secret) === 0 });
      expect(decoded).toEqual({ secret, wrong });
    }
  });

  test("finds a share that is wrong in its last byte only", async () => {
    const secret = randomBytes(32);
    const shares = split(secret, { threshold: 2, shares: 5, randomBytes });
    shares[0]!.value[31]! ^= 1;
    const decoded = await decode(shares, { threshold: 2, isSecret: (s) => Buffer.compare(s, secret) === 0 });
    expect(decoded).toEqual({ secret, wrong: [1] });
  });

  test("gives nothing when too many are wrong, or too few are there", async () => {
    const secret = randomBytes(32);
    const shares = split(secret, { threshold: 3, shares: 7, randomBytes });
    const isSecret = (s: Uint8Array) => Buffer.compare(s, secret) === 0;
    expect(await decode(damage(shares, [1, 2, 3]), { threshold: 3, isSecret })).toBeUndefined();
    expect(await decode(shares.slice(0, 2), { threshold: 3, isSecret })).toBeUndefined();
  });
});
