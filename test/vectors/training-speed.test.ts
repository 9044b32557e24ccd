import type { DataSpec, ModelSpec } from "@tributary/protocol";
import { modelSpeed } from "@tributary/training";
import { expect, test } from "vitest";

const images: DataSpec = { kind: "images", shape: [8, 8, 3], target: "class", classes: 4 };
const runs: readonly (readonly [string, ModelSpec, DataSpec])[] = [
  ["softmax regression", { preset: "logistic" }, images],
  ["a convolutional network", { preset: "cnn" }, { ...images, shape: [28, 28, 1] }],
  [
    "a regression",
    { preset: "mlp", hidden: [8] } as ModelSpec,
    { kind: "table", shape: [3], target: "number", classes: 0 },
  ],
  [
    "a network over characters",
    { preset: "char-gru", embedding: 4, units: 8 },
    { kind: "text", shape: [6], target: "class", classes: 3, vocabulary: "\nab" },
  ],
  [
    "matrix factorization",
    { preset: "matrix-factorization", factors: 2 },
    { kind: "ratings", shape: [2], target: "number", classes: 0, users: 3, items: ["a", "b"] },
  ],
];

test.each(runs)("the pace of %s is found on made-up examples of its own kind", async (_, model, data) => {
  const speed = await modelSpeed("wasm", { model, data, batchSize: 7, budgetMs: 5 });
  expect(speed.examplesPerSecond).toBeGreaterThan(0);
  expect(speed.batchSize).toBeLessThanOrEqual(7);
});
