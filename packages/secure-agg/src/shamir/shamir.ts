import { divide, multiply, multiplyWord } from "./field.ts";

/** Bytes of a shared secret: one X25519 key or one mask seed. */
export const secretBytes = 32;
const secretWords = secretBytes / 4;

/** The value at the public point `x` (1 … 255) of the polynomials whose constant terms are the secret's bytes. */
export interface Share {
  readonly x: number;
  readonly value: Uint8Array;
}

/**
 * Shamir 1979 over GF(256), one polynomial of degree threshold − 1 per byte: any `threshold` shares give the secret,
 * fewer say nothing about it. combine(any t of split(s, t, n)) = s. Share i of the result is at x = i + 1.
 * Throws `RangeError` unless 1 ≤ threshold ≤ shares ≤ 255.
 */
export function split(
  secret: Uint8Array,
  options: { threshold: number; shares: number; randomBytes: (length: number) => Uint8Array },
): Share[] {
  const { threshold, shares } = options;
  if (threshold < 1 || threshold > shares || shares > 255) {
    throw new RangeError(`a threshold of ${threshold} of ${shares} shares: 1 ≤ threshold ≤ shares ≤ 255`);
  }
  const constant = toWords(secret);
  const randomness = options.randomBytes(secretBytes * (threshold - 1));
  const coefficients = toWords(randomness);
  randomness.fill(0);
  const result = Array.from({ length: shares }, (_, i) => evaluate(constant, coefficients, i + 1));
  constant.fill(0);
  coefficients.fill(0);
  return result;
}

function evaluate(constant: Uint32Array, coefficients: Uint32Array, x: number): Share {
  const value = new Uint32Array(secretWords);
  // Horner, from the highest coefficient down.
  for (let row = coefficients.length - secretWords; row >= 0; row -= secretWords) {
    for (let i = 0; i < secretWords; i++) value[i] = multiplyWord(value[i]! ^ coefficients[row + i]!, x);
  }
  for (let i = 0; i < secretWords; i++) value[i]! ^= constant[i]!;
  return { x, value: new Uint8Array(value.buffer) };
}

/** The secret of exactly enough shares at distinct points. Wrong shares give a wrong secret: see `decode`. */
export function combine(shares: readonly Share[]): Uint8Array {
  const secret = new Uint32Array(secretWords);
  for (const share of shares) {
    const factor = lagrangeAtZero(shares, share.x);
    const words = toWords(share.value);
    for (let i = 0; i < secretWords; i++) secret[i]! ^= multiplyWord(words[i]!, factor);
  }
  return new Uint8Array(secret.buffer);
}

/** ∏ xⱼ / (xⱼ − x) over the other shares: public, since points are. */
function lagrangeAtZero(shares: readonly Share[], x: number): number {
  let numerator = 1;
  let denominator = 1;
  for (const other of shares) {
    if (other.x === x) continue;
    numerator = multiply(numerator, other.x);
    denominator = multiply(denominator, other.x ^ x);
  }
  return divide(numerator, denominator);
}

function toWords(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(bytes.slice().buffer);
}
