import * as tf from "@tensorflow/tfjs-core";
import * as layers from "@tensorflow/tfjs-layers";
import type { DataSpec, ModelSpec } from "@tributary/protocol";
import {
  checkTopology,
  createTrainer,
  initialWeights,
  parameterCount,
  topologyOf,
  type WeightShape,
  weightShapes,
} from "@tributary/training";
import { expect, test } from "vitest";

const mnist: DataSpec = { kind: "images", shape: [28, 28, 1], target: "class", classes: 10 };
const small: DataSpec = { kind: "images", shape: [8, 8, 1], target: "class", classes: 3 };
const presets: ModelSpec[] = [
  { preset: "logistic" },
  { preset: "2nn" },
  { preset: "cnn" },
  { preset: "mlp", hidden: [9, 8] },
];
const sizeOf = ({ shape }: WeightShape) => shape.reduce((product, size) => product * size, 1);

test("the presets have the weight counts of McMahan et al. 2017, section 3", () => {
  expect(presets.slice(0, 3).map((model) => parameterCount(model, mnist))).toEqual([7_850, 199_210, 1_663_370]);
});

test("the flat vector's order is that of kernels and biases from input to output", () => {
  expect(weightShapes({ preset: "2nn" }, mnist)).toEqual([
    { name: "hidden_1/kernel", shape: [784, 200] },
    { name: "hidden_1/bias", shape: [200] },
    { name: "hidden_2/kernel", shape: [200, 200] },
    { name: "hidden_2/bias", shape: [200] },
    { name: "output/kernel", shape: [200, 10] },
    { name: "output/bias", shape: [10] },
  ]);
});

test.each(presets)(
  "$preset is judged alike by the trainer and by the model that its topology loads as",
  async (model) => {
    const weights = await initialWeights({ model, data: small, seed: 5 });
    await tf.setBackend("cpu");
    const loaded = await layers.models.modelFromJSON(
      JSON.parse(JSON.stringify(topologyOf(model, small))) as unknown as layers.ModelAndWeightsConfig,
    );
    const shapes = weightShapes(model, small);
    expect(loaded.weights.map((weight) => weight.originalName)).toEqual(shapes.map(({ name }) => name));
    let offset = 0;
    loaded.setWeights(
      shapes.map((shape) => {
        offset += sizeOf(shape);
        return tf.tensor(weights.slice(offset - sizeOf(shape), offset), [...shape.shape]);
      }),
    );
    const pixels = Float32Array.from({ length: 4 * 64 }, (_, i) => Math.sin(i) ** 2);
    const probabilities: number[] = Array.from(
      (loaded.predict(tf.tensor(pixels, [4, 8, 8, 1])) as tf.Tensor).dataSync(),
    );
    for (let row = 0; row < 4; row++) {
      expect(probabilities.slice(row * 3, row * 3 + 3).reduce((a, b) => a + b)).toBeCloseTo(1, 5);
    }
    const trainer = await createTrainer({ model, data: small, engine: "cpu" });
    const { lossSum } = await trainer.evaluate({
      weights,
      data: {
        examples: 4,
        shape: [8, 8, 1],
        classes: 3,
        batch(positions, features, labels) {
          positions.forEach((position, i) => {
            features.set(pixels.subarray(position * 64, position * 64 + 64), i * 64);
            labels[i] = position % 3;
          });
        },
      },
      signal: new AbortController().signal,
    });
    const expected = [0, 1, 2, 0].reduce((sum, label, row) => sum - Math.log(probabilities[row * 3 + label]!), 0);
    expect(lossSum).toBeCloseTo(expected, 4);
  },
);

test("one seed gives one initial model whatever engine is at work, another seed another", async () => {
  const draw = (seed: number) => initialWeights({ model: { preset: "2nn" }, data: mnist, seed });
  const first = await draw(0);
  await createTrainer({ model: { preset: "logistic" }, data: mnist, engine: "wasm" });
  await tf.setBackend("wasm");
  expect(await draw(0)).toEqual(first);
  expect(await draw(1)).not.toEqual(first);
});

test("initial kernels have Glorot's spread, biases are zero, and no two layers share a stream", async () => {
  const flat = await initialWeights({ model: { preset: "2nn" }, data: mnist, seed: 2 });
  let offset = 0;
  for (const shape of weightShapes({ preset: "2nn" }, mnist)) {
    const values = flat.subarray(offset, offset + sizeOf(shape));
    offset += values.length;
    if (shape.name.endsWith("bias")) {
      expect(values.every((value) => value === 0)).toBe(true);
      continue;
    }
    // Glorot and Bengio 2010: uniform within ±√(6 / (inputs + outputs)), so of variance limit² / 3.
    const limit = Math.sqrt(6 / (shape.shape[0]! + shape.shape[1]!));
    expect(values.every((value) => Math.abs(value) <= limit)).toBe(true);
    const variance = values.reduce((sum, value) => sum + value * value, 0) / values.length;
    expect(variance / ((limit * limit) / 3)).toBeGreaterThan(0.9);
    expect(variance / ((limit * limit) / 3)).toBeLessThan(1.1);
  }
  const scaled = [0, 157_000].map((start) => flat[start]! / flat[start + 1]!);
  expect(scaled[0]).not.toBeCloseTo(scaled[1]!, 5);
});

