import { seededRandom } from "@tributary/algorithm";
import { addPacked, type SecureLane } from "@tributary/secure-agg";
import { describe, expect, test } from "vitest";
import { kernel, parametersFor, runFederation } from "../support/secure-agg-federation.ts";

const length = 60_000;
const lanes: SecureLane[] = [{ name: "model", length, encoding: { kind: "update", clip: 1, bits: 26 - 6 } }];
const parameters = parametersFor(3, lanes, { weightLevels: 1, wordBits: 32 });

/** The masked words that the coordinator receives from client 0 when everyone contributes `value`. */
async function maskedWords(value: number, seed: string): Promise<Uint32Array> {
  const contribution = () => ({ values: new Float64Array(length).fill(value), weight: 100 });
  const run = await runFederation({ parameters, contribution, seed });
  const words = new Uint32Array(run.result.words.length);
  addPacked(words, run.uploads.get(0)!.subarray(68), 32);
  return words;
}

/** |z| of the most unbalanced bit position. */
function worstBit(words: Uint32Array): number {
  let worst = 0;
  for (let bit = 0; bit < 32; bit++) {
    let ones = 0;
    for (const word of words) ones += (word >>> bit) & 1;
    worst = Math.max(worst, Math.abs(ones - words.length / 2) / Math.sqrt(words.length / 4));
  }
  return worst;
}

/** Chi-square of the bytes, standardised: 255 degrees of freedom. */
function byteZ(words: Uint32Array): number {
  const bytes = new Uint8Array(words.slice().buffer);
  const counts = new Float64Array(256);
  for (const byte of bytes) counts[byte]!++;
  const expected = bytes.length / 256;
  const chi = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  return (chi - 255) / Math.sqrt(2 * 255);
}

/**
 * The parity test that a generator linear over GF(2) fails: MT19937's state has 19,937 bits, so its first 39,936 lowest
 * bits obey fixed linear relations. The relation is found by Berlekamp and Massey on the first half of the bits and then
 * predicts the second half: always right for MT19937 (0.0 wrong), right half of the time for a mask.
 */
function predictionErrors(bits: Uint8Array, trained: number): number {
  // Bits of the connection polynomial and its predecessor, 32 to a word.
  const size = Math.ceil(bits.length / 32) + 1;
  let connection = new Uint32Array(size);
  let previous = new Uint32Array(size);
  // The sequence so far, newest first, so that a discrepancy is the parity of connection & history.
  const history = new Uint32Array(size);
  connection[0] = 1;
  previous[0] = 1;
  let degree = 0;
  let gap = 1;
  let wrong = 0;
  for (let n = 0; n < bits.length; n++) {
    shiftIn(history, bits[n]!);
    let parity = 0;
    for (let i = 0; i < size; i++) parity ^= connection[i]! & history[i]!;
    for (let shift = 16; shift > 0; shift >>= 1) parity ^= parity >>> shift;
    const discrepancy = parity & 1;
    if (n >= trained) {
      wrong += discrepancy;
      continue;
    }
    if (discrepancy === 0) {
      gap++;
      continue;
    }
    const before = connection.slice();
    addShifted(connection, previous, gap);
    if (2 * degree <= n) {
      degree = n + 1 - degree;
      previous = before;
      gap = 1;
    } else gap++;
  }
  connection = new Uint32Array(0);
  return wrong / (bits.length - trained);
}

function shiftIn(words: Uint32Array, bit: number): void {
  for (let i = words.length - 1; i > 0; i--) words[i] = (words[i]! << 1) | (words[i - 1]! >>> 31);
  words[0] = (words[0]! << 1) | bit;
}

function addShifted(target: Uint32Array, source: Uint32Array, shift: number): void {
  const [whole, rest] = [shift >>> 5, shift & 31];
  for (let i = target.length - 1; i >= whole; i--) {
    const low = rest === 0 || i - whole < 1 ? 0 : source[i - whole - 1]! >>> (32 - rest);
    target[i]! ^= (source[i - whole]! << rest) | low;
  }
}

