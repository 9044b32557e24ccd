import * as tf from "@tensorflow/tfjs-core";
import { type Dataset, seededRandom, type TrainingJob } from "@tributary/algorithm";
import type { DataSpec, ModelSpec } from "@tributary/protocol";
import {
  createTrainer,
  denseDataset,
  type EngineName,
  initialWeights,
  readRatings,
  readText,
} from "@tributary/training";
import { expect, test } from "vitest";

interface Subject {
  readonly model: ModelSpec;
  readonly data: DataSpec;
  readonly dataset: Dataset;
  /** What a longer training has to bring the loss below. */
  readonly learnt: number;
  readonly learningRate: number;
}

const random = seededRandom(4, "numbers");
const features = Float64Array.from({ length: 60 * 3 }, () => random.normal());
const numbers = Float64Array.from({ length: 60 }, (_, i) => 2 * features[3 * i]! - features[3 * i + 2]! + 5);
const rows = denseDataset({ features, numbers, shape: [3] });
const table: DataSpec = { kind: "table", shape: [3], target: "number", classes: 0 };
const song = readText("round and round and round\nand round it goes\n", { window: 6 });
const rated = readRatings(
  Array.from({ length: 80 }, (_, i) => `u${i % 7},i${(3 * i) % 11},${1 + ((i % 7) + ((3 * i) % 11)) / 4}`).join("\n"),
);

/** Every preset that is no classifier of rows, with data small enough for plain JavaScript. */
const subjects: Readonly<Record<string, Subject>> = {
  "linear regression": { model: { preset: "logistic" }, data: table, dataset: rows, learningRate: 0.05, learnt: 0.01 },
  "a network that predicts a number": {
    ...{ model: { preset: "mlp", hidden: [8] }, data: table, dataset: rows },
    ...{ learningRate: 0.02, learnt: 1 },
  },
  "a recurrent network over characters": {
    model: { preset: "char-gru", embedding: 4, units: 8 },
    data: {
      ...{ kind: "text", shape: [6], target: "class" },
      ...{ classes: song.dataset.classes, vocabulary: song.vocabulary },
    },
    ...{ dataset: song.dataset, learningRate: 0.5, learnt: 1.2 },
  },
  "matrix factorization": {
    model: { preset: "matrix-factorization", factors: 3 },
    data: { kind: "ratings", shape: [2], target: "number", classes: 0, users: rated.users, items: rated.items },
    ...{ dataset: rated.dataset, learningRate: 0.05, learnt: 0.2 },
  },
};

const never = new AbortController().signal;
const job = ({ dataset, learningRate }: Subject, weights: Float32Array, changes: Partial<TrainingJob> = {}) => ({
  ...{ weights, data: dataset, epochs: 1, batchSize: 8, learningRate },
  ...{ random: seededRandom(2, "order"), signal: never },
  ...changes,
});

const furthest = (a: Float32Array, b: Float32Array) => a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!)), 0);

/** What every engine must do with presets that look up rows, remember, or predict a number. */
export function presetSuite(engine: EngineName): void {
  for (const [name, subject] of Object.entries(subjects)) {
    const make = (on = engine) => createTrainer({ model: subject.model, data: subject.data, engine: on });
    const start = () => initialWeights({ model: subject.model, data: subject.data, seed: 3 });

    test(`${engine}: a step of ${name} agrees with plain JavaScript`, async () => {
      const weights = await start();
      const whole = { batchSize: Number.POSITIVE_INFINITY };
      const own = await (await make()).train(job(subject, weights, whole));
      const plain = await (await make("cpu")).train(job(subject, weights, whole));
      expect(furthest(own.weights, weights)).toBeGreaterThan(1e-3);
      expect(furthest(own.weights, plain.weights)).toBeLessThan(1e-4);
      expect(own.loss).toBeCloseTo(plain.loss, 4);
    });

    test(`${engine}: ${name} learns, one seed gives one result, and no tensor is left behind`, async () => {
      const trainer = await make();
      const weights = await start();
      await trainer.train(job(subject, weights));
      const before = tf.memory().numTensors;
      const train = () => trainer.train(job(subject, weights, { epochs: 30 }));
      const [first, again] = [await train(), await train()];
      const { lossSum, examples } = await trainer.evaluate({
        weights: first.weights,
        data: subject.dataset,
        signal: never,
      });
      expect(again.weights).toEqual(first.weights);
      expect(lossSum / examples).toBeLessThan(subject.learnt);
      expect(tf.memory().numTensors).toBe(before);
    });
  }

  test(`${engine}: the loss of a number is the mean squared error`, async () => {
    const { model, data } = subjects["linear regression"]!;
    const trainer = await createTrainer({ model, data, engine });
    const weights = Float32Array.of(1, 0, 0, 2);
    const two = denseDataset({
      features: Float64Array.of(1, 9, 9, 2, 9, 9),
      numbers: Float64Array.of(5, 3),
      shape: [3],
    });
    const judged = await trainer.evaluate({ weights, data: two, signal: never });
    expect(judged).toEqual({ examples: 2, lossSum: 4 + 1, correct: 0 });
    const nothing = denseDataset({ features: new Float64Array(3), numbers: Float64Array.of(Number.NaN), shape: [3] });
    await expect(trainer.evaluate({ weights, data: nothing, signal: never })).rejects.toThrow(
      "The number to predict of example 0 is NaN. Correct or leave out that example.",
    );
  });
}
