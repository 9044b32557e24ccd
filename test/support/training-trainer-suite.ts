import * as tf from "@tensorflow/tfjs-core";
import { type Dataset, seededRandom, type TrainingJob } from "@tributary/algorithm";
import type { DataSpec, ModelSpec } from "@tributary/protocol";
import { createTrainer, denseDataset, type EngineName, initialWeights, topologyOf } from "@tributary/training";
import { expect, test } from "vitest";

const data: DataSpec = { kind: "table", shape: [5], target: "class", classes: 3 };
const models: Record<string, ModelSpec> = {
  "softmax regression": { preset: "logistic" },
  "a network with two hidden layers": { preset: "mlp", hidden: [7, 6] },
};

/** The same model written as a graph, which no engine can take for a mere sequence of layers. */
function graphOf(model: ModelSpec): ModelSpec {
  const { layers } = topologyOf(model, data).config;
  const names = ["in", ...layers.map((layer) => layer.config["name"])];
  const input = { class_name: "InputLayer", config: { name: "in", batch_input_shape: [null, 5] }, inbound_nodes: [] };
  const nodes = layers.map((layer, index) => {
    const { batch_input_shape: _, ...config } = layer.config;
    return { ...layer, config, inbound_nodes: [[[names[index], 0, 0, {}]]] };
  });
  const ends = { input_layers: [["in", 0, 0]], output_layers: [[names.at(-1), 0, 0]] };
  return { topology: { class_name: "Functional", config: { name: "graph", layers: [input, ...nodes], ...ends } } };
}

/** `examples` random rows of five features in three classes. */
export function randomTable(examples: number, seed = 1): Dataset {
  const random = seededRandom(seed, "table");
  return denseDataset({
    features: Float32Array.from({ length: examples * 5 }, () => random.normal()),
    labels: Int32Array.from({ length: examples }, () => random.below(3)),
    shape: [5],
    classes: 3,
  });
}

const job = (weights: Float32Array, dataset: Dataset, changes: Partial<TrainingJob> = {}): TrainingJob => ({
  weights,
  data: dataset,
  epochs: 1,
  batchSize: 4,
  learningRate: 0.1,
  random: seededRandom(9, "order"),
  signal: new AbortController().signal,
  ...changes,
});

function furthest(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let most = 0;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i]! - b[i]!));
  return most;
}

/** How long the WebAssembly backend's memory is, if it was started; it never gets shorter. */
function heapBytes(): number {
  const backend = tf.findBackend("wasm") as { wasm?: { HEAPU8: Uint8Array } } | null;
  return backend?.wasm?.HEAPU8.byteLength ?? 0;
}

/** Everything of `dataset`, in order. */
async function everything(dataset: Dataset) {
  const features = new Float32Array(dataset.examples * 5);
  const labels = new Int32Array(dataset.examples);
  await dataset.batch(
    Uint32Array.from({ length: dataset.examples }, (_, i) => i),
    features,
    labels,
  );
  return { features, labels };
}

/** Softmax regression in double precision, by the textbook: loss, gradient and hits at `weights` over `rows`. */
function byHand(weights: ArrayLike<number>, features: Float32Array, labels: Int32Array, rows: readonly number[]) {
  const gradient = new Float64Array(18);
  let lossSum = 0;
  let correct = 0;
  for (const row of rows) {
    const x = [...features.subarray(row * 5, row * 5 + 5)];
    const logits = [0, 1, 2].map((k) =>
      x.reduce((sum, value, i) => sum + value * weights[i * 3 + k]!, weights[15 + k]!),
    );
    const norm = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
    lossSum += Math.log(norm) - logits[labels[row]!]!;
    if (logits.indexOf(Math.max(...logits)) === labels[row]) correct++;
    for (let k = 0; k < 3; k++) {
      const difference = Math.exp(logits[k]!) / norm - (k === labels[row] ? 1 : 0);
      x.forEach((value, i) => {
        gradient[i * 3 + k]! += (difference * value) / rows.length;
      });
      gradient[15 + k]! += difference / rows.length;
    }
  }
  return { gradient, lossSum, correct };
}

/**
 * What every engine must do, with a sequence of layers and with a graph, however its trainers are made; call once for each
 * in a test file.
 */
