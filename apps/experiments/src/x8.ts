import { type Experiment, sharedData, within } from "./experiment.ts";
import { firstRound, runTraining, type TrainingRun } from "./training-run.ts";

const mnist = { train: `mnist:${sharedData}/mnist`, test: `mnist-test:${sharedData}/mnist` };
const devices = 100;

/** McMahan et al. 2017, section 3: 100 devices with 600 images each, a tenth of them in each round. */
export function mnistRun(
  name: string,
  partition: string,
  different: { algorithm: object; model?: object; stop: object; [field: string]: unknown },
): TrainingRun {
  return {
    ...mnist,
    devices,
    partition,
    spec: {
      name,
      model: { preset: "2nn" },
      data: { kind: "images", shape: [28, 28, 1], target: "class", classes: 10 },
      cohort: { fraction: 0.1, minimum: 10, overSelect: 1, population: devices },
      deadlines: { joinMs: 120_000 },
      secureAggregation: "none",
      secure: { weightCap: 600 },
      evaluation: { on: "coordinator" },
      ...different,
    },
  };
}

function experiment(
  about: { name: string; summary: string; target: number; rounds: { atLeast?: number; atMost: number; paper: string } },
  run: (stop: object) => TrainingRun,
): Experiment {
  const { name, summary, target, rounds } = about;
  return {
    name,
    summary,
    needs: ["mnist"],
    async run(setting) {
      const stop = { rounds: rounds.atMost, target: { metric: "accuracy", atLeast: target } };
      const result = await runTraining(run(stop), setting);
      const found = firstRound(result, "accuracy", target);
      return {
        checks: [within(`rounds to ${target}`, found, rounds)],
        rounds: result.rounds.length,
        bytesUp: result.bytesUp,
      };
    },
  };
}

const fedAvg = (learningRate: number, batchSize: number | "all" = 10) => ({
  name: "fedavg",
  epochs: 1,
  batchSize,
  learningRate,
});
const nonIid = "FedAvg, 2NN on MNIST, 2-shard non-IID, C = .1, E = 1, B = 10, η = .1: rounds to";

export const x8 = experiment(
  { name: "x8", summary: `${nonIid} 90 %`, target: 0.9, rounds: { atMost: 45, paper: "29, 25 (reference)" } },
  (stop) => mnistRun("X8", "shards:2", { algorithm: fedAvg(0.1), stop }),
);

export const x8Long = experiment(
  {
    name: "x8-long",
    summary: `${nonIid} 97 % (McMahan et al. 2017, table 1: 664)`,
    target: 0.97,
    rounds: { atLeast: 150, atMost: 400, paper: "664 (paper)" },
  },
  (stop) => mnistRun("X8", "shards:2", { algorithm: fedAvg(0.1), stop }),
);

export const x7b = experiment(
  {
    name: "x7b",
    summary: "FedSGD (B = ∞), 2NN on MNIST, IID, C = .1, η = .5: rounds to 97 % (McMahan et al. 2017, table 4: 1468)",
    target: 0.97,
    rounds: { atLeast: 350, atMost: 600, paper: "1468 (paper)" },
  },
  (stop) => mnistRun("X7b", "iid", { algorithm: fedAvg(0.5, "all"), stop }),
);

/** conv 5×5×8, pool, conv 5×5×16, pool, 64 units, softmax: 20,522 weights. */
function smallCnn(): object {
  const config = (name: string, own: object) => ({ name, trainable: true, ...own });
  const convolution = (name: string, filters: number, input: object = {}) => ({
    class_name: "Conv2D",
    config: config(name, {
      ...input,
      ...{ filters, kernel_size: [5, 5], strides: [1, 1], padding: "valid", activation: "relu" },
    }),
  });
  const pool = (name: string) => ({
    class_name: "MaxPooling2D",
    config: config(name, { pool_size: [2, 2], strides: [2, 2], padding: "valid" }),
  });
  const dense = (name: string, units: number, activation: string) => ({
    class_name: "Dense",
    config: config(name, { units, activation, use_bias: true }),
  });
  const layers = [
    convolution("convolution_1", 8, { batch_input_shape: [null, 28, 28, 1], dtype: "float32" }),
    pool("pool_1"),
    convolution("convolution_2", 16),
    pool("pool_2"),
    { class_name: "Flatten", config: config("flatten", {}) },
    dense("hidden_1", 64, "relu"),
    dense("output", 10, "softmax"),
  ];
  return { class_name: "Sequential", config: { name: "cnn-s", layers } };
}

export const x8c = experiment(
  {
    name: "x8c",
    summary: "FedAvg, a CNN of 20,522 weights on MNIST, IID, C = .1, E = 1, B = 10, η = .1: rounds to 98 %",
    target: 0.98,
    rounds: { atMost: 50, paper: "25, 32 (reference)" },
  },
  (stop) => mnistRun("X8c", "iid", { algorithm: fedAvg(0.1), model: { topology: smallCnn() }, stop }),
);
