import Type, { type TSchema } from "typebox";

// What a device builds from a topology that it was sent. Left out on purpose: Lambda and custom classes (code), nested
// models, Dropout (randomness outside the device's own stream), BatchNormalization (state that plain SGD does not
// train, and statistics that depend on how a batch is cut), regularizers and constraints (ClientUpdate has none), masks and
// recurrent layers' own state from batch to batch. The orthogonal initializer fails inside the library.

const integer = (maximum: number) => Type.Integer({ minimum: 1, maximum });
const pair = (maximum: number) =>
  Type.Union([integer(maximum), Type.Array(integer(maximum), { minItems: 1, maxItems: 2 })]);
const literals = (names: readonly string[]) => Type.Union(names.map((name) => Type.Literal(name)));

const activation = literals("linear relu relu6 elu selu softplus softsign tanh sigmoid softmax".split(" "));
const seed = Type.Optional(Type.Union([Type.Null(), Type.Integer()]));
const real = Type.Optional(Type.Number());
const closed = { additionalProperties: false } as const;
const absent = Type.Optional(Type.Null());

const initializerConfigs: Record<string, TSchema> = {
  Zeros: Type.Object({}, closed),
  Ones: Type.Object({}, closed),
  Constant: Type.Object({ value: Type.Number() }, closed),
  RandomUniform: Type.Object({ minval: real, maxval: real, seed }, closed),
  RandomNormal: Type.Object({ mean: real, stddev: real, seed }, closed),
  TruncatedNormal: Type.Object({ mean: real, stddev: real, seed }, closed),
  VarianceScaling: Type.Object(
    {
      scale: real,
      mode: Type.Optional(literals(["fan_in", "fan_out", "fan_avg", "fanIn", "fanOut", "fanAvg"])),
      distribution: Type.Optional(
        literals(["normal", "uniform", "truncated_normal", "untruncated_normal", "truncatedNormal"]),
      ),
      seed,
    },
    closed,
  ),
  ...Object.fromEntries(
    "GlorotUniform GlorotNormal HeUniform HeNormal LeCunUniform LeCunNormal"
      .split(" ")
      .map((name) => [name, Type.Object({ seed }, closed)]),
  ),
};
/** The initializers that draw at random, so that each can be given a seed of its own. */
export const randomInitializers: ReadonlySet<string> = new Set(
  Object.keys(initializerConfigs).filter((name) => !["Zeros", "Ones", "Constant"].includes(name)),
);
const initializer = Type.Optional(
  Type.Union(
    Object.entries(initializerConfigs).map(([name, config]) =>
      Type.Object({ class_name: Type.Literal(name), config }, closed),
    ),
  ),
);

const shape = Type.Array(Type.Union([Type.Null(), integer(1_000_000)]), { minItems: 2, maxItems: 5 });
const everyLayer = {
  name: Type.Optional(Type.String({ pattern: "^[A-Za-z0-9_.-]{1,64}$" })),
  trainable: Type.Optional(Type.Literal(true)),
  dtype: Type.Optional(Type.Literal("float32")),
  batch_input_shape: Type.Optional(shape),
};
const layer = (own: Record<string, TSchema> = {}) => Type.Object({ ...everyLayer, ...own }, closed);
const biased = {
  activation: Type.Optional(activation),
  use_bias: Type.Optional(Type.Boolean()),
  bias_initializer: initializer,
  bias_regularizer: absent,
  bias_constraint: absent,
  activity_regularizer: absent,
};
const weighted = {
  ...biased,
  kernel_initializer: initializer,
  kernel_regularizer: absent,
  kernel_constraint: absent,
};
const window = {
  strides: Type.Optional(Type.Union([pair(64), Type.Null()])),
  padding: Type.Optional(literals(["valid", "same"])),
  data_format: Type.Optional(Type.Union([Type.Literal("channels_last"), Type.Literal("channelsLast"), Type.Null()])),
};
const convolution = {
  ...weighted,
  ...window,
  kernel_size: pair(64),
  dilation_rate: Type.Optional(pair(64)),
  groups: Type.Optional(Type.Literal(1)),
};
const depthwise = {
  depth_multiplier: Type.Optional(integer(64)),
  depthwise_initializer: initializer,
  depthwise_regularizer: absent,
  depthwise_constraint: absent,
};
const pool = { ...window, pool_size: Type.Optional(pair(64)) };
const globalPool = { data_format: window.data_format };
const axis = { axis: Type.Optional(Type.Integer({ minimum: -4, maximum: 4 })) };

