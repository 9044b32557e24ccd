// A page with data and training of its own, bundled as it is by any bundler.
import { join } from "@tributary/browser-client";

const data = { kind: "table", shape: [2], target: "class", classes: 2 };
const dataset = { examples: 4, shape: [2], classes: 2, batch: (_positions, features) => void features.fill(1) };
// My own way to learn: each weight moves towards what my data say it should be. The vector is all that leaves.
const wanted = [1, 0, -1, 0, 2, 0];
const pull = (weights) => weights.map((weight, i) => weight - wanted[i]);
const loss = (weights) => pull(weights).reduce((sum, difference) => sum + difference ** 2, 0) / 2;
const trainer = {
  engine: "my own",
  parameters: wanted.length,
  async train({ weights, learningRate }) {
    const slope = pull(weights);
    return { weights: weights.map((weight, i) => weight - learningRate * slope[i]), steps: 1, loss: loss(weights) };
  },
  gradient: async ({ weights }) => ({ gradient: pull(weights), loss: loss(weights) }),
  evaluate: async ({ weights }) => ({ examples: 4, lossSum: 4 * loss(weights), correct: 4 }),
};
/** Takes part in one run until it is over. */
export async function takePart(coordinator, run) {
  await (await join({ coordinator, run, name: "my page", dataset, data, trainerFactory: async () => trainer })).done;
}
