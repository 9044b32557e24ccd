import type { Dataset } from "@tributary/algorithm";
import {
  readCsvInSteps,
  readLibsvmInSteps,
  readRatingsInSteps,
  readTextInSteps,
  type Steps,
} from "@tributary/training";
import { expect, test } from "vitest";

const rows = 100_000;
const lines = (of: (row: number) => string) => Array.from({ length: rows }, (_, row) => of(row)).join("\n");

/** A row's features and target, of a dataset that answers at once. */
function rowOf({ batch, shape }: Dataset, row: number): number[] {
  const [features, target] = [new Float32Array(shape.reduce((a, b) => a * b, 1)), new Float32Array(1)];
  void batch(Uint32Array.of(row), features, target);
  return [...features, ...target];
}

test.each<[string, () => Steps<{ readonly dataset: Dataset }>, number, (row: number) => number[]]>([
  [
    "a table",
    () => readCsvInSteps(`a,b,kind\n${lines((row) => `${row},${row / 4},k${row % 2}`)}`, { target: "kind" }),
    rows,
    (row) => [row, row / 4, row % 2],
  ],
  [
    "a LIBSVM file",
    () => readLibsvmInSteps(lines((row) => `${row % 3} 1:${row} 3:${row / 8}`)),
    rows,
    (row) => [row, 0, row / 8, row % 3],
  ],
  [
    "ratings",
    () => readRatingsInSteps(`user,item,rating\n${lines((row) => `${row % 700},${row % 40},${row % 5}`)}`),
    rows,
    (row) => [row % 700, row % 40, row % 5],
  ],
  [
    "a text",
    () =>
      readTextInSteps(
        lines((row) => `abcdefghij${row % 10}`),
        { window: 1 },
      ),
    12 * rows,
    // Each line's newline is told from the digit before it; the vocabulary begins with it, then come the digits.
    (row) => (row % 12 === 11 ? [1 + (Math.floor(row / 12) % 10), 0] : []),
  ],
])("%s is read step by step, each a further share of the whole", (_, read, examples, expected) => {
  const shares: number[] = [];
  const steps = read();
  let step = steps.next();
  for (; !step.done; step = steps.next()) shares.push(step.value);
  const { dataset } = step.value;
  expect(dataset.examples).toBe(examples);
  for (const row of [11, 12 * 1234 + 11, rows - 1]) {
    const wanted = expected(row);
    if (wanted.length > 0) expect(rowOf(dataset, row)).toEqual(wanted);
  }
  expect(shares.length).toBeGreaterThan(2);
  expect(shares).toEqual([...shares].sort((a, b) => a - b));
  expect(new Set(shares).size).toBe(shares.length);
  expect(shares[0]).toBeGreaterThan(0);
  expect(shares.at(-1)).toBeLessThanOrEqual(1);
});
