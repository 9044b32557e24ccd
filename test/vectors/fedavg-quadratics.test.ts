import type { Algorithm } from "@tributary/algorithm";
import { fedAvg, fedNova, fedProx, fedSgd, scaffold } from "@tributary/fedavg";
import { expect, test } from "vitest";
import { type Quadratic, QuadraticFederation } from "../support/fedavg-federation.ts";
import { specOf } from "../support/specs.ts";

// ../shared/ALGORITHMS.md A.9: f₁ = ½(w − 1)², f₂ = 3/2 (w + 1)², x₀ = 0, η = .1, K = 5, both devices; the optimum is −½.
const pair: readonly Quadratic[] = [
  { curvature: 1, minimum: 1 },
  { curvature: 3, minimum: -1 },
];
const local = { epochs: 5, learningRate: 0.1 };

function federation(algorithm: Algorithm, parameters: object, devices = pair) {
  const cohort = { size: 2, minimum: 2, overSelect: 1 };
  const spec = specOf({ algorithm: { name: algorithm.name, ...parameters }, cohort });
  return new QuadraticFederation(algorithm, spec, devices);
}

test("SCAFFOLD follows its golden vector to the true optimum", async () => {
  const devices = federation(scaffold, { ...local, clients: 2 });
  for (const expected of [-0.21121, -0.37337691, -0.45468548]) {
    await devices.round();
    expect(Math.abs(devices.model - expected)).toBeLessThan(1e-6);
  }
  for (let round = 4; round <= 60; round++) await devices.round();
  expect(Math.abs(devices.model + 0.5)).toBeLessThan(1e-6);
});

test("FedAvg follows its golden vector to a biased point", async () => {
  const devices = federation(fedAvg, local);
  for (const expected of [-0.21121, -0.29131773, -0.32170099]) {
    await devices.round();
    expect(Math.abs(devices.model - expected)).toBeLessThan(1e-6);
  }
  for (let round = 4; round <= 60; round++) await devices.round();
  expect(Math.abs(devices.model + 0.34026614)).toBeLessThan(1e-6);
});

test("a device that lost its variate says so, and the federation still finds the optimum", async () => {
  const devices = federation(scaffold, { ...local, clients: 2 });
  for (let round = 1; round <= 5; round++) expect(await devices.round()).toMatchObject({ lostVariates: 0 });
  expect(await devices.round([{}, { forgets: true }])).toMatchObject({ lostVariates: 1 });
  for (let round = 7; round <= 60; round++) expect(await devices.round()).toMatchObject({ lostVariates: 0 });
  expect(Math.abs(devices.model + 0.5)).toBeLessThan(1e-6);
});

test("FedSGD steps along the gradient of all rows together, its own l2 included", async () => {
  const uneven = [
    { ...pair[0]!, examples: 3 },
    { ...pair[1]!, examples: 1 },
  ];
  const devices = federation(fedSgd, { l2: 0.5, server: { learningRate: 0.1 } }, uneven);
  let expected = 0;
  for (let round = 1; round <= 5; round++) {
    const objective = (3 * 0.5 * (expected - 1) ** 2 + 1.5 * (expected + 1) ** 2) / 4 + 0.25 * expected ** 2;
    expect((await devices.round())["objective"]).toBeCloseTo(objective, 6);
    expected -= 0.1 * ((3 * (expected - 1) + 3 * (expected + 1)) / 4 + 0.5 * expected);
    expect(Math.abs(devices.model - expected)).toBeLessThan(1e-6);
  }
});

test("FedProx holds devices near the model that they were sent", async () => {
  const devices = federation(fedProx, { ...local, proximal: 1 });
  const drift = ({ curvature, minimum }: Quadratic) => {
    let w = 0;
    for (let step = 0; step < 5; step++) w -= 0.1 * (curvature * (w - minimum) + w);
    return w;
  };
  await devices.round();
  expect(devices.model).toBeCloseTo((drift(pair[0]!) + drift(pair[1]!)) / 2, 6);
});

test("FedProx takes a straggler's partial work, FedAvg tells it why it cannot", async () => {
  const late = [{}, { epochsAtMost: 2 }];
  const prox = federation(fedProx, { ...local, proximal: 0 });
  await prox.round(late);
  const after = (device: Quadratic, steps: number) => device.minimum * (1 - (1 - 0.1 * device.curvature) ** steps);
  expect(prox.model).toBeCloseTo((after(pair[0]!, 5) + after(pair[1]!, 2)) / 2, 6);
  await expect(federation(fedAvg, local).round(late)).rejects.toMatchObject({
    code: "wrong_state",
    message: expect.stringMatching(/at most 2 of the 5 epochs.*fedprox/),
  });
});

test("FedNova averages what a step does, so that whoever makes more steps has no more say", async () => {
  const devices = federation(fedNova, local);
  const { effectiveSteps } = await devices.round([{}, { epochsAtMost: 1 }]);
  const first = 1 - 0.9 ** 5;
  expect(effectiveSteps).toBe(3);
  // Wang et al. 2020, equation 7: τ_eff (½ Δ₁/5 + ½ Δ₂/1)
  expect(devices.model).toBeCloseTo(3 * (first / 5 / 2 - 0.3 / 2), 6);
});