/** The configuration that each approved layer class may have, by class name; everything else is refused. */
export const approvedLayers: Readonly<Record<string, TSchema>> = {
  InputLayer: layer({ sparse: Type.Optional(Type.Literal(false)), ragged: Type.Optional(Type.Literal(false)) }),
  Dense: layer({ ...weighted, units: integer(65_536) }),
  Conv1D: layer({ ...convolution, filters: integer(4_096) }),
  Conv2D: layer({ ...convolution, filters: integer(4_096) }),
  DepthwiseConv2D: layer({ ...convolution, ...depthwise }),
  SeparableConv2D: layer({
    ...convolution,
    ...depthwise,
    filters: integer(4_096),
    pointwise_initializer: initializer,
    pointwise_regularizer: absent,
    pointwise_constraint: absent,
  }),
  Activation: layer({ activation }),
  ReLU: layer({ max_value: Type.Optional(Type.Union([Type.Number(), Type.Null()])) }),
  LeakyReLU: layer({ alpha: real }),
  ELU: layer({ alpha: real }),
  Softmax: layer({ axis: Type.Optional(Type.Literal(-1)) }),
  LayerNormalization: layer({
    axis: Type.Optional(Type.Literal(-1)),
    epsilon: real,
    center: Type.Optional(Type.Boolean()),
    scale: Type.Optional(Type.Boolean()),
    beta_initializer: initializer,
    gamma_initializer: initializer,
    beta_regularizer: absent,
    gamma_regularizer: absent,
  }),
  Flatten: layer({ data_format: window.data_format }),
  Reshape: layer({ target_shape: Type.Array(Type.Integer({ minimum: -1 }), { minItems: 1, maxItems: 5 }) }),
  Permute: layer({ dims: Type.Array(integer(4), { minItems: 1, maxItems: 4 }) }),
  ZeroPadding2D: layer({
    padding: Type.Optional(Type.Array(Type.Array(Type.Integer({ minimum: 0, maximum: 64 })), { maxItems: 2 })),
    data_format: window.data_format,
  }),
  MaxPooling1D: layer(pool),
  MaxPooling2D: layer(pool),
  AveragePooling1D: layer(pool),
  AveragePooling2D: layer(pool),
  GlobalAveragePooling1D: layer(),
  GlobalAveragePooling2D: layer(globalPool),
  GlobalMaxPooling1D: layer(),
  GlobalMaxPooling2D: layer(globalPool),
  Embedding: layer({
    input_dim: integer(10_000_000),
    output_dim: integer(4_096),
    input_length: Type.Optional(Type.Union([Type.Null(), integer(1_000_000)])),
    mask_zero: Type.Optional(Type.Literal(false)),
    embeddings_initializer: initializer,
    embeddings_regularizer: absent,
    embeddings_constraint: absent,
    activity_regularizer: absent,
  }),
  GRU: layer({
    ...weighted,
    units: integer(4_096),
    recurrent_activation: Type.Optional(activation),
    recurrent_initializer: initializer,
    recurrent_regularizer: absent,
    recurrent_constraint: absent,
    return_sequences: Type.Optional(Type.Boolean()),
    return_state: Type.Optional(Type.Literal(false)),
    go_backwards: Type.Optional(Type.Boolean()),
    stateful: Type.Optional(Type.Literal(false)),
    unroll: Type.Optional(Type.Literal(false)),
    reset_after: Type.Optional(Type.Literal(false)),
    dropout: Type.Optional(Type.Literal(0)),
    recurrent_dropout: Type.Optional(Type.Literal(0)),
    implementation: Type.Optional(integer(2)),
  }),
  Cropping2D: layer({
    cropping: Type.Array(Type.Array(Type.Integer({ minimum: 0, maximum: 4_096 }), { minItems: 2, maxItems: 2 }), {
      minItems: 2,
      maxItems: 2,
    }),
    data_format: window.data_format,
  }),
  Dot: layer({
    axes: Type.Union([
      Type.Integer({ minimum: -4, maximum: 4 }),
      Type.Array(Type.Integer({ minimum: -4, maximum: 4 })),
    ]),
    normalize: Type.Optional(Type.Literal(false)),
  }),
  Add: layer(),
  Multiply: layer(),
  Average: layer(),
  Maximum: layer(),
  Concatenate: layer(axis),
};
