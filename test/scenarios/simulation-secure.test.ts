import { type Dataset, seededRandom } from "@tributary/algorithm";
import type { ModelSpec } from "@tributary/protocol";
import { type SimulationOptions, simulate } from "@tributary/simulation";
import { createTrainer, denseDataset, initialWeights } from "@tributary/training";
import { expect, test } from "vitest";
import { specOf } from "../support/specs.ts";

/** Two noisy blobs, `examples` points of them. */
function blobs(examples: number, name: string): Dataset {
  const random = seededRandom(1, name);
  const labels = Int32Array.from({ length: examples }, (_, i) => i % 2);
  const features = Float32Array.from(
    { length: 2 * examples },
    (_, i) => (labels[i >> 1] === 0 ? -1 : 1) + random.normal(),
  );
  return denseDataset({ features, labels, shape: [2], classes: 2 });
}

async function options(devices: number, changes: Record<string, unknown>): Promise<SimulationOptions> {
  const model: ModelSpec = { preset: "logistic" };
  const spec = specOf({ cohort: { size: devices, minimum: 3, overSelect: 1 }, ...changes, model });
  const { data, seed } = spec;
  return {
    spec,
    devices: Array.from({ length: devices }, (_, i) => blobs(40, `device ${i}`)),
    trainer: await createTrainer({ model, data, engine: "cpu" }),
    initialModel: await initialWeights({ model, data, seed }),
  };
}

const secure = { secureAggregation: "required", secure: { weightCap: 40 } };

test("a secure run's model is the plain run's, within what rounding allows", async () => {
  const stop = { rounds: 1 };
  const plain = await simulate(await options(5, { secureAggregation: "none", stop }));
  const masked = await simulate(await options(5, { ...secure, stop }));
  // Stochastic rounding to 16 bits of ±0.5: each device's error is below one level, and so is the mean's.
  const level = 0.5 / (2 ** 15 - 1);
  const worst = Math.max(...masked.model.map((weight, i) => Math.abs(weight - plain.model[i]!)));
  expect(worst).toBeLessThan(level + 1e-6);
  expect(worst).toBeGreaterThan(0);
});

test("two secure simulations of one seed are the same, byte for byte, and of another seed not", async () => {
  const run = async (seed: number) => (await simulate(await options(4, { ...secure, seed }))).modelSha256;
  expect(await run(3)).toBe(await run(3));
  expect(await run(4)).not.toBe(await run(3));
});

test("a secure run evaluates on clients without showing any one's figures", async () => {
  const result = await simulate(await options(4, { ...secure, evaluation: { on: "clients" } }));
  expect(result.metrics["examples"]).toBe(160);
  expect(result.metrics["accuracy"]).toBeGreaterThan(0.5);
});

test("three devices complete when none leaves", async () => {
  const result = await simulate(await options(3, secure));
  expect(result).toMatchObject({ outcome: "finished", rounds: 3 });
});

test("a secure run goes on through dropouts in every step, and its rounds name the survivors", async () => {
  const cohorts: number[] = [];
  const result = await simulate({
    ...(await options(10, { ...secure, stop: { rounds: 4 }, seed: 5 })),
    dropRate: 0.03,
    onRound: ({ survivors }) => cohorts.push(survivors.length),
  });
  expect(result, result.reason).toMatchObject({ outcome: "finished", rounds: 4 });
  expect(Math.min(...cohorts)).toBeLessThan(10);
});

test("a run whose shares are lost after the survivors were fixed fails, and says that it can never be finished", async () => {
  const result = await simulate({
    ...(await options(3, { ...secure, stop: { rounds: 500 }, seed: 11 })),
    dropRate: 0.01,
  });
  expect(result.outcome).toBe("failed");
  expect(result.reason).toMatch(/can never be finished.*go on from its model in a new run/);
});

test("devices whose weights differ count by their examples, up to the cap", async () => {
  // More steps move the weights further: a wider clip.
  const algorithm = { name: "fedavg", learningRate: 0.1, clip: 4 };
  const setting = await options(3, { ...secure, algorithm, secure: { weightCap: 120 }, stop: { rounds: 1 } });
  const devices = [blobs(120, "a"), blobs(60, "b"), blobs(30, "c")];
  const plain = await simulate({
    ...(await options(3, { secureAggregation: "none", stop: { rounds: 1 } })),
    devices,
  });
  const masked = await simulate({ ...setting, devices });
  // Weights 16, 8 and 4 of 16: exact, so only the values are rounded.
  const worst = Math.max(...masked.model.map((weight, i) => Math.abs(weight - plain.model[i]!)));
  expect(worst).toBeLessThan(4 / (2 ** 15 - 1) + 1e-6);
});