type Draft = { class_name: string; config: { layers: { class_name: string; config: Record<string, unknown> }[] } };
const changed = (change: (draft: Draft) => void): object => {
  const draft = JSON.parse(JSON.stringify(topologyOf({ preset: "mlp", hidden: [4] }, small))) as Draft;
  change(draft);
  return draft;
};
const layer = (index: number, config: Record<string, unknown>) =>
  changed((draft) => Object.assign(draft.config.layers[index]!.config, config));

test.each([
  ["a Lambda layer", changed((d) => (d.config.layers[1]!.class_name = "Lambda")), 'config.layers[1] is "Lambda"'],
  [
    "a layer named like a member of every object",
    changed((d) => (d.config.layers[1]!.class_name = "constructor")),
    "constructor",
  ],
  ["a model of another kind", changed((d) => (d.class_name = "Custom")), 'class_name is "Custom"'],
  ["an unknown setting", layer(1, { function: "() => 1" }), "config.layers[1].config (Dense): function"],
  ["a URL where a number belongs", layer(1, { units: "http://example.org" }), "units"],
  ["too wide a layer", layer(1, { units: 1e9 }), "units"],
  ["an unknown activation", layer(1, { activation: "custom" }), "activation"],
  [
    "an unknown initializer",
    layer(1, { kernel_initializer: { class_name: "Evil", config: {} } }),
    "kernel_initializer",
  ],
  ["a regularizer", layer(1, { kernel_regularizer: { class_name: "L1L2", config: { l1: 1 } } }), "kernel_regularizer"],
  ["a frozen layer", layer(1, { trainable: false }), "trainable"],
  ["an output without softmax", layer(2, { activation: "linear" }), "does not end in a softmax"],
  ["no layers", changed((d) => (d.config.layers = [])), "1 to 512 layers"],
  ["more text than a topology needs", changed((d) => Object.assign(d, { x: "x".repeat(300_000) })), "at most 262144"],
])("a topology with %s is not approved", (_, topology, detail) => {
  expect(() => topologyOf({ topology }, small)).toThrow(
    expect.objectContaining({ code: "topology_not_approved", message: expect.stringContaining(detail) }),
  );
});

test("a topology with more weights than a device should hold is refused before they are made", () => {
  const topology = changed((draft) => {
    draft.config.layers[1]!.config["units"] = 65_536;
    draft.config.layers.splice(2, 0, { class_name: "Dense", config: { name: "wide", units: 65_536 } });
  });
  expect(() => parameterCount({ topology }, small)).toThrow("more than 50000000 weights");
});

test("a topology that does not fit its data is a bad specification", () => {
  const topology = changed(() => undefined);
  expect(() => parameterCount({ topology }, mnist)).toThrow(expect.objectContaining({ code: "bad_spec" }));
  expect(() => parameterCount({ preset: "cnn" }, { kind: "table", shape: [9], target: "class", classes: 2 })).toThrow(
    expect.objectContaining({ code: "bad_spec", message: expect.stringContaining("takes images") }),
  );
});

test("a graph with a branch can be approved, drawn and trained; one with a cycle or a shared layer cannot", async () => {
  const input = layers.input({ shape: [6], name: "in" });
  const left = layers.layers
    .dense({ units: 4, activation: "relu", name: "left" })
    .apply(input) as layers.SymbolicTensor;
  const right = layers.layers.dense({ units: 4, name: "right" }).apply(input) as layers.SymbolicTensor;
  const both = layers.layers.add({ name: "both" }).apply([left, right]) as layers.SymbolicTensor;
  const output = layers.layers
    .dense({ units: 2, activation: "softmax", name: "out" })
    .apply(both) as layers.SymbolicTensor;
  const exported = JSON.parse(layers.model({ inputs: input, outputs: output }).toJSON() as unknown as string) as {
    model_config?: object;
  };
  const given = (exported.model_config ?? exported) as Draft;
  const data: DataSpec = { kind: "table", shape: [6], target: "class", classes: 2 };
  const model = { topology: given };
  expect(parameterCount(model, data)).toBe(6 * 4 + 4 + 6 * 4 + 4 + 4 * 2 + 2);
  const weights = await initialWeights({ model, data, seed: 1 });
  expect(await initialWeights({ model, data, seed: 1 })).toEqual(weights);
  const trainer = await createTrainer({ model, data, engine: "wasm" });
  expect(trainer.parameters).toBe(weights.length);
  const unnamed = structuredClone(given);
  for (const one of unnamed.config.layers) delete (one as { name?: string }).name;
  expect(parameterCount({ topology: unnamed }, data)).toBe(trainer.parameters);
  const circular = structuredClone(given);
  const sources = (circular.config.layers as unknown as { inbound_nodes: string[][][] }[])[1]!.inbound_nodes;
  sources[0]![0]![0] = "both";
  expect(() => checkTopology(circular)).toThrow("form a cycle");
  const shared = structuredClone(given);
  const last = shared.config.layers.at(-1) as unknown as { inbound_nodes: unknown[][] };
  last.inbound_nodes.push(last.inbound_nodes[0]!);
  expect(() => checkTopology(shared)).toThrow("layers are not shared");
});
