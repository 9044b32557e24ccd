import { seededRandom } from "@tributary/algorithm";
import type { DataSpec } from "@tributary/protocol";
import { createTrainer, digits, type EngineName, initialWeights, parity } from "@tributary/training";

// What a test bundles for a page, to try engines that only a browser has.

const data: DataSpec = { kind: "images", shape: [28, 28, 1], target: "class", classes: 10 };
const model = { preset: "2nn" } as const;

/** The loss of each of so many steps of McMahan's 2NN in batches of 10, from one seed. */
async function losses(engine: EngineName, steps: number): Promise<number[]> {
  const trainer = await createTrainer({ model, data, engine });
  const seen: number[] = [];
  await trainer.train({
    weights: await initialWeights({ model, data, seed: 1 }),
    data: digits({ count: 10 * steps, seed: 1, split: "train" }),
    ...{ epochs: 1, batchSize: 10, learningRate: 0.1 },
    random: seededRandom(1, "order"),
    signal: new AbortController().signal,
    onProgress: ({ loss }) => seen.push(loss),
  });
  return seen;
}

const tributary = { parity, losses };
export type TrainingInPage = typeof tributary;
Object.assign(globalThis, { tributary });
