// How hard the built-in digits are: accuracy of softmax regression and of the 2NN, trained centrally on 10,000 and
// tested on 2,000; how fast they are drawn; and what the 2NN trained on them makes of MNIST's test set, where there is
// a copy (MNIST=DIR, default ../shared/data/mnist). Run after a build: node bench/digits.mjs
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { seededRandom } from "../packages/algorithm/dist/index.js";
import { chooseEngine, createTrainer, digits, initialWeights, readMnist } from "../packages/training/dist/index.js";

const data = { kind: "images", shape: [28, 28, 1], target: "class", classes: 10 };
const { signal } = new AbortController();
const start = performance.now();
const train = digits({ count: 10_000, seed: 1, split: "train" });
console.log(`drawn: ${Math.round(10_000 / ((performance.now() - start) / 1000))} images/s`);
const test = digits({ count: 2_000, seed: 1, split: "test" });
const folder = process.env.MNIST ?? join(import.meta.dirname, "../../shared/data/mnist");
const read = (name) => readFileSync(join(folder, `t10k-${name}-ubyte.gz`));
const mnist = existsSync(folder) ? readMnist({ images: read("images-idx3"), labels: read("labels-idx1") }) : undefined;

const plans = [
  ["logistic", [...Array(15).fill([2, 0.1]), ...Array(5).fill([2, 0.02])]],
  ["2nn", [...Array(9).fill([2, 0.1]), ...Array(3).fill([2, 0.02])]],
];
for (const [preset, stages] of plans) {
  const model = { preset };
  const { engine, reason } = await chooseEngine({ model });
  const trainer = await createTrainer({ model, data, engine });
  const random = seededRandom(1, "order");
  let weights = await initialWeights({ model, data, seed: 1 });
  let best = 0;
  let epochsDone = 0;
  for (const [epochs, learningRate] of stages) {
    ({ weights } = await trainer.train({ weights, data: train, epochs, batchSize: 50, learningRate, random, signal }));
    epochsDone += epochs;
    best = Math.max(best, await accuracy(trainer, weights, test));
  }
  const last = await accuracy(trainer, weights, test);
  const own = await accuracy(trainer, weights, train);
  console.log(
    `${preset} (${reason}), ${epochsDone} epochs: test ${last.toFixed(4)}, best ${best.toFixed(4)}, train ${own.toFixed(4)}`,
  );
  if (mnist) console.log(`  on MNIST's test set: ${(await accuracy(trainer, weights, mnist)).toFixed(4)}`);
  else console.log(`  MNIST skipped: no ${folder}`);
}

async function accuracy(trainer, weights, dataset) {
  const { correct, examples } = await trainer.evaluate({ weights, data: dataset, signal });
  return correct / examples;
}