export function trainerSuite(
  engine: EngineName,
  form: "sequence" | "graph",
  create: typeof createTrainer = createTrainer,
): void {
  const make = (model: ModelSpec) => create({ model: form === "graph" ? graphOf(model) : model, data, engine });
  const start = (model: ModelSpec) => initialWeights({ model, data, seed: 3 });
  const logistic = models["softmax regression"]!;

  for (const [name, model] of Object.entries(models)) {
    test(`${engine}: one step of ${name} agrees with plain JavaScript`, async () => {
      const weights = await start(model);
      const dataset = randomTable(8);
      const own = await (await make(model)).train(job(weights, dataset, { batchSize: 8 }));
      const plain = await createTrainer({ model, data, engine: "cpu" });
      const reference = await plain.train(job(weights, dataset, { batchSize: 8 }));
      expect(furthest(own.weights, weights)).toBeGreaterThan(1e-3);
      expect(furthest(own.weights, reference.weights)).toBeLessThan(1e-5);
    });
  }

  test(`${engine}: a step of softmax regression is the textbook's`, async () => {
    const weights = await start(logistic);
    const dataset = randomTable(6);
    const result = await (await make(logistic)).train(job(weights, dataset, { batchSize: Number.POSITIVE_INFINITY }));
    const { features, labels } = await everything(dataset);
    const { gradient, lossSum } = byHand(weights, features, labels, [0, 1, 2, 3, 4, 5]);
    expect(result.steps).toBe(1);
    expect(result.loss).toBeCloseTo(lossSum / 6, 5);
    expect(
      furthest(
        result.weights,
        gradient.map((slope, i) => weights[i]! - 0.1 * slope),
      ),
    ).toBeLessThan(1e-6);
  });

  test(`${engine}: an epoch takes every example once, the last batch smaller`, async () => {
    const dataset = randomTable(10);
    const { features, labels } = await everything(dataset);
    const weights = await start(logistic);
    const lengths: number[] = [];
    const watched: Dataset = {
      ...dataset,
      batch: (positions, into, intoLabels) => {
        lengths.push(positions.length);
        return dataset.batch(positions, into, intoLabels);
      },
    };
    const result = await (await make(logistic)).train(job(weights, watched));
    expect(lengths).toEqual([4, 4, 2]);
    const order = [...seededRandom(9, "order").permutation(10)];
    let expected = Float64Array.from(weights);
    let loss = 0;
    for (const rows of [order.slice(0, 4), order.slice(4, 8), order.slice(8)]) {
      const { gradient, lossSum } = byHand(expected, features, labels, rows);
      loss += lossSum / 10;
      expected = expected.map((weight, i) => weight - 0.1 * gradient[i]!);
    }
    expect(furthest(result.weights, expected)).toBeLessThan(1e-5);
    expect(result.loss).toBeCloseTo(loss, 5);
    expect(result.steps).toBe(3);
  });

  test(`${engine}: a batch too long for one stretch of work gives the same step`, async () => {
    // So many weights allow no more than some examples at a time; `part` of them go at once.
    const [first, second, rows, part] = engine === "cpu" ? [3000, 300, 9, 1] : [2000, 2400, 34, 17];
    const wide: ModelSpec = { preset: "mlp", hidden: [first, second] };
    const dataset = randomTable(rows);
    const weights = await start(wide);
    const calls: number[] = [];
    const watched: Dataset = {
      ...dataset,
      batch: (positions, into, intoLabels) => {
        calls.push(positions.length);
        return dataset.batch(positions, into, intoLabels);
      },
    };
    const trainer = await make(wide);
    const whole = await trainer.train(job(weights, watched, { batchSize: Number.POSITIVE_INFINITY }));
    expect(whole.steps).toBe(1);
    expect(calls.length).toBeGreaterThan(1);
    // The mean of the parts' gradients, each had as the difference that one step in one stretch makes.
    const mean = new Float64Array(weights.length);
    for (let from = 0; from < rows; from += part) {
      calls.length = 0;
      const one: Dataset = {
        ...watched,
        examples: part,
        batch: (positions, x, y) =>
          watched.batch(
            positions.map((position) => from + position),
            x,
            y,
          ),
      };
      const { weights: stepped } = await trainer.train(job(weights, one, { batchSize: part, learningRate: 1 }));
      expect(calls).toEqual([part]);
      for (let i = 0; i < mean.length; i++) mean[i]! += ((stepped[i]! - weights[i]!) * part) / rows;
    }
    expect(
      furthest(
        whole.weights,
        mean.map((change, i) => weights[i]! + 0.1 * change),
      ),
    ).toBeLessThan(1e-5);
  });

  test(`${engine}: steps follow the gradient with a correction and a pull to the start`, async () => {
    const weights = await start(logistic);
    const dataset = randomTable(10);
    const { features, labels } = await everything(dataset);
    const correction = weights.map((_, i) => 0.3 * Math.sin(i));
    const trainer = await make(logistic);
    const local = { proximal: 2, correction, epochs: 2 };
    const { weights: found } = await trainer.train(job(weights, dataset, local));
    const random = seededRandom(9, "order");
    const orders = [0, 1].map(() => [...random.permutation(10)]);
    const expected = { plain: Float64Array.from(weights), local: Float64Array.from(weights) };
    for (const order of orders) {
      for (const rows of [order.slice(0, 4), order.slice(4, 8), order.slice(8)]) {
        const plain = byHand(expected.plain, features, labels, rows).gradient;
        const own = byHand(expected.local, features, labels, rows).gradient;
        expected.plain = expected.plain.map((weight, i) => weight - 0.1 * plain[i]!);
        expected.local = expected.local.map(
          (weight, i) => weight - 0.1 * (own[i]! + correction[i]! + 2 * (weight - weights[i]!)),
        );
      }
    }
    expect(furthest(found, expected.local)).toBeLessThan(1e-5);
    // The next job has an objective of its own.
    const next = await trainer.train(job(weights, dataset, { epochs: 2 }));
    expect(furthest(next.weights, expected.plain)).toBeLessThan(1e-5);
  });

  test(`${engine}: the gradient over all examples is the textbook's`, async () => {
    const weights = await start(logistic);
    const dataset = randomTable(500);
    const { features, labels } = await everything(dataset);
    const rows = Array.from({ length: 500 }, (_, i) => i);
    const { signal } = new AbortController();
    const found = await (await make(logistic)).gradient({ weights, data: dataset, signal });
    const { gradient, lossSum } = byHand(weights, features, labels, rows);
    expect(furthest(found.gradient, gradient)).toBeLessThan(1e-6);
    expect(found.loss).toBeCloseTo(lossSum / 500, 5);
  });

  test(`${engine}: one seed gives one result, another seed another, and the given weights stay`, async () => {
    const trainer = await make(models["a network with two hidden layers"]!);
    const weights = await start(models["a network with two hidden layers"]!);
    const before = weights.slice();
    const train = (seed: number) =>
      trainer.train(job(weights, randomTable(30), { epochs: 2, random: seededRandom(seed, "order") }));
    const [first, again, other] = await Promise.all([train(1), train(1), train(2)]);
    expect(again.weights).toEqual(first.weights);
    expect(again.loss).toBe(first.loss);
    expect(furthest(other.weights, first.weights)).toBeGreaterThan(1e-4);
    expect(weights).toEqual(before);
  });

  test(`${engine}: an abort ends training at the next batch, and the trainer stays usable`, async () => {
    const trainer = await make(logistic);
    const weights = await start(logistic);
    const stop = new AbortController();
    let batches = 0;
    const training = trainer.train(
      job(weights, randomTable(40), {
        signal: stop.signal,
        onProgress: ({ batch }) => {
          batches = batch;
          if (batch === 3) stop.abort(new Error("the round is over"));
        },
      }),
    );
    await expect(training).rejects.toThrow("the round is over");
    expect(batches).toBe(3);
    expect((await trainer.train(job(weights, randomTable(8)))).steps).toBe(2);
  });

  test(`${engine}: divergence is refused with its figures`, async () => {
    const trainer = await make(models["a network with two hidden layers"]!);
    const weights = await start(models["a network with two hidden layers"]!);
    const training = trainer.train(job(weights, randomTable(40), { learningRate: 1e20, epochs: 5 }));
    await expect(training).rejects.toMatchObject({
      code: "training_diverged",
      message: expect.stringMatching(/batch \d+ of 10, epoch \d of 5 \(learning rate 100000000000000000000/),
    });
  });

  test(`${engine}: a last step into infinity is refused although no loss saw it`, async () => {
    const trainer = await make(logistic);
    const training = trainer.train(job(await start(logistic), randomTable(4), { learningRate: 1e39 }));
    await expect(training).rejects.toMatchObject({
      code: "training_diverged",
      message: expect.stringMatching(/^Weight \d+ became/),
    });
  });

  test(`${engine}: logits of any size give a finite, exact loss`, async () => {
    const weights = (await start(logistic)).fill(0);
    weights[15] = 500;
    const one = denseDataset({ features: new Float32Array(5), labels: Int32Array.of(1), shape: [5], classes: 3 });
    const { loss } = await (await make(logistic)).train(job(weights, one));
    expect(loss).toBe(500);
  });

  test(`${engine}: judging sums what a direct computation sums`, async () => {
    const weights = await start(logistic);
    const dataset = randomTable(500);
    const { features, labels } = await everything(dataset);
    const direct = byHand(
      weights,
      features,
      labels,
      Array.from({ length: 500 }, (_, i) => i),
    );
    const { signal } = new AbortController();
    const judged = await (await make(logistic)).evaluate({ weights, data: dataset, signal });
    expect(judged.examples).toBe(500);
    expect(judged.correct).toBe(direct.correct);
    expect(judged.lossSum / direct.lossSum).toBeCloseTo(1, 5);
  });

  test(`${engine}: data that does not fit, is empty or is mislabelled is refused`, async () => {
    const trainer = await make(logistic);
    const weights = await start(logistic);
    const labelled = (label: number) =>
      denseDataset({ features: new Float32Array(10), labels: Int32Array.of(0, label), shape: [5], classes: 3 });
    for (const label of [3, -1]) {
      await expect(trainer.train(job(weights, labelled(label)))).rejects.toMatchObject({
        code: "bad_data",
        message: `Example 1 is labelled ${label}; the labels of 3 classes are 0 to 2. Correct or leave out that example.`,
      });
    }
    const empty = denseDataset({ features: new Float32Array(0), labels: new Int32Array(0), shape: [5], classes: 3 });
    await expect(trainer.train(job(weights, empty))).rejects.toMatchObject({ code: "bad_data" });
    const other = denseDataset({ features: new Float32Array(4), labels: Int32Array.of(0), shape: [4], classes: 2 });
    await expect(trainer.train(job(weights, other))).rejects.toMatchObject({
      code: "data_mismatch",
      message: "examples of 4 with 2 classes found; the run asks for a table with rows of 5 with 3 classes.",
    });
  });

  test(`${engine}: three hundred jobs, some of them aborted, keep tensors and memory as they were`, async () => {
    const wide: ModelSpec = { preset: "mlp", hidden: [1500, 450] };
    const dataset = randomTable(32);
    const subjects = await Promise.all(
      [logistic, wide].map(async (model) => ({ trainer: await make(model), weights: await start(model) })),
    );
    const work = async (subject: (typeof subjects)[number], aborted: boolean) => {
      const stop = new AbortController();
      const reads: Dataset = {
        ...dataset,
        batch: (...to) => {
          if (aborted) stop.abort();
          return dataset.batch(...to);
        },
      };
      const { trainer, weights } = subject;
      const batchSize = Number.POSITIVE_INFINITY;
      const ended = await trainer.train(job(weights, reads, { batchSize, signal: stop.signal })).catch(() => "aborted");
      expect(ended === "aborted").toBe(aborted);
      await trainer.evaluate({ weights, data: dataset, signal: new AbortController().signal });
    };
    for (const subject of subjects) await work(subject, false);
    const held = () => {
      const { numTensors, numBytes } = tf.memory();
      return { numTensors, numBytes, heapBytes: heapBytes() };
    };
    const before = held();
    for (let i = 0; i < 300; i++) await work(subjects[i % 50 === 0 ? 1 : 0]!, i % 2 === 0);
    expect(held()).toEqual(before);
  });

  test(`${engine}: the event loop gets its turn while training goes on`, async () => {
    const model: ModelSpec = { preset: "mlp", hidden: [300] };
    const trainer = await make(model);
    const weights = await start(model);
    let turns = 0;
    let training = true;
    const count = () => {
      turns++;
      if (training) setImmediate(count);
    };
    await trainer.train(
      job(weights, randomTable(2000), {
        epochs: 3,
        batchSize: 2,
        onProgress: ({ epoch, batch }) => {
          if (epoch === 1 && batch === 1) setImmediate(count);
        },
      }),
    );
    training = false;
    expect(turns).toBeGreaterThan(0);
  });
}
