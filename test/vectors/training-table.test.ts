import type { Dataset } from "@tributary/algorithm";
import { readCsv, readCsvInSteps } from "@tributary/training";
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

test.each([
  ["semicolons", "x;town;y\n1;York, UK;0\n2;Bath;1\n"],
  ["tabs", "x\ttown\ty\n1\tYork, UK\t0\n2\tBath\t1\n"],
  ["lines that end in CR alone", 'x,town,y\r1,"York, UK",0\r2,Bath,1\r'],
  ["quoted names", '"x";"town";"y"\n1;"York, UK";0\n"2";Bath;1'],
])("a table with %s in place of commas and LF is the same table", async (_, text) => {
  const { dataset, features } = readCsv(text, { target: "y", categorical: ["town"] });
  expect(features).toEqual(["x", "town=Bath", "town=York, UK"]);
  expect(await all(dataset)).toEqual({ features: [1, 0, 1, 2, 1, 0], targets: [0, 1] });
});

test("a comma at the end of each line makes no column, and what stands in one without a name does not count", async () => {
  const { dataset, features } = readCsv("a,b,kind,,\n1,2,x,,\n3,4,y,,note\n", { target: "kind" });
  expect(features).toEqual(["a", "b"]);
  expect((await all(dataset)).features).toEqual([1, 2, 3, 4]);
});

test.each([
  ["that never closes", 'x,y\n1,a\n2,"b\n3,c\n4,d\n', "opens with a quote on line 3 has no closing quote"],
  ["that closes at another's", 'x,y\n1,"b\n2,c\n3,"d"\n', "opens with a quote on line 2 closes on line 4"],
  ["after one of two lines", 'x,y\n1,"a\na"\n2,"b\n3,c\n', "opens with a quote on line 4 has no closing quote"],
  ["after a quote written twice", 'x,y\n"1\n,a""\n', "opens with a quote on line 2 has no closing quote"],
  ["inside a value", 'x,y\n1,a\n2,6" nails\n', 'line 3 has a quote inside the value 6" nails'],
])("a quote %s is named by the line on which it opens", (_, text, detail) => {
  expect(() => readCsv(text, { target: "y" })).toThrow(detail);
});

test("a decimal comma is called one", () => {
  expect(() => readCsv("x;y\n0,134;a\n0,2;b\n", { target: "y" })).toThrow(
    'Line 2, column "x" is "0,134", with a decimal comma; write numbers with a point',
  );
});

test("a table is read in steps whose shares grow, and the last gives what is read at once", async () => {
  const text = `x,y\n${Array.from({ length: 80_000 }, (_, i) => `${i},${i % 2}`).join("\n")}\n`;
  const steps = readCsvInSteps(text, { target: "y" });
  const shares: number[] = [];
  let step = steps.next();
  for (; !step.done; step = steps.next()) shares.push(step.value);
  expect(shares.length).toBeGreaterThan(3);
  expect(shares).toEqual([...shares].sort((a, b) => a - b));
  expect(shares.at(-1)).toBeLessThanOrEqual(1);
  const atOnce = readCsv(text, { target: "y" });
  expect(step.value.labels).toEqual(atOnce.labels);
  expect((await all(step.value.dataset)).features).toEqual((await all(atOnce.dataset)).features);
});
