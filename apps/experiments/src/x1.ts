import { type Check, type Experiment, type Outcome, type Setting, sharedData, within } from "./experiment.ts";
import { runTraining, type TrainingRun, zeroSoftmax } from "./training-run.ts";

/** ../shared/ALGORITHMS.md A.1: F after so many steps, and the accuracy on a9a.t; λ = 1e-3, η = .5, w₀ = 0. */
const expected = [
  { step: 1, objective: 0.54482095, accuracy: 0.76377 },
  { step: 10, objective: 0.43020627, accuracy: 0.79209 },
  { step: 50, objective: 0.36217051, accuracy: 0.83521 },
  { step: 100, objective: 0.34759063, accuracy: 0.84245 },
  { step: 300, objective: 0.33631167, accuracy: 0.84982 },
];
const tolerance = 2e-6;
const a9a = (file: string) => `libsvm:${sharedData}/a9a/${file}?features=123`;

/**
 * Logistic regression as a softmax over two classes without biases: with w = W₁ − W₀ and W₀ = −W₁ a step of η/2 with 2λ
 * there is a step of η with λ here, and both objectives have the same value.
 */
export function runOf(devices: number, steps: number, different: Record<string, unknown> = {}): TrainingRun {
  return {
    spec: {
      name: "X1",
      algorithm: { name: "fedsgd", l2: 2e-3, server: { learningRate: 0.25 } },
      model: { topology: zeroSoftmax([123], 2, false) },
      data: { kind: "table", shape: [123], target: "class", classes: 2 },
      cohort: { size: devices, minimum: devices, overSelect: 1, population: devices },
      deadlines: { joinMs: 120_000 },
      secureAggregation: "none",
      evaluation: { on: "coordinator", everyRounds: 50 },
      // A round's objective is that of the model it began with.
      stop: { rounds: steps + 1 },
      ...different,
    },
    train: a9a("a9a.gz"),
    test: a9a("a9a.t.gz"),
    devices,
    partition: "contiguous",
  };
}

/** Blocks of 1 : 2 : … : clients. */
const growing = (clients: number) => (examples: number) => {
  const unit = examples / ((clients * (clients + 1)) / 2);
  const edge = (i: number) => (i === clients ? examples : Math.floor((unit * i * (i + 1)) / 2));
  return Array.from({ length: clients }, (_, i) =>
    Uint32Array.from({ length: edge(i + 1) - edge(i) }, (_, row) => edge(i) + row),
  );
};

async function checked(name: string, run: TrainingRun, setting: Setting): Promise<Outcome> {
  const { rounds, bytesUp } = await runTraining(run, setting);
  const checks: Check[] = [];
  for (const { step, objective, accuracy } of expected.filter((row) => row.step < rounds.length)) {
    const off = Math.abs(rounds[step]!["objective"]! - objective);
    checks.push(within(`|F − ${objective}| after ${step} steps, ${name}`, off, { atMost: tolerance }));
    const found = rounds[step - 1]!["accuracy"];
    if (found === undefined) continue;
    const wrong = Math.abs(found - accuracy);
    checks.push(within(`|accuracy − ${accuracy}| after ${step} steps, ${name}`, wrong, { atMost: 5e-4 }));
  }
  return { checks, rounds: rounds.length, bytesUp };
}

function together(outcomes: readonly Outcome[]): Outcome {
  return {
    checks: outcomes.flatMap(({ checks }) => checks),
    rounds: outcomes.reduce((sum, { rounds }) => sum + rounds, 0),
    bytesUp: outcomes.reduce((sum, { bytesUp }) => sum + bytesUp, 0),
  };
}

export const x1: Experiment = {
  name: "x1",
  summary: "distributed SGD on a9a, logistic, full batch: equals central gradient descent for any split",
  needs: ["a9a"],
  async run(setting) {
    const outcomes: Outcome[] = [];
    for (const devices of [1, 4, 7]) outcomes.push(await checked(`${devices} clients`, runOf(devices, 300), setting));
    // No flag deals unequal blocks to processes.
    const uneven = { ...runOf(7, 300), partition: growing(7) };
    outcomes.push(await checked("7 clients of 1 : 2 : … : 7", uneven, { ...setting, inProcess: true }));
    return together(outcomes);
  },
};

export const x1Secure: Experiment = {
  name: "x1-secure",
  summary: "distributed SGD on a9a under secure aggregation, 100 steps: the same within what fixed point allows",
  needs: ["a9a"],
  run: (setting) => checked("7 clients, secure", runOf(7, 100, { secureAggregation: "required" }), setting),
};
