import type { Dataset, Trainer, TrainingJob } from "@tributary/algorithm";
import { type SimulatedRound, simulate } from "@tributary/simulation";
import fc from "fast-check";
import { assert, expect, test } from "vitest";
import { clusters, softmaxTrainer } from "../support/participant-softmax.ts";
import { clientsNamed, specOf } from "../support/specs.ts";

/** Any small federation: how much data each device has, how it fails, whom a round asks and what it needs. */
const federations = fc
  .record({
    examples: fc.array(fc.integer({ min: 2, max: 20 }), { minLength: 1, maxLength: 8 }),
    seed: fc.integer({ min: 0, max: 2 ** 32 }),
    dropRate: fc.double({ min: 0, max: 0.5, noNaN: true }),
    sizeShare: fc.double({ min: 0, max: 1, noNaN: true }),
    minimumShare: fc.double({ min: 0, max: 1, noNaN: true }),
    overSelect: fc.constantFrom(1, 1.3, 2),
    trainMs: fc.integer({ min: 5, max: 60 }),
    rounds: fc.integer({ min: 1, max: 4 }),
  })
  .map(({ sizeShare, minimumShare, ...rest }) => {
    const size = 1 + Math.floor(sizeShare * (rest.examples.length - 1));
    return { ...rest, size, minimum: 1 + Math.floor(minimumShare * (size - 1)) };
  });

test("whoever drops, straggles or is left over, each model is the survivors' weighted mean, each counted once", async () => {
  await fc.assert(
    fc.asyncProperty(federations, async ({ examples, seed, dropRate, size, minimum, overSelect, trainMs, rounds }) => {
      const devices = examples.map(clusters);
      const initial = Float32Array.from({ length: 6 }, (_, i) => Math.sin(seed + i));
      const trained = new Recorder(devices);
      const committed: SimulatedRound[] = [];
      const result = await simulate({
        spec: specOf({
          seed,
          algorithm: { name: "fedavg", learningRate: 0.5, batchSize: 4 },
          cohort: { size, minimum, overSelect },
          deadlines: { joinMs: 1_000, trainMs, stepMs: 1_000 },
          stop: { rounds, maxMinutes: 5 },
        }),
        devices,
        trainer: trained.trainer,
        initialModel: initial.slice(),
        dropRate,
        // One virtual millisecond an example, more or less: some are late for the deadline.
        workMs: (_device, data, random) => data.examples * (0.5 + 3 * random.uniform()),
        onRound: (round) => committed.push(round),
      });

      const names = clientsNamed(devices.length);
      let model: Float32Array = initial;
      for (const [i, { round, cohort, survivors }] of committed.entries()) {
        expect(round).toBe(i + 1);
        expect(new Set(survivors).size).toBe(survivors.length);
        expect(cohort).toEqual(expect.arrayContaining([...survivors]));
        expect(survivors.length).toBeGreaterThanOrEqual(minimum);
        expect(cohort.length).toBeLessThanOrEqual(Math.ceil(size * overSelect));
        model = trained.mean(
          model,
          survivors.map((client) => names.indexOf(client)),
        );
      }
      expect(result.rounds).toBe(committed.length);
      expect(result.outcome).toBe("finished");
      if (result.reason !== "5 minutes are over") expect(result.rounds).toBe(rounds);
      assert(result.model instanceof Float32Array);
      expect(distance(result.model, model)).toBeLessThan(1e-5);
    }),
    { numRuns: 150 },
  );
});

/** Remembers what each device made of each model it was given. */
class Recorder {
  readonly trainer: Trainer;
  readonly #devices: readonly Dataset[];
  readonly #results: { readonly device: number; readonly from: Float32Array; readonly to: Float32Array }[] = [];

  constructor(devices: readonly Dataset[]) {
    this.#devices = devices;
    const { engine, parameters } = softmaxTrainer(clusters(2));
    this.trainer = {
      engine,
      parameters,
      train: async (job: TrainingJob) => {
        const result = await softmaxTrainer(job.data).train(job);
        const { weights: from, data } = job;
        this.#results.push({ device: devices.indexOf(data), from: from.slice(), to: result.weights });
        return result;
      },
      gradient: (input) => softmaxTrainer(input.data).gradient(input),
      evaluate: (input) => softmaxTrainer(input.data).evaluate(input),
    };
  }

  /** McMahan et al. 2017, algorithm 1: Σ (n_k / n) w_k over these devices, each having started from `model`. */
  mean(model: Float32Array, survivors: readonly number[]): Float32Array {
    const total = survivors.reduce((sum, device) => sum + this.#devices[device]!.examples, 0);
    return model.map((_, i) =>
      survivors.reduce((sum, device) => {
        // The last one: a later attempt on the same model replaces what an abandoned one has given.
        const result = this.#results.findLast((one) => one.device === device && distance(one.from, model) < 1e-5);
        if (result === undefined) throw new Error(`device ${device} never trained from this model`);
        return sum + (this.#devices[device]!.examples / total) * result.to[i]!;
      }, 0),
    );
  }
}

/** The greatest difference of two weights: the mean worked out here may differ from the machine's in its last bits. */
function distance(a: Float32Array, b: Float32Array): number {
  return a.reduce((greatest, weight, i) => Math.max(greatest, Math.abs(weight - b[i]!)), 0);
}
