import type { Dataset } from "@tributary/algorithm";
import { parseRunSpec } from "@tributary/catalog";
import type { DataSpec } from "@tributary/protocol";
import { denseDataset, fitData, readRatings, readText } from "@tributary/training";
import { openData } from "@tributary/training/node";
import { expect, test } from "vitest";
import { missingSet, testThatNeeds } from "../support/needs.ts";
import { sharedData } from "../support/shared-data.ts";

async function all(data: Dataset) {
  const positions = Uint32Array.from({ length: data.examples }, (_, i) => i);
  const features = new Float64Array(data.examples * data.shape[0]!);
  const targets = new Float64Array(data.examples);
  await data.batch(positions, features, targets);
  return { features: [...features], targets: [...targets] };
}

const textOf = (vocabulary: string, window: number): DataSpec => ({
  ...{ kind: "text", shape: [window], target: "class", classes: [...vocabulary].length, vocabulary },
});

test("each character of a text is told from those before it, and a newline ends every line", async () => {
  const { dataset, vocabulary, groups } = readText("ab\r\nb", { window: 2 });
  expect(vocabulary).toBe("\nab");
  expect(await all(dataset)).toEqual({
    features: [0, 0, 0, 1, 1, 2, 2, 0, 0, 2],
    targets: [1, 2, 0, 2, 0],
  });
  expect([...groups]).toEqual([0, 0, 0, 1, 1]);
});

test("a window of one character gives the pairs of bigrams", async () => {
  const { dataset } = readText("aba\n", { window: 1 });
  expect(await all(dataset)).toEqual({ features: [0, 1, 2, 1], targets: [1, 2, 1, 0] });
});

test("a role speaks for itself, its heading is not said, and one line is too little", async () => {
  const play = "A:\nx\ny\n\nB:\nz\n\nA:\nxx\n\nC:\nzz\nz\n";
  const { dataset, vocabulary, groups, isLate } = readText(play, { window: 1, by: "role" });
  expect(vocabulary).toBe("\nxyz");
  expect((await all(dataset)).targets).toEqual([1, 0, 2, 0, 1, 1, 0, 3, 3, 0, 3, 0]);
  expect([...groups].join("")).toBe("000000011111");
  expect([...isLate].join("")).toBe("000011100011");
  expect((await all(dataset)).features[7]).toBe(0);
});

test("a character outside a given vocabulary is refused by line and column", () => {
  expect(() => readText("ab\nac\n", { vocabulary: "\nab" })).toThrow(
    'Line 2, column 2 is "c", which is not in the vocab',
  );
  expect(() => readText("ab", { vocabulary: "ab" })).toThrow("has no newline");
  expect(() => readText("")).toThrow("The text is empty");
});

test("a device's characters take the run's classes", async () => {
  const own = readText("ba\n", { window: 1 });
  const found = { dataset: own.dataset, data: textOf(own.vocabulary, 1) };
  const fitted = fitData(found, textOf("\nzbya", 1));
  expect(fitted.classes).toBe(5);
  expect(await all(fitted)).toEqual({ features: [0, 2, 4], targets: [2, 4, 0] });
  expect(() => fitData(found, textOf("\nb", 1))).toThrow(
    'the character "a" was found, which is not among the run\'s 2.',
  );
  expect(() => fitData(found, textOf("\nab", 9))).toThrow("text in windows of 1");
});

test("ratings have users and items by name or by number", async () => {
  const named = readRatings("who,what,stars,more\nbo,y,3,0\nal,x,4.5,0\n");
  expect([named.users, named.items]).toEqual([
    ["al", "bo"],
    ["x", "y"],
  ]);
  expect(await all(named.dataset)).toEqual({ features: [1, 1, 0, 0], targets: [3, 4.5] });
  const numbered = readRatings("1,7,3\n0,2,4\n");
  expect([numbered.users, numbered.items]).toEqual([2, 8]);
  const ratings: DataSpec = { kind: "ratings", shape: [2], target: "number", classes: 0 };
  const found = { dataset: named.dataset, data: { ...ratings, users: named.users, items: named.items } };
  const fitted = fitData(found, { ...ratings, users: ["x", "bo", "al"], items: ["y", "x"] });
  expect((await all(fitted)).features).toEqual([1, 0, 2, 1]);
  expect(() => fitData(found, { ...ratings, users: ["al"], items: ["y", "x"] })).toThrow('the user "bo" was found');
});

test.each([
  ["a rating that is no number", "a,b,1\na,b,good\n", 'Line 2, column 3 is "good", not a rating'],
  ["no item", "a,b,1\na,,2\n", "Line 2 has no item"],
  ["too few columns", "a,b\na,b\n", "Line 2 has no rating"],
  ["nothing", "", "There are no ratings"],
])("ratings with %s are refused", (_, text, detail) => {
  expect(() => readRatings(text)).toThrow(
    expect.objectContaining({ code: "bad_data", message: expect.stringContaining(detail) }),
  );
});

test("features are normalised by the run's figures, not by the device's own", async () => {
  const data: DataSpec = { kind: "table", shape: [2], target: "none", classes: 0 };
  const dataset = denseDataset({ features: Float64Array.of(1, 10, 3, 10), shape: [2] });
  const by = (mean: number[], deviation: number[]) =>
    fitData({ dataset, data }, { ...data, normalise: { mean, deviation } });
  expect((await all(by([2, 10], [0.5, 0]))).features).toEqual([-2, 0, 2, 0]);
  expect((await all(by([1], [2]))).features).toEqual([0, 4.5, 1, 4.5]);
});

const spec = (data: object) => ({
  ...{ name: "test", algorithm: { name: "fedavg", learningRate: 0.1 }, model: { preset: "logistic" } },
  ...{ cohort: { size: 3, minimum: 3 }, stop: { rounds: 1 } },
  data,
});

test.each([
  [{ kind: "text", shape: [4], classes: 3 }, "data.vocabulary: missing, which text needs"],
  [{ kind: "text", shape: [4], classes: 3, vocabulary: "\nab!" }, "expected the vocabulary's 4, found 3"],
  [{ kind: "text", shape: [4], classes: 3, vocabulary: "abc" }, "has no newline"],
  [
    { kind: "table", shape: [4], classes: 3, vocabulary: "\nab" },
    "data.vocabulary: belongs to text; the data is table",
  ],
  [{ kind: "ratings", shape: [2], target: "number", classes: 0, users: 3 }, "data.items: missing"],
  [{ kind: "ratings", shape: [3], target: "number", classes: 0, users: 3, items: 4 }, "ratings have shape [2]"],
  [
    { kind: "table", shape: [4], classes: 3, normalise: { mean: [1, 2], deviation: [1] } },
    "expected 1 or 4 numbers, found 2",
  ],
  [{ kind: "table", shape: [1], classes: 3, normalise: { mean: [1], deviation: [-1] } }, "below 0"],
])("a run whose data contradicts itself is refused", (data, detail) => {
  expect(() => parseRunSpec(spec(data))).toThrow(expect.objectContaining({ message: expect.stringContaining(detail) }));
});

testThatNeeds(missingSet("tinyshakespeare"), "the roles of Shakespeare are those that were counted", async () => {
  const source = `text:${sharedData}/tinyshakespeare/input.txt?window=1&by=role`;
  const [train, held] = await Promise.all([
    openData({ source: `${source}#train` }),
    openData({ source: `${source}#test` }),
  ]);
  expect([train.dataset.examples, held.dataset.examples]).toEqual([817_229, 209_249]);
  expect(new Set(Array.from(train.groups!)).size).toBe(268);
});
