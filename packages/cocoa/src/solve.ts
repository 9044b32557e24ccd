import type { Random } from "@tributary/algorithm";
import type { LossFunction } from "./losses.ts";
import type { Problem } from "./problem.ts";

/** What one device's SDCA works against: σ′, λn and the number of steps. */
export interface Subproblem {
  readonly sigma: number;
  readonly scale: number;
  readonly steps: number;
}

/**
 * LocalSDCA of Jaggi et al. 2014, procedure B, on the subproblem of Ma et al. 2015, (9): `steps` random rows, each one's α
 * to its best against w + σ′Δw. Gives Δw = Σ Δα·sign·x / λn and the new duals; w and `alpha` are not changed.
 */
export function localSdca(
  { rows, labels, squares }: Problem,
  loss: LossFunction,
  from: {
    readonly model: Float64Array;
    readonly alpha: Float64Array;
    readonly sub: Subproblem;
    readonly random: Random;
  },
): { update: Float64Array; alpha: Float64Array } {
  const { random } = from;
  const { sigma, scale, steps } = from.sub;
  const { starts, columns, values, count } = rows;
  const alpha = from.alpha.slice();
  const update = new Float64Array(from.model.length);
  // Kept as one vector w + σ′Δw, so that a step reads and writes each of a row's few columns once.
  const local = from.model.slice();
  // Marsaglia 2003, xorshift128: which row is next is no secret, and a call for each would cost as much as its step.
  let [a, b, c, d] = [random.uint32() | 1, random.uint32(), random.uint32(), random.uint32()];
  for (let step = 0; step < steps; step++) {
    const t = a ^ (a << 11);
    a = b;
    b = c;
    c = d;
    d = d ^ (d >>> 19) ^ t ^ (t >>> 8);
    const row = Math.floor(((d >>> 0) / 4_294_967_296) * count);
    const [begin, end] = [starts[row]!, starts[row + 1]!];
    let z = 0;
    for (let i = begin; i < end; i++) z += local[columns[i]!]! * values[i]!;
    const y = labels[row]!;
    const before = alpha[row]!;
    const after = loss.best(before, z, y, (squares[row]! * sigma) / scale);
    if (after === before) continue;
    alpha[row] = after;
    const moved = ((after - before) * loss.sign(y)) / scale;
    for (let i = begin; i < end; i++) {
      const column = columns[i]!;
      const change = moved * values[i]!;
      update[column]! += change;
      local[column]! += sigma * change;
    }
  }
  return { update, alpha };
}

/** Sums over a device's rows: losses and dual terms, and how many are on the right side or, for `squared`, squared errors. */
export function sumsOver(
  { rows, labels }: Problem,
  loss: LossFunction,
  {
    model,
    alpha,
    regression,
  }: { readonly model: Float64Array; readonly alpha?: Float64Array; readonly regression: boolean },
): { lossSum: number; dualSum: number; judged: number } {
  const { starts, columns, values, count } = rows;
  let [lossSum, dualSum, judged] = [0, 0, 0];
  for (let row = 0; row < count; row++) {
    let z = 0;
    for (let i = starts[row]!; i < starts[row + 1]!; i++) z += model[columns[i]!]! * values[i]!;
    const y = labels[row]!;
    lossSum += loss.value(z, y);
    if (alpha !== undefined) dualSum += loss.dual(alpha[row]!, y);
    if (regression) judged += (z - y) ** 2;
    else if (y * z > 0) judged += 1;
  }
  return { lossSum, dualSum, judged };
}