/** MT19937 (Matsumoto and Nishimura 1998), its lowest bits: the control that must fail. */
function mersenneTwisterBits(count: number): Uint8Array {
  const state = new Uint32Array(624);
  state[0] = 5489;
  for (let i = 1; i < 624; i++) state[i] = Math.imul(1812433253, state[i - 1]! ^ (state[i - 1]! >>> 30)) + i;
  const bits = new Uint8Array(count);
  for (let n = 0, at = 624; n < count; n++, at++) {
    if (at === 624) {
      for (let i = 0; i < 624; i++) {
        const y = (state[i]! & 0x80000000) | (state[(i + 1) % 624]! & 0x7fffffff);
        state[i] = state[(i + 397) % 624]! ^ (y >>> 1) ^ ((y & 1) * 0x9908b0df);
      }
      at = 0;
    }
    let y = state[at]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    bits[n] = (y ^ (y >>> 18)) & 1;
  }
  return bits;
}

describe("a masked upload of zeros", () => {
  test("is uniform bit by bit and byte by byte", async () => {
    const words = await maskedWords(0, "zeros");
    expect(worstBit(words)).toBeLessThan(5);
    expect(Math.abs(byteZ(words))).toBeLessThan(5);
    // The same statistics on the same vector unmasked are far off.
    expect(worstBit(new Uint32Array(words.length))).toBeGreaterThan(100);
  });

  test("has unpredictable low bits: half of the predictions are wrong, of a Mersenne twister none", async () => {
    const count = 42_000;
    const trained = 40_000;
    const words = await maskedWords(0, "parity");
    const bits = Uint8Array.from(words.subarray(0, count), (word) => word & 1);
    const sigma = 0.5 / Math.sqrt(count - trained);
    expect(Math.abs(predictionErrors(bits, trained) - 0.5)).toBeLessThan(5 * sigma);
    expect(predictionErrors(mersenneTwisterBits(count), trained)).toBe(0);
  });
});

test("two candidate inputs: a classifier on the uploads is at chance", async () => {
  const trials = 200;
  const random = seededRandom(11, "candidates");
  const small = parametersFor(3, [{ name: "model", length: 63, encoding: { kind: "update", clip: 1, bits: 16 } }], {
    weightLevels: 1,
    wordBits: 32,
  });
  const upload = async (value: number, seed: string) => {
    const contribution = (client: number) => ({
      values: new Float64Array(63).fill(client === 0 ? value : 0),
      weight: 100,
    });
    const run = await runFederation({ parameters: small, contribution, seed });
    const words = new Uint32Array(64);
    addPacked(words, run.uploads.get(0)!.subarray(68), 32);
    return words;
  };
  let right = 0;
  for (let trial = 0; trial < trials; trial++) {
    const positive = random.below(2) === 1;
    const words = await upload(positive ? 1 : -1, `candidate ${trial}`);
    // The best linear classifier between the two: the sign of the sum of the words as signed integers.
    const sum = words.subarray(0, 63).reduce((total, word) => total + (word | 0), 0);
    if (sum > 0 === positive) right++;
  }
  expect(Math.abs(right - trials / 2)).toBeLessThan(5 * Math.sqrt(trials / 4));
});

test("one input in two sessions: the uploads are unrelated, and masks never repeat within one", async () => {
  const [first, second] = [await maskedWords(0.5, "first"), await maskedWords(0.5, "second")];
  let same = 0;
  for (let i = 0; i < first.length; i++)
    for (let bit = 0; bit < 32; bit++) same += ~((first[i]! ^ second[i]!) >>> bit) & 1;
  const bits = 32 * first.length;
  expect(Math.abs(same - bits / 2) / Math.sqrt(bits / 4)).toBeLessThan(5);
  const difference = first.map((word, i) => word - second[i]!);
  expect(Math.abs(byteZ(difference))).toBeLessThan(5);
  expect(kernel.name).toBe("wasm-simd");
});
