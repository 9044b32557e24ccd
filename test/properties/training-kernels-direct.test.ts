import { type Dataset, seededRandom } from "@tributary/algorithm";
import type { DataSpec, ModelSpec } from "@tributary/protocol";
import { createTrainer, denseDataset, type EngineName, parameterCount, weightShapes } from "@tributary/training";
import fc from "fast-check";
import { expect, test } from "vitest";

// Sequences of these layers are trained without TensorFlow.js's operations. Plain JavaScript is what they must agree with.
//
// Pixels and weights are multiples of 1/4, so that every sum on the way forward is exact: no rounding tips a rectifier or
// picks another of two equal values in a pool. What is left are the roundings of the way back.

const upTo = (max: number) => fc.integer({ min: 1, max });
const padding = fc.constantFrom("same", "valid");
const activation = fc.constantFrom("relu", "linear");
const convolution = fc.record({
  class_name: fc.constant("Conv2D"),
  config: fc.record({
    filters: upTo(9),
    kernel_size: fc.tuple(upTo(4), upTo(4)),
    strides: fc.tuple(upTo(3), upTo(3)),
    padding,
    activation,
    use_bias: fc.boolean(),
  }),
});
const pool = fc.record({
  class_name: fc.constant("MaxPooling2D"),
  config: fc.record({
    pool_size: fc.tuple(upTo(3), upTo(3)),
    strides: fc.tuple(upTo(3), upTo(3)),
    padding,
  }),
});
const rectifier = fc.constantFrom(
  { class_name: "ReLU", config: {} },
  { class_name: "Activation", config: { activation: "relu" } },
);
const dense = fc.record({
  class_name: fc.constant("Dense"),
  config: fc.record({ units: upTo(12), activation, use_bias: fc.boolean() }),
});
const models = fc.record({
  seed: fc.nat(),
  shape: fc.tuple(fc.integer({ min: 4, max: 9 }), fc.integer({ min: 4, max: 9 }), upTo(3)),
  classes: fc.integer({ min: 2, max: 11 }),
  body: fc.array(fc.oneof(convolution, pool, rectifier, dense), { maxLength: 3 }),
  head: fc.array(dense, { maxLength: 2 }),
  batch: upTo(13),
});
type Model = typeof models extends fc.Arbitrary<infer One> ? One : never;

function described({ body, head, classes, shape }: Model): { model: ModelSpec; data: DataSpec } {
  const layers = [
    ...body,
    { class_name: "Flatten", config: {} },
    ...head,
    { class_name: "Dense", config: { units: classes, activation: "softmax" } },
  ].map((layer, index) => ({
    ...layer,
    config: {
      ...layer.config,
      name: `layer_${index}`,
      ...(index === 0 ? { batch_input_shape: [null, ...shape] } : {}),
    },
  }));
  return {
    model: { topology: { class_name: "Sequential", config: { name: "random", layers } } },
    data: { kind: "images", shape: [...shape], target: "class", classes },
  };
}

/** Quarters between −1 and 1. */
const quarters = (length: number, seed: number) => {
  const random = seededRandom(seed, "quarters");
  return Float32Array.from({ length }, () => (random.below(9) - 4) / 4);
};

function examples(model: Model): Dataset {
  const { shape, classes, batch, seed } = model;
  const random = seededRandom(seed, "labels");
  return denseDataset({
    features: quarters(batch * shape[0] * shape[1] * shape[2], seed),
    labels: Int32Array.from({ length: batch }, () => random.below(classes)),
    shape: [...shape],
    classes,
  });
}

const buildable = models.filter((model) => {
  try {
    const { model: spec, data } = described(model);
    // A window larger than what is left of the image gives nothing, and the next kernel has no rows.
    return weightShapes(spec, data).every(({ shape }) => !shape.includes(0));
  } catch {
    return false;
  }
});

test("a step of any sequence of these layers is plain JavaScript's", async () => {
  await fc.assert(
    fc.asyncProperty(buildable, async (model) => {
      const { model: spec, data } = described(model);
      const dataset = examples(model);
      const weights = quarters(parameterCount(spec, data), model.seed + 1).map((weight) => weight / 2);
      const step = async (engine: EngineName) => {
        const trainer = await createTrainer({ model: spec, data, engine });
        const { signal } = new AbortController();
        const job = { weights, data: dataset, epochs: 1, batchSize: 13, learningRate: 0.5, signal };
        const trained = await trainer.train({ ...job, random: seededRandom(1, "order") });
        return { ...trained, judged: await trainer.evaluate({ weights, data: dataset, signal }) };
      };
      const [own, plain] = await Promise.all([step("wasm"), step("cpu")]);
      expect((await step("wasm")).weights).toEqual(own.weights);
      expect(Math.abs(own.loss - plain.loss)).toBeLessThan(1e-5 * (1 + plain.loss));
      expect(own.judged.correct).toBe(plain.judged.correct);
      let [furthest, largest] = [0, 0];
      own.weights.forEach((weight, i) => {
        furthest = Math.max(furthest, Math.abs(weight - plain.weights[i]!));
        largest = Math.max(largest, Math.abs(plain.weights[i]! - weights[i]!));
      });
      // A gradient is a sum of at most some thousand products, each rounded to 2⁻²⁴; a weight near 1 to 2⁻²⁴ of itself.
      expect(furthest).toBeLessThan(2e-5 * largest + 5e-7);
    }),
    { numRuns: 100 },
  );
});
