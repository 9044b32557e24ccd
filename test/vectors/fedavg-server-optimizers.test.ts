import { type ServerOptimizer, startModel, stepModel } from "@tributary/fedavg";
import { expect, test } from "vitest";

// ../shared/ALGORITHMS.md A.8: w₀ = 0, η = .1, β₁ = .9, β₂ = .99, τ = 1e-3, v₋₁ = τ².
const updates = [
  [1, -0.5],
  [0.5, 0.25],
  [-0.25, 0.1],
];
const adaptive = { learningRate: 0.1, beta1: 0.9, tau: 1e-3 } as const;

/** The models that an optimizer makes of the updates, one after the other. */
function modelsBy(optimizer: ServerOptimizer): Float32Array[] {
  let state = startModel(new Float32Array(2), optimizer);
  return updates.map((update) => {
    state = stepModel(state, Float64Array.from(update), optimizer);
    return state.model;
  });
}

const golden: { name: string; optimizer: ServerOptimizer; expected: (readonly number[] | undefined)[] }[] = [
  {
    name: "FedAdam",
    optimizer: { optimizer: "adam", ...adaptive, beta2: 0.99 },
    expected: [
      [0.09900505, -0.09802019],
      [0.2236049, -0.13330199],
      [0.31174765, -0.14726299],
    ],
  },
  {
    name: "FedYogi",
    optimizer: { optimizer: "yogi", ...adaptive, beta2: 0.99 },
    expected: [
      [0.099005, -0.09802],
      [0.22310982, -0.13316281],
      [0.31050368, -0.14700415],
    ],
  },
  {
    name: "FedAdagrad",
    optimizer: { optimizer: "adagrad", ...adaptive, beta1: 0 },
    expected: [
      [0.09990005, -0.0998002],
      [0.14458143, -0.05515877],
      [0.12277868, -0.03758073],
    ],
  },
  {
    name: "FedAdagrad with momentum",
    optimizer: { optimizer: "adagrad", ...adaptive },
    expected: [undefined, undefined, [0.0313091, -0.01495758]],
  },
  {
    name: "FedAvgM",
    optimizer: { optimizer: "sgd", learningRate: 0.1, momentum: 0.9 },
    expected: [
      [0.1, -0.05],
      [0.24, -0.07],
      [0.341, -0.078],
    ],
  },
];

for (const { name, optimizer, expected } of golden) {
  test(`${name} follows its golden vectors`, () => {
    modelsBy(optimizer).forEach((model, step) => {
      expected[step]?.forEach((weight, i) => {
        expect(Math.abs(model[i]! - weight)).toBeLessThan(1e-6);
      });
    });
  });
}

test("without momentum and with learning rate 1 the new model is the old one plus the mean update", () => {
  const optimizer = { optimizer: "sgd", learningRate: 1, momentum: 0 } as const;
  const before = startModel(Float32Array.of(1, -2), optimizer);
  expect([...stepModel(before, Float64Array.of(0.5, 0.25), optimizer).model]).toEqual([1.5, -1.75]);
  expect([...before.model]).toEqual([1, -2]);
});

test("a step changes nothing of the state it began with, and equal steps are equal", () => {
  const { optimizer } = golden[0]!;
  const before = startModel(new Float32Array(2), optimizer);
  const update = Float64Array.of(1, -0.5);
  const [first, again] = [stepModel(before, update, optimizer), stepModel(before, update, optimizer)];
  expect(first).toEqual(again);
  expect([...before.momentum, ...before.secondMoment]).toEqual([0, 0, 1e-6, 1e-6]);
});
