import type { Dataset, SparseRows } from "@tributary/algorithm";
import { denseDataset, subset } from "@tributary/training";
import { expect, test } from "vitest";

const sparse: SparseRows = {
  starts: Uint32Array.of(0, 2, 2, 3, 5),
  columns: Uint32Array.of(0, 7, 4, 1, 2),
  values: Float64Array.of(1, 2, 3, 4, 5),
};
const wide: Dataset = { examples: 4, shape: [8], classes: 2, sparse, batch: () => undefined };

test("a subset of sparse rows has these rows alone", () => {
  const { examples, sparse: own } = subset(wide, Uint32Array.of(3, 1, 0));
  expect(examples).toBe(3);
  expect(own).toEqual({
    starts: Uint32Array.of(0, 2, 2, 4),
    columns: Uint32Array.of(1, 2, 0, 7),
    values: Float64Array.of(4, 5, 1, 2),
  });
});

test("sparse rows that follow one another are not copied", () => {
  const { sparse: own } = subset(wide, Uint32Array.of(2, 3));
  expect(own).toEqual({
    starts: Uint32Array.of(0, 1, 3),
    columns: Uint32Array.of(4, 1, 2),
    values: Float64Array.of(3, 4, 5),
  });
  expect(own!.values.buffer).toBe(sparse.values.buffer);
  expect(subset(wide, new Uint32Array(0)).sparse!.starts).toEqual(Uint32Array.of(0));
});

test("numbers to predict are read as precisely as the caller asks for", () => {
  const numbers = Float64Array.of(0.1, 0.2);
  const data = subset(denseDataset({ features: Float64Array.of(0.3, 0.4), numbers, shape: [1] }), Uint32Array.of(1));
  const [features, targets] = [new Float64Array(1), new Float64Array(1)];
  data.batch(Uint32Array.of(0), features, targets);
  expect([data.target, data.classes, features[0], targets[0]]).toEqual(["number", 0, 0.4, 0.2]);
});

test("targets are left alone where there are none", () => {
  const data = denseDataset({ features: Float64Array.of(1, 2, 3, 4), shape: [2] });
  const targets = Int32Array.of(7);
  data.batch(Uint32Array.of(1), new Float32Array(2), targets);
  expect([data.examples, data.target, targets[0]]).toEqual([2, "none", 7]);
});
