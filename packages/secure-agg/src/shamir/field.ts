/**
 * GF(256) with the polynomial x⁸ + x⁴ + x³ + x + 1. Secrets are multiplied by public numbers four bytes at a time
 * without a table (`multiplyWord`); the tables below are for public coefficients and for shares already revealed.
 */
const logarithm = new Uint8Array(256);
const power = new Uint8Array(510);
for (let exponent = 0, value = 1; exponent < 255; exponent++) {
  power[exponent] = value;
  power[exponent + 255] = value;
  logarithm[value] = exponent;
  // 3 generates the multiplicative group.
  value ^= (value << 1) ^ (value & 0x80 ? 0x11b : 0);
}

/** a · b by table; for public values only. */
export function multiply(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : power[logarithm[a]! + logarithm[b]!]!;
}

/** a / b by table; for public values only. Throws `RangeError` for b = 0. */
export function divide(a: number, b: number): number {
  if (b === 0) throw new RangeError("division by zero in GF(256)");
  return a === 0 ? 0 : power[logarithm[a]! + 255 - logarithm[b]!]!;
}

/** Four secret bytes, packed in one word, times one public factor: no branch and no index depends on the secret. */
export function multiplyWord(word: number, factor: number): number {
  let product = 0;
  for (let bits = factor; bits !== 0; bits >>>= 1) {
    product ^= word & -(bits & 1);
    word = ((word & 0x7f7f7f7f) << 1) ^ (((word >>> 7) & 0x01010101) * 0x1b);
  }
  return product;
}
