import { type ServerOptimizer, startModel, stepModel } from "@tributary/fedavg";
import { type Check, type Experiment, within } from "./experiment.ts";
import { meanOfLast, runTraining } from "./training-run.ts";
import { mnistRun } from "./x8.ts";

/** ../shared/ALGORITHMS.md A.8: w₀ = 0, and the models after the last of these updates. */
const updates = [
  [1, -0.5],
  [0.5, 0.25],
  [-0.25, 0.1],
];
const adaptive = { learningRate: 0.1, beta1: 0.9, tau: 1e-3 } as const;
const golden: readonly { name: string; optimizer: ServerOptimizer; last: readonly [number, number] }[] = [
  {
    name: "FedAvgM",
    optimizer: { optimizer: "sgd", learningRate: 0.1, momentum: 0.9 },
    last: [0.341, -0.078],
  },
  { name: "FedAdam", optimizer: { optimizer: "adam", ...adaptive, beta2: 0.99 }, last: [0.31174765, -0.14726299] },
  { name: "FedYogi", optimizer: { optimizer: "yogi", ...adaptive, beta2: 0.99 }, last: [0.31050368, -0.14700415] },
  { name: "FedAdagrad", optimizer: { optimizer: "adagrad", ...adaptive, beta1: 0 }, last: [0.12277868, -0.03758073] },
];

export const x10: Experiment = {
  name: "x10",
  summary: "server optimizers against golden vectors (Reddi et al. 2021, algorithm 2)",
  needs: [],
  async run() {
    const checks = golden.map(({ name, optimizer, last }): Check => {
      const { model } = updates.reduce(
        (state, update) => stepModel(state, Float64Array.from(update), optimizer),
        startModel(new Float32Array(2), optimizer),
      );
      const off = Math.max(...last.map((weight, i) => Math.abs(weight - model[i]!)));
      return within(`${name}, largest difference after 3 steps`, off, { atMost: 1e-6 });
    });
    return { checks, rounds: updates.length, bytesUp: 0 };
  },
};

/** What the long run compares, and the least mean accuracy of the last 20 rounds. */
const servers: readonly { name: string; server: object; atLeast?: number; paper: string }[] = [
  { name: "FedAvg", server: {}, paper: ".922 (reference)" },
  {
    name: "FedAdagrad",
    server: { optimizer: "adagrad", learningRate: 0.1, beta1: 0.9 },
    atLeast: 0.945,
    paper: ".957 (reference)",
  },
  { name: "FedAdam", server: { optimizer: "adam", learningRate: 0.01 }, atLeast: 0.925, paper: ".942 (reference)" },
  { name: "FedYogi", server: { optimizer: "yogi", learningRate: 0.01 }, atLeast: 0.925, paper: ".942 (reference)" },
];

export const optimizedRun = (server: object, rounds: number, different: Record<string, unknown> = {}) =>
  mnistRun("X10", "shards:2", {
    algorithm: { name: "fedavg", epochs: 1, batchSize: 10, learningRate: 0.05, server },
    stop: { rounds },
    ...different,
  });

export const x10Mnist: Experiment = {
  name: "x10-mnist",
  summary: "server optimizers, 2NN on MNIST, 2-shard non-IID, C = .1, E = 1, B = 10, η = .05, 100 rounds",
  needs: ["mnist"],
  async run(setting) {
    const checks: Check[] = [];
    let [rounds, bytesUp, plain] = [0, 0, 0];
    for (const { name, server, atLeast, paper } of servers) {
      const result = await runTraining(optimizedRun(server, 100), setting);
      const accuracy = meanOfLast(result, "accuracy", 20);
      setting.say(`${name}: ${accuracy}`);
      if (atLeast === undefined) plain = accuracy;
      else {
        checks.push(within(`accuracy, ${name}, last 20 rounds`, accuracy, { atLeast, paper }));
        checks.push(within(`${name} above FedAvg's ${plain.toFixed(4)}`, accuracy - plain, { atLeast: 0.005 }));
      }
      rounds += result.rounds.length;
      bytesUp += result.bytesUp;
    }
    return { checks, rounds, bytesUp };
  },
};
