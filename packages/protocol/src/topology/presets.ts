import { ProtocolError } from "../errors.ts";
import type { DataSpec, ModelSpec } from "../run-spec.ts";
import { matrixFactorization } from "./matrix-factorization.ts";
import type { Json, LayerTopology, Topology } from "./topology.ts";

type Preset = Exclude<ModelSpec, { topology: unknown }>;

/**
 * `logistic`: softmax regression, and linear regression where the target is a number. `2nn`, `cnn`: McMahan et al. 2017, section 3 (199,210 and 1,663,370 weights for
 * 28 × 28 × 1 and 10 classes). `mlp`: fully connected ReLU layers of the given widths. `char-gru`: the next
 * character from those before it, by an embedding and a gated recurrent unit (Cho et al. 2014). `matrix-factorization`: a
 * rating as the product of a user's and an item's factors, with biases (Koren et al. 2009).
 */
export function presetTopology(model: Preset, data: DataSpec): Topology {
  if (model.preset === "matrix-factorization") return matrixFactorization(model.factors, data);
  const head = dense("output", outputsOf(data), data.target === "number" ? "linear" : "softmax");
  return sequential(model.preset, [...bodyOf(model, data), head], data);
}

/** The values that a model's output has. */
export const outputsOf = ({ target, classes }: DataSpec) => (target === "number" ? 1 : classes);

function bodyOf(model: Exclude<Preset, { preset: "matrix-factorization" }>, data: DataSpec): LayerTopology[] {
  switch (model.preset) {
    case "logistic":
      return flatten(data);
    case "2nn":
      return [...flatten(data), dense("hidden_1", 200, "relu"), dense("hidden_2", 200, "relu")];
    case "mlp":
      return [...flatten(data), ...model.hidden.map((units, i) => dense(`hidden_${i + 1}`, units, "relu"))];
    case "char-gru":
      if (data.kind !== "text") {
        throw new ProtocolError("bad_spec", `The preset "char-gru" takes text; the run's data is ${data.kind}.`);
      }
      return [
        layer("Embedding", "characters", { input_dim: data.classes, output_dim: model.embedding }),
        layer("GRU", "memory", { units: model.units, reset_after: false, recurrent_initializer: glorot }),
      ];
    case "cnn":
      if (data.kind !== "images" || data.shape.length < 2 || data.shape.length > 3) {
        throw new ProtocolError(
          "bad_spec",
          `The preset "cnn" takes images of height × width (× channels); the run's data is ${data.kind} of shape ` +
            `${data.shape.join("×")}. Choose "logistic", "2nn" or "mlp".`,
        );
      }
      return [
        ...(data.shape.length === 2 ? [layer("Reshape", "channel", { target_shape: [...data.shape, 1] })] : []),
        ...convolution(1, 32),
        ...convolution(2, 64),
        layer("Flatten", "flatten"),
        dense("hidden_1", 512, "relu"),
      ];
  }
}

function convolution(index: number, filters: number): LayerTopology[] {
  return [
    layer("Conv2D", `convolution_${index}`, {
      filters,
      kernel_size: [5, 5],
      strides: [1, 1],
      padding: "same",
      activation: "relu",
      ...initializers,
    }),
    layer("MaxPooling2D", `pool_${index}`, { pool_size: [2, 2], strides: [2, 2], padding: "valid" }),
  ];
}

const glorot = { class_name: "GlorotUniform", config: { seed: null } };
const initializers = {
  kernel_initializer: glorot,
  bias_initializer: { class_name: "Zeros", config: {} },
};

const dense = (name: string, units: number, activation: string) =>
  layer("Dense", name, { units, activation, use_bias: true, ...initializers });

const flatten = (data: DataSpec) => (data.shape.length > 1 ? [layer("Flatten", "flatten")] : []);

const layer = (className: string, name: string, config: { [key: string]: Json } = {}): LayerTopology => ({
  class_name: className,
  config: { name, trainable: true, ...config },
});

function sequential(name: string, layers: LayerTopology[], data: DataSpec): Topology {
  const input = { batch_input_shape: [null, ...data.shape], dtype: "float32" };
  const [first, ...rest] = layers as [LayerTopology, ...LayerTopology[]];
  return {
    class_name: "Sequential",
    config: { name, layers: [{ ...first, config: { ...first.config, ...input } }, ...rest] },
  };
}
