import type { ClientHalf, Contribution, Question } from "@tributary/algorithm";

/**
 * The device's half: ClientUpdate of McMahan et al. 2017, algorithm 1. Sends w_k − w_t rather than w_k (the same mean, a
 * smaller range), weighted by the number of examples, with the sums that make the round's training loss.
 */
export const fedAvgClient: ClientHalf = {
  async work({ question, data, trainer, random, signal, onProgress }) {
    const model = modelOf(question);
    const { epochs, batchSize, learningRate } = question.settings as {
      epochs: number;
      batchSize: number | "all";
      learningRate: number;
    };
    const trained = await trainer.train({
      weights: model,
      data,
      epochs,
      batchSize: batchSize === "all" ? Number.POSITIVE_INFINITY : batchSize,
      learningRate,
      random,
      signal,
      onProgress,
    });
    const values = new Float32Array(model.length + 2);
    for (let i = 0; i < model.length; i++) values[i] = trained.weights[i]! - model[i]!;
    values[model.length] = data.examples;
    values[model.length + 1] = trained.loss * data.examples;
    return { contribution: { values, weight: data.examples }, next: undefined };
  },

  async evaluate({ question, data, trainer, signal }): Promise<Contribution> {
    const { examples, lossSum, correct } = await trainer.evaluate({ weights: modelOf(question), data, signal });
    return { values: Float32Array.of(examples, lossSum, correct), weight: examples };
  },
};

function modelOf(question: Question): Float32Array {
  return question.vectors["model"] as Float32Array;
}
