/**
 * The solution of A x = b for a symmetric positive definite A (row after row), by its Cholesky factor. `dependent` is the
 * first column that is, to rounding, a combination of those before it; the solution then means nothing.
 */
export function solvePositive(
  matrix: Float64Array,
  right: Float64Array,
): { solution: Float64Array; dependent: number | undefined } {
  const size = right.length;
  const factor = new Float64Array(size * size);
  const solution = right.slice();
  for (let j = 0; j < size; j++) {
    let pivot = matrix[j * size + j]!;
    for (let k = 0; k < j; k++) pivot -= factor[j * size + k]! ** 2;
    if (!(pivot > 1e-12 * Math.abs(matrix[j * size + j]!))) return { solution, dependent: j };
    const root = Math.sqrt(pivot);
    factor[j * size + j] = root;
    for (let i = j + 1; i < size; i++) {
      let sum = matrix[i * size + j]!;
      for (let k = 0; k < j; k++) sum -= factor[i * size + k]! * factor[j * size + k]!;
      factor[i * size + j] = sum / root;
    }
  }
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < i; k++) solution[i]! -= factor[i * size + k]! * solution[k]!;
    solution[i]! /= factor[i * size + i]!;
  }
  for (let i = size - 1; i >= 0; i--) {
    for (let k = i + 1; k < size; k++) solution[i]! -= factor[k * size + i]! * solution[k]!;
    solution[i]! /= factor[i * size + i]!;
  }
  return { solution, dependent: undefined };
}
