import { setImmediate } from "node:timers/promises";
import type { ClientHalf, Dataset, Trainer } from "@tributary/algorithm";

/** Two clusters in the plane, `examples` points in all: what the devices of these tests hold. */
export function clusters(examples: number): Dataset {
  return {
    examples,
    shape: [2],
    classes: 2,
    batch(positions, features, labels) {
      positions.forEach((position, row) => {
        const label = position % 2;
        features[2 * row] = (label === 0 ? -1 : 1) + 0.1 * Math.sin(position);
        features[2 * row + 1] = 0.1 * Math.cos(position);
        labels[row] = label;
      });
    },
  };
}

/** Softmax regression with plain loops, weights as [class][feature…, bias]; gives way to the event loop at each batch. */
export function softmaxTrainer(data: Dataset): Trainer & { batches: number } {
  const features = data.shape.reduce((product, side) => product * side, 1);
  const row = features + 1;
  const read = (positions: Uint32Array) => {
    const xs = new Float32Array(positions.length * features);
    const labels = new Int32Array(positions.length);
    data.batch(positions, xs, labels);
    return { xs, labels };
  };
  const probabilities = (weights: Float32Array, x: Float32Array) => {
    const scores = Array.from({ length: data.classes }, (_, c) =>
      x.reduce((sum, value, i) => sum + value * weights[c * row + i]!, weights[c * row + features]!),
    );
    const highest = Math.max(...scores);
    const powers = scores.map((score) => Math.exp(score - highest));
    const total = powers.reduce((sum, power) => sum + power, 0);
    return powers.map((power) => power / total);
  };
  const trainer = {
    engine: "plain loops",
    parameters: data.classes * row,
    batches: 0,
    async train({ weights: start, epochs, batchSize, learningRate, random, signal, onProgress }) {
      const weights = start.slice();
      const size = Math.min(batchSize, data.examples);
      const batches = Math.ceil(data.examples / size);
      let lossSum = 0;
      for (let epoch = 1; epoch <= epochs; epoch++) {
        const order = random.permutation(data.examples);
        lossSum = 0;
        for (let batch = 1; batch <= batches; batch++) {
          await setImmediate();
          signal.throwIfAborted();
          trainer.batches += 1;
          const { xs, labels } = read(order.subarray((batch - 1) * size, batch * size));
          const gradient = new Float32Array(weights.length);
          labels.forEach((label, n) => {
            const x = xs.subarray(n * features, (n + 1) * features);
            const p = probabilities(weights, x);
            lossSum -= Math.log(p[label]!);
            p.forEach((probability, c) => {
              const error = (probability - (c === label ? 1 : 0)) / labels.length;
              x.forEach((value, i) => {
                gradient[c * row + i]! += error * value;
              });
              gradient[c * row + features]! += error;
            });
          });
          gradient.forEach((slope, i) => {
            weights[i]! -= learningRate * slope;
          });
          onProgress?.({ epoch, epochs, batch, batches, loss: lossSum });
        }
      }
      return { weights, steps: epochs * batches, loss: lossSum / data.examples };
    },
    gradient() {
      throw new Error("no test asks these loops for a gradient");
    },
    async evaluate({ weights, signal }) {
      signal.throwIfAborted();
      const { xs, labels } = read(Uint32Array.from({ length: data.examples }, (_, i) => i));
      let lossSum = 0;
      let correct = 0;
      labels.forEach((label, n) => {
        const p = probabilities(weights, xs.subarray(n * features, (n + 1) * features));
        lossSum -= Math.log(p[label]!);
        if (p[label]! >= Math.max(...p)) correct += 1;
      });
      return { examples: data.examples, lossSum, correct };
    },
  } satisfies Trainer & { batches: number };
  return trainer;
}

/** Model averaging: sends the change of the weights, and (examples, loss sum, correct) when asked to judge. */
export const averaging: ClientHalf = {
  async work({ question, data, trainer, random, signal, onProgress }) {
    const { epochs, learningRate } = question.settings as { epochs: number; learningRate: number };
    const model = question.vectors["model"] as Float32Array;
    const job = { weights: model, data, epochs, batchSize: 4, learningRate, random, signal, onProgress };
    const { weights } = await trainer.train(job);
    return {
      contribution: { values: weights.map((value, i) => value - model[i]!), weight: data.examples },
      next: undefined,
    };
  },
  async evaluate({ question, data, trainer, signal }) {
    const model = question.vectors["model"] as Float32Array;
    const { examples, lossSum, correct } = await trainer.evaluate({ weights: model, data, signal });
    return { values: Float32Array.of(examples, lossSum, correct), weight: examples };
  },
};
