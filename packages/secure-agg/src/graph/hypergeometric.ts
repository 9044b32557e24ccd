/** How many of `drawn` items, taken from `population` of which `marked` are marked, are marked. */
export interface Hypergeometric {
  readonly population: number;
  readonly marked: number;
  readonly drawn: number;
}

/** The smallest x with P[X > x] ≤ exp(logProbability): x is rounded away from the median, to the safe side. */
export function upperQuantile(law: Hypergeometric, logProbability: number): number {
  let tail = Number.NEGATIVE_INFINITY;
  for (let x = Math.min(law.marked, law.drawn); x >= 0; x--) {
    tail = logSum(tail, logPoint(law, x));
    if (tail > logProbability) return x;
  }
  return 0;
}

/** The smallest x with P[X ≤ x] ≥ exp(logProbability). */
export function lowerQuantile(law: Hypergeometric, logProbability: number): number {
  let tail = Number.NEGATIVE_INFINITY;
  for (let x = Math.max(0, law.drawn - (law.population - law.marked)); x <= law.drawn; x++) {
    tail = logSum(tail, logPoint(law, x));
    if (tail >= logProbability) return x;
  }
  return law.drawn;
}

function logPoint({ population, marked, drawn }: Hypergeometric, x: number): number {
  return logChoose(marked, x) + logChoose(population - marked, drawn - x) - logChoose(population, drawn);
}

function logChoose(n: number, k: number): number {
  if (k < 0 || k > n) return Number.NEGATIVE_INFINITY;
  return logFactorial(n) - logFactorial(k) - logFactorial(n - k);
}

const small: number[] = [0];
for (let n = 1; n < 256; n++) small.push(small[n - 1]! + Math.log(n));

/** ln n!, by Stirling's series from 256 on, where its next term is below 10⁻¹⁸. */
export function logFactorial(n: number): number {
  if (n < small.length) return small[n]!;
  const inverse = 1 / n;
  const series = inverse / 12 - inverse ** 3 / 360 + inverse ** 5 / 1260;
  return (n + 0.5) * Math.log(n) - n + 0.5 * Math.log(2 * Math.PI) + series;
}

function logSum(a: number, b: number): number {
  const [low, high] = a < b ? [a, b] : [b, a];
  return low === Number.NEGATIVE_INFINITY ? high : high + Math.log1p(Math.exp(low - high));
}
