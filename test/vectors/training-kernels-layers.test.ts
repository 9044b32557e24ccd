import { seededRandom } from "@tributary/algorithm";
import type { DataSpec, ModelSpec } from "@tributary/protocol";
import { createTrainer, denseDataset, type EngineName, initialWeights } from "@tributary/training";
import { expect, test } from "vitest";

const data: DataSpec = { kind: "images", shape: [6, 6, 2], target: "class", classes: 3 };
const random = seededRandom(1, "pixels");
const dataset = denseDataset({
  features: Float32Array.from({ length: 4 * 72 }, () => random.normal()),
  labels: Int32Array.of(0, 1, 2, 1),
  shape: [6, 6, 2],
  classes: 3,
});

type Layer = [className: string, config?: object];
const rows: Layer = ["Reshape", { target_shape: [6, 12] }];
const layers: Record<string, Layer[]> = {
  Dense: [["Dense", { units: 4 }]],
  Conv1D: [rows, ["Conv1D", { filters: 3, kernel_size: [3], padding: "same" }]],
  Conv2D: [["Conv2D", { filters: 3, kernel_size: [3, 2], strides: [2, 1] }]],
  DepthwiseConv2D: [["DepthwiseConv2D", { kernel_size: [3, 3], depth_multiplier: 2 }]],
  SeparableConv2D: [["SeparableConv2D", { filters: 5, kernel_size: [3, 3] }]],
  ...Object.fromEntries(
    "linear relu relu6 elu selu softplus softsign tanh sigmoid softmax"
      .split(" ")
      .map((activation) => [
        `Activation ${activation}`,
        [
          ...(activation === "softmax" ? [["Flatten"] satisfies Layer] : []),
          ["Activation", { activation }],
        ] satisfies Layer[],
      ]),
  ),
  ReLU: [["ReLU", { max_value: 1 }]],
  LeakyReLU: [["LeakyReLU", { alpha: 0.2 }]],
  ELU: [["ELU", { alpha: 1 }]],
  Softmax: [["Flatten"], ["Softmax"]],
  LayerNormalization: [["LayerNormalization"]],
  Permute: [["Permute", { dims: [2, 3, 1] }]],
  ZeroPadding2D: [
    [
      "ZeroPadding2D",
      {
        padding: [
          [1, 2],
          [0, 1],
        ],
      },
    ],
  ],
  MaxPooling1D: [rows, ["MaxPooling1D", { pool_size: [2], strides: [2], padding: "valid" }]],
  MaxPooling2D: [["MaxPooling2D", { pool_size: [3, 3], strides: [2, 2], padding: "same" }]],
  AveragePooling1D: [rows, ["AveragePooling1D", { pool_size: [2], strides: [2], padding: "valid" }]],
  AveragePooling2D: [["AveragePooling2D", { pool_size: [2, 2], strides: [1, 1], padding: "same" }]],
  GlobalAveragePooling1D: [rows, ["GlobalAveragePooling1D"]],
  GlobalAveragePooling2D: [["GlobalAveragePooling2D"]],
  GlobalMaxPooling1D: [rows, ["GlobalMaxPooling1D"]],
  GlobalMaxPooling2D: [["GlobalMaxPooling2D"]],
};

test.each(Object.entries(layers))("WebAssembly trains %s as plain JavaScript does", async (_, subject) => {
  // The library's softmax takes rows only.
  const flat = subject.some(
    ([name, config]) => /^Global|^Softmax/.test(name) || /softmax/.test(JSON.stringify(config)),
  );
  // A convolution before the layer, so that its gradient by its input matters too.
  const all: Layer[] = [
    ["Conv2D", { filters: 2, kernel_size: [3, 3], padding: "same", activation: "tanh" }],
    ...subject,
    ...(flat ? [] : [["Flatten"] satisfies Layer]),
    ["Dense", { units: 3, activation: "softmax" }],
  ];
  const topology = {
    class_name: "Sequential",
    config: {
      name: "layers",
      layers: all.map(([class_name, config], index) => ({
        class_name,
        config: { name: `layer_${index}`, ...config, ...(index === 0 ? { batch_input_shape: [null, 6, 6, 2] } : {}) },
      })),
    },
  };
  const model: ModelSpec = { topology };
  const weights = await initialWeights({ model, data, seed: 2 });
  const step = async (engine: EngineName) => {
    const trainer = await createTrainer({ model, data, engine });
    const { signal } = new AbortController();
    const job = { weights, data: dataset, epochs: 2, batchSize: 2, learningRate: 0.1, signal };
    return trainer.train({ ...job, random: seededRandom(1, "order") });
  };
  const [own, plain] = await Promise.all([step("wasm"), step("cpu")]);
  const difference = own.weights.reduce((most, weight, i) => Math.max(most, Math.abs(weight - plain.weights[i]!)), 0);
  // Normalizing two channels divides by a deviation that may be as small as the square root of its epsilon: 30 × as much.
  expect(difference).toBeLessThan(5e-5);
  expect(plain.weights).not.toEqual(weights);
});
