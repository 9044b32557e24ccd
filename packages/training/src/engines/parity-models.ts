import type { DataSpec, ModelSpec } from "@tributary/protocol";

type Layer = readonly [className: string, config?: object];

/** What the parity step is taken on: images of 8 × 8 × 2 in a batch of two. */
export const data: DataSpec = { kind: "images", shape: [8, 8, 2], target: "class", classes: 3 };
export const batch = 2;

const same = { padding: "same" };
const sequences: readonly (readonly Layer[])[] = [
  // What an engine may have a way of its own for.
  [
    ["Conv2D", { filters: 5, kernel_size: [3, 3], activation: "relu", ...same }],
    ["MaxPooling2D", { pool_size: [2, 2], strides: [2, 2], padding: "valid" }],
    ["Conv2D", { filters: 4, kernel_size: [2, 3], strides: [2, 1] }],
    ["ReLU"],
    ["Flatten"],
    ["Dense", { units: 6, activation: "relu" }],
  ],
  [
    [
      "ZeroPadding2D",
      {
        padding: [
          [1, 0],
          [0, 1],
        ],
      },
    ],
    ["DepthwiseConv2D", { kernel_size: [3, 3], depth_multiplier: 2, activation: "tanh" }],
    ["AveragePooling2D", { pool_size: [2, 2], strides: [1, 1], padding: "valid" }],
    ["SeparableConv2D", { filters: 6, kernel_size: [3, 3], activation: "elu", ...same }],
    ["Permute", { dims: [2, 1, 3] }],
    ["LayerNormalization", { epsilon: 0.1 }],
    ["GlobalAveragePooling2D"],
    ["Dense", { units: 6, activation: "sigmoid" }],
  ],
  [
    ["Reshape", { target_shape: [16, 8] }],
    ["Conv1D", { filters: 4, kernel_size: [3], activation: "softplus", ...same }],
    ["LeakyReLU", { alpha: 0.2 }],
    ["MaxPooling1D", { pool_size: [2], strides: [2], padding: "valid" }],
    ["AveragePooling1D", { pool_size: [2], strides: [2], padding: "valid" }],
    ["ELU"],
    ["GlobalAveragePooling1D"],
    ["Dense", { units: 5, activation: "softsign" }],
    ["Softmax"],
  ],
  // Twelve pixels as places in a sequence, the whole part of each as what is looked up.
  [
    ["Activation", { activation: "relu6" }],
    [
      "Cropping2D",
      {
        cropping: [
          [2, 3],
          [3, 3],
        ],
      },
    ],
    ["Flatten"],
    ["Embedding", { input_dim: 7, output_dim: 4 }],
    ["GRU", { units: 5, return_sequences: true }],
    ["GRU", { units: 4 }],
  ],
];

/** Two ways from the input, joined in every way that layers are joined. */
const graph: readonly (readonly [name: string, sources: readonly string[], ...layer: Layer])[] = [
  ["in", [], "InputLayer", { batch_input_shape: [null, ...data.shape] }],
  ["a", ["in"], "GlobalMaxPooling2D"],
  ["b", ["a"], "Dense", { units: 4, activation: "selu" }],
  ["rows", ["in"], "Reshape", { target_shape: [32, 4] }],
  ["c", ["rows"], "GlobalMaxPooling1D"],
  ["d", ["c"], "Dense", { units: 4, activation: "relu6" }],
  ["sum", ["b", "d"], "Add"],
  ["product", ["b", "d"], "Multiply"],
  ["mean", ["b", "d"], "Average"],
  ["most", ["b", "d"], "Maximum"],
  ["dot", ["b", "d"], "Dot", { axes: 1 }],
  ["all", ["sum", "product", "mean", "most", "dot"], "Concatenate"],
  ["out", ["all"], "Dense", { units: data.classes, activation: "softmax" }],
];

function sequence(body: readonly Layer[]): object {
  const layers = [...body, ["Dense", { units: data.classes, activation: "softmax" }] as Layer].map(
    ([class_name, config], index) => {
      const first = index === 0 ? { batch_input_shape: [null, ...data.shape] } : {};
      return { class_name, config: { name: `layer_${index}`, ...config, ...first } };
    },
  );
  return { class_name: "Sequential", config: { name: "parity", layers } };
}

function functional(): object {
  const layers = graph.map(([name, sources, class_name, config]) => ({
    ...{ class_name, name, config: { name, ...config } },
    inbound_nodes: sources.length === 0 ? [] : [sources.map((source) => [source, 0, 0])],
  }));
  const ends = { input_layers: [["in", 0, 0]], output_layers: [["out", 0, 0]] };
  return { class_name: "Functional", config: { name: "parity", layers, ...ends } };
}

type Given = Extract<ModelSpec, { topology: unknown }>;

/** Small models that hold, together, every approved layer class with arithmetic of its own. */
export const parityModels: readonly Given[] = [...sequences.map(sequence), functional()].map((topology) => ({
  topology,
}));

/** The layer classes of one of them. */
export function layersOf({ topology }: Given): readonly string[] {
  const { config } = topology as { config: { layers: { class_name: string }[] } };
  return [...new Set(config.layers.map(({ class_name }) => class_name))];
}
