import { type Dataset, seededRandom } from "@tributary/algorithm";
import { type DataSpec, type ModelSpec, ProtocolError } from "@tributary/protocol";
import { createTrainer, initialWeights } from "@tributary/training";
import { TrainerPool } from "@tributary/training/node";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { randomTable, trainerSuite } from "../support/training-trainer-suite.ts";

const pool = (threads: number) => {
  const made = new TrainerPool({ engine: "wasm", threads });
  onTestFinished(() => made.close());
  return made;
};

describe("wasm on threads", () => {
  const shared = new TrainerPool({ engine: "wasm", threads: 2 });
  afterAll(() => shared.close());
  trainerSuite("wasm", "sequence", (wanted) => shared.trainer(wanted));
});

const data: DataSpec = { kind: "table", shape: [5], classes: 3, target: "class" };
const model: ModelSpec = { preset: "mlp", hidden: [40] };
const { signal } = new AbortController();
const job = (weights: Float32Array, index: number, dataset: Dataset = randomTable(50 + index, index)) => ({
  ...{ weights, data: dataset, epochs: 2, batchSize: 8, learningRate: 0.1, signal },
  ...{ proximal: 0.1 * index, correction: new Float32Array(weights.length).fill(0.01 * index) },
  random: seededRandom(index, "order"),
});

test("five devices' jobs give the same bits on one thread, on three, and without threads", async () => {
  const weights = await initialWeights({ model, data, seed: 1 });
  const alone = await createTrainer({ model, data, engine: "wasm" });
  const expected = [];
  for (let i = 0; i < 5; i++) expected.push(await alone.train(job(weights, i)));
  for (const threads of [1, 3]) {
    const trainer = await pool(threads).trainer({ model, data });
    const results = await Promise.all(expected.map((_, i) => trainer.train(job(weights, i))));
    expect(results).toEqual(expected);
  }
});

test("as many jobs as there are threads are under way at the same time", async () => {
  const trainer = await pool(2).trainer({ model, data });
  const weights = await initialWeights({ model, data, seed: 1 });
  let begun = 0;
  let meet = () => {};
  const both = new Promise<void>((resolve) => {
    meet = resolve;
  });
  // Neither job reads its first examples before the other has asked for its own.
  const patient = (table: Dataset): Dataset => ({
    ...table,
    async batch(...to) {
      if (++begun === 2) meet();
      await both;
      await table.batch(...to);
    },
  });
  const jobs = [1, 2].map((i) => trainer.train(job(weights, i, patient(randomTable(8)))));
  expect((await Promise.all(jobs)).map(({ steps }) => steps)).toEqual([2, 2]);
});

test("what a dataset throws comes through, and the thread goes on", async () => {
  const trainer = await pool(1).trainer({ model, data });
  const weights = await initialWeights({ model, data, seed: 1 });
  const table = randomTable(8);
  const torn: Dataset = {
    ...table,
    batch: () => {
      throw new ProtocolError("bad_data", "row 3: the file ends in the middle of it");
    },
  };
  await expect(trainer.train(job(weights, 1, torn))).rejects.toMatchObject({
    code: "bad_data",
    message: "row 3: the file ends in the middle of it",
  });
  expect((await trainer.train(job(weights, 1, table))).steps).toBe(2);
});

test("a model that no device builds is refused as without threads", async () => {
  const topology = {
    class_name: "Sequential",
    config: { name: "code", layers: [{ class_name: "Lambda", config: {} }] },
  };
  await expect(pool(1).trainer({ model: { topology }, data })).rejects.toMatchObject({ code: "topology_not_approved" });
});

test("an engine that uses every core by itself gets no threads", () => {
  expect(() => new TrainerPool({ engine: "tensorflow", threads: 2 })).toThrow(/uses the whole machine by itself/);
});
