import type { Total } from "@tributary/algorithm";
import { fedAvg } from "@tributary/fedavg";
import { expect, test } from "vitest";
import { specOf } from "../support/specs.ts";

/** The total of an evaluation by devices of these accuracies, each with 100 examples. */
function totalOf(accuracies: readonly number[]): Total {
  const bins = new Float64Array(20);
  for (const accuracy of accuracies) bins[Math.min(19, Math.floor(20 * accuracy))]! += 1;
  const examples = 100 * accuracies.length;
  const correct = accuracies.reduce((sum, accuracy) => sum + 100 * accuracy, 0);
  const lanes = { examples: [examples], lossSum: [examples], correct: [correct] };
  const named = Object.entries(lanes).map(([name, values]) => [name, Float64Array.from(values)]);
  return {
    lanes: { ...Object.fromEntries(named), accuracyBins: bins },
    weight: examples,
    contributors: accuracies.length,
  };
}

const judge = (accuracies: readonly number[]) => fedAvg.server.judge(totalOf(accuracies), specOf());

test("the worst device and the tenth percentile are named by the edges of their bins", () => {
  const accuracies = [0.42, 0.61, ...Array.from({ length: 18 }, () => 0.97)];
  expect(judge(accuracies)).toMatchObject({ worstClientAccuracy: 0.4, tenthPercentileClientAccuracy: 0.6 });
  expect(judge(accuracies.slice(0, 10))).toMatchObject({
    worstClientAccuracy: 0.4,
    tenthPercentileClientAccuracy: 0.4,
  });
});

test("a device that has everything right is in the last bin", () => {
  expect(judge([1, 1, 1, 1, 1])).toMatchObject({ worstClientAccuracy: 0.95, accuracy: 1 });
});

test("of fewer than five devices nothing is said about the worst", () => {
  expect(judge([0.1, 0.9, 0.9, 0.9])).toEqual({ loss: 1, accuracy: 0.7, examples: 400 });
});

test("a device shows its own accuracy only as a one in its bin", async () => {
  const trainer = { evaluate: async () => ({ examples: 8, lossSum: 4, correct: 6 }) };
  const question = { settings: {}, vectors: { model: new Float32Array(1) } };
  const input = { question, data: { examples: 8 }, trainer, signal: new AbortController().signal };
  const { values } = await fedAvg.client.evaluate(input as unknown as Parameters<typeof fedAvg.client.evaluate>[0]);
  expect([...values.subarray(0, 3)]).toEqual([8, 4, 6]);
  expect([...values.subarray(3)].indexOf(1)).toBe(15);
  expect([...values.subarray(3)].reduce((a, b) => a + b)).toBe(1);
});
