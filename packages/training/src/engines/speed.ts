import type { DataSpec, ModelSpec } from "@tributary/protocol";
import { topologyOf } from "@tributary/protocol/topology";
import { digits } from "../data/digits.ts";
import { type Examples, readExamples } from "../examples.ts";
import { initialWeights, sizeOf } from "../models/weights.ts";
import type { EngineName } from "./engines.ts";
import { openModel } from "./open-model.ts";

const pixels: DataSpec = { kind: "images", shape: [28, 28, 1], target: "class", classes: 10 };

/** How fast an engine trains, in steps of `batchSize` examples. */
export interface Speed {
  readonly examplesPerSecond: number;
  /** As asked for, or as many as one stretch of work may take on a slow engine. */
  readonly batchSize: number;
}

/**
 * Measures steps of ten examples of McMahan's 2NN or CNN on 28 × 28 pixels for about `budgetMs`: the first step warms up,
 * and counts only where it alone takes that long. Rejects with `EngineMissing` where the engine cannot run.
 */
export function trainingSpeed(
  engine: EngineName,
  { preset, budgetMs }: { preset: "2nn" | "cnn"; budgetMs: number },
): Promise<Speed> {
  const drawn = (count: number) => {
    const positions = Uint32Array.from({ length: count }, (_, i) => i);
    return readExamples(digits({ count, seed: 1, split: "train" }), positions);
  };
  return speedOf(engine, { model: { preset }, data: pixels, batchSize: 10, budgetMs, examplesOf: drawn });
}

/** Measures steps of a run's own model, as `trainingSpeed` does, on examples that are made up after the run's `data`. */
export function modelSpeed(
  engine: EngineName,
  run: { model: ModelSpec; data: DataSpec; batchSize: number; budgetMs: number },
): Promise<Speed> {
  return speedOf(engine, { ...run, examplesOf: async (count) => madeUp(run.data, count) });
}

async function speedOf(
  engine: EngineName,
  run: {
    model: ModelSpec;
    data: DataSpec;
    batchSize: number;
    budgetMs: number;
    examplesOf: (count: number) => Promise<Examples>;
  },
): Promise<Speed> {
  const { model, data, batchSize, budgetMs, examplesOf } = run;
  const built = await openModel(engine, topologyOf(model, data), data);
  built.setWeights(await initialWeights({ model, data, seed: 1 }));
  const examples = Math.min(batchSize, built.examplesAtATime);
  const batch = await examplesOf(examples);
  const step = async () => {
    const start = performance.now();
    // Small enough for made-up numbers to lead nowhere.
    await built.step(batch, 1e-3);
    return performance.now() - start;
  };
  let spentMs = await step();
  let steps = 1;
  if (spentMs < budgetMs) [spentMs, steps] = [0, 0];
  for (; spentMs < budgetMs; steps++) spentMs += await step();
  return { examplesPerSecond: (1000 * steps * examples) / spentMs, batchSize: examples };
}

/** Examples that a run could have, and that mean nothing. */
function madeUp({ kind, shape, target, classes, vocabulary, users, items }: DataSpec, count: number): Examples {
  const width = sizeOf(shape);
  const lengthOf = (names: DataSpec["users"]) => (typeof names === "number" ? names : (names?.length ?? 1));
  const value = (i: number): number => {
    switch (kind) {
      case "images":
      case "table":
      case "sparse":
        return ((7919 * i) % 1000) / 1000;
      case "text":
        return i % Math.max(1, [...(vocabulary ?? "")].length);
      case "ratings":
        return Math.floor(i / 2) % lengthOf(i % 2 === 0 ? users : items);
    }
  };
  const features = Float32Array.from({ length: count * width }, (_, i) => value(i));
  const targets =
    target === "class" ? Int32Array.from({ length: count }, (_, i) => i % classes) : new Float32Array(count);
  return { features, targets };
}
