import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readLibsvm } from "@tributary/training";
import { openData } from "@tributary/training/node";
import { gzipSync } from "fflate";
import { afterAll, expect, test } from "vitest";
import { missingSet, testThatNeeds } from "../support/needs.ts";
import { sharedData } from "../support/shared-data.ts";

const folder = mkdtempSync(join(tmpdir(), "tributary-libsvm-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("rows are sparse, and can be written out", () => {
  const { dataset, labels, classes } = readLibsvm("+1 1:0.5 3:2 # noted\n\n-1 qid:4 2:-1e-3\n");
  expect(dataset.sparse).toEqual({
    starts: Uint32Array.of(0, 2, 3),
    columns: Uint32Array.of(0, 2, 1),
    values: Float64Array.of(0.5, 2, -1e-3),
  });
  expect([[...labels!], classes, dataset.shape]).toEqual([[1, 0], [-1, 1], [3]]);
  const [features, targets] = [new Float64Array(6).fill(9), new Int32Array(2)];
  dataset.batch(Uint32Array.of(1, 0), features, targets);
  expect([[...features], [...targets]]).toEqual([
    [0, -1e-3, 0, 0.5, 0, 2],
    [0, 1],
  ]);
});

test("labels are two classes, several, or numbers", () => {
  const labelled = (labels: string, schema = {}) =>
    readLibsvm(
      labels
        .split(" ")
        .map((label) => `${label} 1:1`)
        .join("\n"),
      schema,
    );
  expect(labelled("1 1").classes).toEqual([-1, 1]);
  expect(labelled("3 1 2 3").classes).toEqual([1, 2, 3]);
  expect(labelled("3 1", { classes: ["1", "2", "3"] }).dataset.classes).toBe(3);
  expect(labelled("0.5 2").dataset.target).toBe("number");
  expect(labelled("1 2", { targetKind: "number" }).classes).toEqual([]);
  expect(() => labelled("4 4")).toThrow("All labels are 4; declare the classes");
  expect(() => labelled("3", { classes: ["1", "2"] })).toThrow("Line 1 has the label 3; the classes are 1, 2");
});

test.each([
  ["a label that is no number", "1 1:1\nyes 1:1\n", 'Line 2, column 1: the label "yes" is not a number'],
  ["a pair without a value", "1 1:1 2:\n", 'Line 1, column 7: "2:" is not index:value'],
  ["a pair without an index", "1 :5\n", 'Line 1, column 3: ":5" is not index:value'],
  ["an index from 0", "1 0:1\n", 'column 3: "0:1" has the index 0; indices begin with 1'],
  ["indices that do not ascend", "1 2:1 2:1\n", 'column 7: "2:1" comes after the index 2'],
  ["an index beyond the declared width", "1 5:1\n", "Line 1 has the index 5; rows of 4 features were declared"],
  ["an infinite value", "1 1:1e300\n", "is not index:value"],
  ["no rows", "# nothing\n", "No line has an example"],
])("a file with %s is refused", (_, text, detail) => {
  expect(() => readLibsvm(text, { features: 4 })).toThrow(
    expect.objectContaining({ code: "bad_data", message: expect.stringContaining(detail) }),
  );
});

test("a gzipped file opens by name, its width declared", async () => {
  const path = join(folder, "small.gz");
  writeFileSync(path, gzipSync(new TextEncoder().encode("1 2:1\n-1 1:1\n")));
  const { data, describe } = await openData({ source: `libsvm:${path}?features=3` });
  expect(data).toEqual({ kind: "table", shape: [3], target: "class", classes: 2 });
  expect(describe).toBe(`${path}, classes -1, 1: 2 examples of 3, 2 classes`);
});

testThatNeeds(missingSet("a9a"), "a9a is what its authors say", async () => {
  const { dataset, labels } = await openData({ source: `libsvm:${sharedData}/a9a/a9a.gz` });
  const held = await openData({ source: `libsvm:${sharedData}/a9a/a9a.t.gz?features=123` });
  expect([dataset.examples, dataset.shape, dataset.sparse!.values.length]).toEqual([32_561, [123], 451_592]);
  expect(Array.from(labels!).filter((label) => label === 1)).toHaveLength(7_841);
  expect([held.dataset.examples, held.data]).toEqual([
    16_281,
    { kind: "table", shape: [123], target: "class", classes: 2 },
  ]);
});
