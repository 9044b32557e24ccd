import type { DataSpec } from "@tributary/protocol";
import { digits } from "../data/digits.ts";
import { readExamples } from "../examples.ts";
import { topologyOf } from "../models/topology.ts";
import { initialWeights } from "../models/weights.ts";
import type { EngineName } from "./engines.ts";
import { openModel } from "./open-model.ts";

const data: DataSpec = { kind: "images", shape: [28, 28, 1], target: "class", classes: 10 };
const batchSize = 10;

/** How fast an engine trains, in steps of `batchSize` examples. */
export interface Speed {
  readonly examplesPerSecond: number;
  /** Ten, or as many as one stretch of work may take on a slow engine. */
  readonly batchSize: number;
}

/**
 * Measures steps of McMahan's 2NN or CNN on 28 × 28 pixels for about `budgetMs`: the first step warms up, and counts only
 * where it alone takes that long. Rejects with `EngineMissing` where the engine cannot run.
 */
export async function trainingSpeed(
  engine: EngineName,
  options: { preset: "2nn" | "cnn"; budgetMs: number },
): Promise<Speed> {
  const model = { preset: options.preset };
  const built = await openModel(engine, topologyOf(model, data), data);
  built.setWeights(await initialWeights({ model, data, seed: 1 }));
  const examples = Math.min(batchSize, built.examplesAtATime);
  const set = digits({ count: examples, seed: 1, split: "train" });
  const batch = await readExamples(
    set,
    Uint32Array.from({ length: examples }, (_, i) => i),
  );
  const step = async () => {
    const start = performance.now();
    await built.step(batch, 0.01);
    return performance.now() - start;
  };
  let spentMs = await step();
  let steps = 1;
  if (spentMs < options.budgetMs) [spentMs, steps] = [0, 0];
  for (; spentMs < options.budgetMs; steps++) spentMs += await step();
  return { examplesPerSecond: (1000 * steps * examples) / spentMs, batchSize: examples };
}
