import type { Dataset } from "@tributary/algorithm";
import { readCsv } from "@tributary/training";
import { expect, test } from "vitest";

/** All features and targets of a dataset, as doubles. */
async function all(data: Dataset) {
  const positions = Uint32Array.from({ length: data.examples }, (_, i) => i);
  const features = new Float64Array(data.examples * data.shape[0]!);
  const targets = new Float64Array(data.examples);
  await data.batch(positions, features, targets);
  return { features: [...features], targets: [...targets] };
}

test("a number to predict keeps its digits", async () => {
  const { dataset, labels, classes } = readCsv("x,load\n0.1,12345.678901\n0.2,-3\n", {
    target: "load",
    targetKind: "number",
  });
  expect([dataset.target, dataset.classes, labels, classes]).toEqual(["number", 0, undefined, []]);
  expect(await all(dataset)).toEqual({ features: [0.1, 0.2], targets: [12345.678901, -3] });
});

test("a table without a target is features alone", async () => {
  const { dataset, features } = readCsv("id,x,y\n7,1,2\n8,3,4\n", { ignore: ["id"] });
  expect([dataset.target, features]).toEqual(["none", ["x", "y"]]);
  expect((await all(dataset)).features).toEqual([1, 2, 3, 4]);
});

test("a table without a header has columns by number", async () => {
  const { dataset, features, labels } = readCsv("1,2,a\n3,4,b\n", { header: false, target: "3" });
  expect([features, [...labels!]]).toEqual([
    ["1", "2"],
    [0, 1],
  ]);
  expect((await all(dataset)).features).toEqual([1, 2, 3, 4]);
  expect(() => readCsv("1,2\n", { header: false, target: "3" })).toThrow('no column "3" (target); there are 1 to 2');
});

const gaps = "x,town,y\n1,York,0\n,York,1\n4,,0\n7,Bath,1\n";

test("rows without a value are left out where the schema says so", async () => {
  const { dataset } = readCsv(gaps, { target: "y", categorical: ["town"], missing: "skip" });
  expect(await all(dataset)).toEqual({ features: [1, 0, 1, 7, 1, 0], targets: [0, 1] });
});

test("a missing number becomes the mean, a missing word the words' frequencies", async () => {
  const { dataset } = readCsv(gaps, { target: "y", categorical: ["town"], missing: "mean" });
  const third = 1 / 3;
  expect((await all(dataset)).features).toEqual([1, 0, 1, 4, 0, 1, 4, third, 2 / 3, 7, 1, 0]);
  expect(() => readCsv("x,y\n1,\n2,0\n", { target: "y", missing: "mean" })).toThrow('Line 2, column "y" has no value');
  expect(() => readCsv("x,z,y\n,1,0\n,1,1\n", { target: "y", missing: "mean" })).toThrow('"x" has no value in any row');
});

test("a column can say whose each row is", () => {
  const { groups, features } = readCsv("zone,x\nb,1\na,2\nb,3\n", { group: "zone" });
  expect([features, [...groups!]]).toEqual([["x"], [0, 1, 0]]);
});
