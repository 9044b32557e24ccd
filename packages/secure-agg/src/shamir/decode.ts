import { divide, multiply } from "./field.ts";
import { combine, type Share, secretBytes } from "./shamir.ts";

/** A secret rebuilt from shares of which some may be wrong, and the points of those that were. */
export interface Decoded {
  readonly secret: Uint8Array;
  readonly wrong: readonly number[];
}

/**
 * Rebuilds a secret from at least `threshold` shares, around at most ⌊(shares − threshold) / 2⌋ wrong ones. `isSecret`
 * tells the secret when it sees it (by its commitment or its public key). Undefined when no polynomial fits.
 */
export async function decode(
  shares: readonly Share[],
  options: { threshold: number; isSecret: (secret: Uint8Array) => boolean | Promise<boolean> },
): Promise<Decoded | undefined> {
  const { threshold, isSecret } = options;
  if (shares.length < threshold) return undefined;
  const secret = combine(shares.slice(0, threshold));
  if (await isSecret(secret)) return { secret, wrong: [] };
  // Every share is revealed by now, so tables indexed by their bytes give nothing away.
  const wrong = new Set<number>();
  const corrected = new Uint8Array(secretBytes);
  for (let byte = 0; byte < secretBytes; byte++) {
    const polynomial = berlekampWelch(
      shares.map(({ x, value }) => ({ x, y: value[byte]! })),
      threshold,
    );
    if (polynomial === undefined) return undefined;
    corrected[byte] = polynomial[0]!;
    for (const { x, value } of shares) if (evaluate(polynomial, x) !== value[byte]) wrong.add(x);
  }
  if (wrong.size > Math.floor((shares.length - threshold) / 2)) return undefined;
  if (!(await isSecret(corrected))) return undefined;
  return { secret: corrected, wrong: [...wrong].sort((a, b) => a - b) };
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/**
 * Berlekamp and Welch 1986: the polynomial of degree < threshold through all but at most e = ⌊(m − threshold) / 2⌋ of m
 * points. Finds Q and a monic E of degree e with Q(x) = y · E(x) at every point; then the polynomial is Q / E.
 */
function berlekampWelch(points: readonly Point[], threshold: number): Uint8Array | undefined {
  const errors = Math.floor((points.length - threshold) / 2);
  const qLength = threshold + errors;
  const rows = points.map(({ x, y }) => {
    const row = new Uint8Array(qLength + errors + 1);
    for (let i = 0, powerOfX = 1; i < qLength; i++, powerOfX = multiply(powerOfX, x)) {
      row[i] = powerOfX;
      if (i < errors) row[qLength + i] = multiply(y, powerOfX);
      if (i === errors) row[qLength + errors] = multiply(y, powerOfX);
    }
    return row;
  });
  const solution = solve(rows, qLength + errors);
  if (solution === undefined) return undefined;
  const quotient = solution.slice(0, qLength);
  const locator = Uint8Array.of(...solution.slice(qLength), 1);
  return divideExactly(quotient, locator)?.slice(0, threshold);
}

/** One solution of a linear system, free variables zero; the last column is the right-hand side. */
function solve(rows: Uint8Array[], unknowns: number): Uint8Array | undefined {
  const pivots: number[] = [];
  for (let column = 0, top = 0; column < unknowns && top < rows.length; column++) {
    const found = rows.findIndex((row, i) => i >= top && row[column] !== 0);
    if (found < 0) continue;
    const pivot = rows[found]!;
    rows[found] = rows[top]!;
    rows[top] = pivot;
    const scale = divide(1, pivot[column]!);
    for (let j = column; j <= unknowns; j++) pivot[j] = multiply(pivot[j]!, scale);
    for (const row of rows) {
      const factor = row[column]!;
      if (row === pivot || factor === 0) continue;
      for (let j = column; j <= unknowns; j++) row[j]! ^= multiply(pivot[j]!, factor);
    }
    pivots.push(column);
    top++;
  }
  if (rows.slice(pivots.length).some((row) => row[unknowns] !== 0)) return undefined;
  const solution = new Uint8Array(unknowns);
  pivots.forEach((column, i) => {
    solution[column] = rows[i]![unknowns]!;
  });
  return solution;
}

/** numerator / denominator, lowest coefficient first; undefined when a remainder is left. */
function divideExactly(numerator: Uint8Array, denominator: Uint8Array): Uint8Array | undefined {
  const rest = numerator.slice();
  const degree = denominator.length - 1;
  const quotient = new Uint8Array(Math.max(1, rest.length - degree));
  for (let i = rest.length - 1; i >= degree; i--) {
    const factor = rest[i]!;
    quotient[i - degree] = factor;
    for (let j = 0; j <= degree; j++) rest[i - degree + j]! ^= multiply(factor, denominator[j]!);
  }
  return rest.every((coefficient) => coefficient === 0) ? quotient : undefined;
}

function evaluate(polynomial: Uint8Array, x: number): number {
  return polynomial.reduceRight((value, coefficient) => multiply(value, x) ^ coefficient, 0);
}
