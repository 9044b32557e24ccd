const images = { kind: "images", shape: [28, 28, 1], target: "class", classes: 10 };
const table = { kind: "table", shape: [2], target: "none", classes: 0 };
const numeric = { kind: "table", shape: [2], target: "number", classes: 0 };
const text = { kind: "text", shape: [8], target: "class", classes: 6, vocabulary: '\n "ab\\' };
const ratings = { kind: "ratings", shape: [2], target: "number", classes: 0, users: 1_000 };

const whole = {
  name: "Whole",
  data: images,
  cohort: { size: 10, minimum: 5, goal: 8, overSelect: 1, population: 10, tags: ["lab", "a,b", " c ", '"d"', "[e]"] },
  deadlines: { joinMs: 1, trainMs: 2, stepMs: 3, unmaskMs: 4 },
  secureAggregation: "required",
  secure: { rule: "curious", weightLevels: 8, weightCap: 500, minimumSurvivors: 5 },
  evaluation: { on: "clients", everyRounds: 2 },
  stop: { rounds: 7, target: { metric: "accuracy", atLeast: 0.9 }, patienceRounds: 3, maxMinutes: 0.5 },
  seed: 2 ** 53 - 1,
};
const local = { epochs: 2, batchSize: 20, learningRate: 0.05 };
const adaptive = { learningRate: 1e-3, beta1: 0.5, tau: 0.01, initialAccumulator: 0.1 };

/** Valid specifications: each algorithm, each branch of each union that the schema has, every member given somewhere. */
export const runSpecs: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  fedavg: {
    ...whole,
    algorithm: {
      name: "fedavg",
      ...local,
      clip: 1,
      bits: 8,
      server: { optimizer: "sgd", learningRate: 2, momentum: 0.9 },
    },
    model: { preset: "mlp", hidden: [20, 10], weights: "0".repeat(64) },
  },
  "fedavg over whole sets": {
    ...whole,
    algorithm: { name: "fedavg", ...local, batchSize: "all", server: { optimizer: "adam", ...adaptive, beta2: 0.9 } },
    model: { preset: "cnn" },
    cohort: { fraction: 0.1, minimum: 5 },
    evaluation: { on: "coordinator", data: "held out", everyRounds: 3 },
  },
  fedsgd: {
    ...whole,
    algorithm: { name: "fedsgd", l2: 0.1, scaleBits: 20, server: { optimizer: "yogi", ...adaptive, beta2: 0.9 } },
    model: { preset: "logistic" },
    data: { ...images, normalise: { mean: [0.13], deviation: [0.31] } },
  },
  fedprox: {
    ...whole,
    algorithm: { name: "fedprox", ...local, proximal: 0.1, server: { optimizer: "adagrad", ...adaptive } },
    model: { preset: "2nn" },
    stop: { rounds: 7, target: { metric: "loss", atMost: 0.1 } },
  },
  fednova: {
    ...whole,
    algorithm: { name: "fednova", ...local },
    model: { preset: "char-gru", embedding: 4, units: 8 },
    data: text,
  },
  scaffold: {
    ...whole,
    algorithm: { name: "scaffold", ...local, clients: 10, controlClip: 2 },
    model: { preset: "matrix-factorization", factors: 4 },
    data: { ...ratings, items: ["film, the", "5", " odd "] },
  },
  "a numbered crowd": {
    ...whole,
    secureAggregation: "none",
    secure: { rule: "strict" },
    algorithm: { name: "fedavg", learningRate: 0.1 },
    model: { preset: "matrix-factorization" },
    data: { ...ratings, users: ["5"], items: 20 },
  },
  "layers of one's own": {
    ...whole,
    algorithm: { name: "fedavg", learningRate: 0.1 },
    data: numeric,
    model: {
      topology: {
        class_name: "Sequential",
        config: { layers: [{ class_name: "Dense", config: { name: "out", batch_input_shape: [null, 2], units: 1 } }] },
      },
    },
  },
  cocoa: {
    ...whole,
    algorithm: {
      name: "cocoa",
      variant: "cocoa",
      loss: "logistic",
      lambda: 0.01,
      passes: 0.5,
      unitRows: true,
      largest: 1,
    },
    data: { ...numeric, kind: "sparse", target: "class", classes: 2 },
  },
  "cocoa+": {
    ...whole,
    algorithm: { name: "cocoa", variant: "cocoa+", loss: "hinge" },
    data: { ...images, classes: 2 },
  },
  "cocoa squared": { ...whole, algorithm: { name: "cocoa", loss: "squared", unitRows: false }, data: numeric },
  kmeans: {
    ...whole,
    algorithm: { name: "kmeans", clusters: 2, init: { kind: "sampled", rows: 7 }, batchSize: "all", minimumCount: 6 },
    data: table,
    evaluation: { on: "nowhere" },
  },
  "kmeans in batches": {
    ...whole,
    algorithm: {
      name: "kmeans",
      clusters: 2,
      batchSize: 100,
      init: { kind: "ranges", grid: { kind: "linear", from: -1, to: 1e-7, bins: 3 } },
    },
    data: table,
  },
  "kmeans from centres": {
    ...whole,
    algorithm: {
      name: "kmeans",
      clusters: 2,
      largest: 10,
      maximumRows: 50,
      init: {
        kind: "given",
        centres: [
          [0, 1.5],
          [-2, 3],
        ],
      },
    },
    data: table,
  },
  "kmeans over a wide grid": {
    ...whole,
    algorithm: {
      name: "kmeans",
      clusters: 2,
      init: { kind: "ranges", grid: { kind: "geometric", smallest: 0.1, largest: 10, bins: 5 } },
    },
    data: table,
  },
  ridge: {
    ...whole,
    algorithm: { name: "ridge", lambda: 0, intercept: true, largest: 10, maximumRows: 50 },
    data: numeric,
  },
  statistics: {
    ...whole,
    algorithm: { name: "statistics", bins: 10, quantiles: [], largest: 100, grid: { kind: "linear", from: 0, to: 1 } },
    data: table,
  },
  "statistics over a wide grid": {
    ...whole,
    algorithm: { name: "statistics", quantiles: [0.5], grid: { kind: "geometric", smallest: 0.1 }, largest: 10 },
    data: table,
  },
  bigrams: { ...whole, algorithm: { name: "bigrams", smoothing: 0.5, minimumCount: 2, maximumRows: 50 }, data: text },
};
