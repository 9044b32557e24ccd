import type { Dataset } from "@tributary/algorithm";
import { sizeOf } from "../models/weights.ts";

const examplesAtATime = 1_024;

/**
 * What a device tells of its features so that all devices together find their means and deviations: the number of its
 * examples, then each feature's sum, then each feature's sum of squares; 1 + 2 × features doubles. Sums of devices add up.
 */
export async function featureSums(data: Dataset): Promise<Float64Array> {
  const width = sizeOf(data.shape);
  const sums = new Float64Array(1 + 2 * width);
  const features = new Float64Array(Math.min(examplesAtATime, data.examples) * width);
  const targets = new Float64Array(Math.min(examplesAtATime, data.examples));
  sums[0] = data.examples;
  for (let from = 0; from < data.examples; from += examplesAtATime) {
    const length = Math.min(examplesAtATime, data.examples - from);
    await data.batch(
      Uint32Array.from({ length }, (_, i) => from + i),
      features,
      targets,
    );
    for (let i = 0; i < length * width; i++) {
      const value = features[i]!;
      sums[1 + (i % width)]! += value;
      sums[1 + width + (i % width)]! += value * value;
    }
  }
  return sums;
}

/** The `normalise` of a run's data from the sum of all devices' `featureSums`; deviations are the population's. */
export function normaliseBy(sums: Float64Array): { mean: number[]; deviation: number[] } {
  const width = (sums.length - 1) / 2;
  const [count] = sums;
  const mean = Array.from(sums.subarray(1, 1 + width), (sum) => sum / count!);
  const deviation = mean.map((own, i) => Math.sqrt(Math.max(0, sums[1 + width + i]! / count! - own * own)));
  return { mean, deviation };
}
