import { denseDataset, featureSums, normaliseBy, subset } from "@tributary/training";
import { expect, test } from "vitest";

test("devices' sums add up to the means and deviations of all their rows", async () => {
  const features = Float64Array.from({ length: 3_000 * 2 }, (_, i) => (i % 2 === 0 ? i / 1000 : 7));
  const whole = denseDataset({ features, shape: [2] });
  const rows = Uint32Array.from({ length: 3_000 }, (_, i) => i);
  const parts = [rows.subarray(0, 100), rows.subarray(100)];
  const sums = await Promise.all(parts.map((part) => featureSums(subset(whole, part))));
  const total = sums[0]!.map((value, i) => value + sums[1]![i]!);
  expect(total[0]).toBe(3_000);
  const { mean, deviation } = normaliseBy(total);
  expect(mean[0]).toBeCloseTo(2.999, 9);
  expect(deviation[0]).toBeCloseTo(Math.sqrt((3_000 ** 2 - 1) / 12) / 500, 9);
  expect([mean[1], deviation[1]]).toEqual([7, 0]);
});
