import "@tensorflow/tfjs-backend-cpu";
import { serialization, type Tensor, zeros } from "@tensorflow/tfjs-core";
import { LayersModel, Sequential } from "@tensorflow/tfjs-layers";
import { type DataSpec, maximumWeights, ProtocolError } from "@tributary/protocol";
import { type Json, type LayerTopology, outputLayer, outputsOf, type Topology } from "@tributary/protocol/topology";
import { describeTarget } from "../examples.ts";

/** The same model, its layers' configurations changed by `change`. */
export function mapLayers(topology: Topology, change: (layer: LayerTopology) => LayerTopology): Topology {
  return { ...topology, config: { ...topology.config, layers: topology.config.layers.map(change) } };
}

/**
 * The same model without a classifier's final softmax: its outputs are logits, from which a stable loss can be had. What
 * predicts a number stays as it is.
 */
export function logitsTopology(topology: Topology, { target }: DataSpec): Topology {
  if (target === "number") return topology;
  const output = outputLayer(topology);
  return mapLayers(topology, (layer) => {
    if (layer !== output) return layer;
    return layer.class_name === "Softmax"
      ? {
          ...layer,
          class_name: "Activation",
          config: { name: layer.config["name"] ?? "softmax", activation: "linear" },
        }
      : { ...layer, config: { ...layer.config, activation: "linear" } };
  });
}

/** Zeros, counted before the memory is asked for: a topology from elsewhere may ask for any amount of it. */
class BudgetedZeros extends serialization.Serializable {
  static className = "BudgetedZeros";
  static remaining = maximumWeights;
  override getConfig() {
    return {};
  }
  apply(shape: number[]): Tensor {
    BudgetedZeros.remaining -= shape.reduce((product, size) => product * size, 1);
    if (BudgetedZeros.remaining < 0) {
      throw new ProtocolError("topology_not_approved", `The model has more than ${maximumWeights} weights.`);
    }
    return zeros(shape);
  }
}
serialization.registerClass(BudgetedZeros);

/**
 * Builds `topology` on the current backend, every weight zero. Throws `ProtocolError("bad_spec")` if it does not take
 * `data`'s shape to `data`'s classes or the one number to predict, and `"topology_not_approved"` if it has more than 50 million weights.
 */
export function buildModel(topology: Topology, data: DataSpec): LayersModel {
  const zeroed = mapLayers(topology, (layer) => ({
    ...layer,
    config: { ...layer.config, ...initializersOf(layer, () => ({ class_name: "BudgetedZeros", config: {} })) },
  }));
  BudgetedZeros.remaining = maximumWeights;
  const model = fromTopology(zeroed);
  const [input, output] = [model.inputs[0]!.shape.slice(1), model.outputs[0]!.shape.slice(1)];
  if (input.join() === data.shape.join() && output.join() === String(outputsOf(data))) return model;
  model.dispose();
  throw new ProtocolError(
    "bad_spec",
    `The model takes ${input.join("×")} to ${output.join("×")} values; the run's data has examples of ` +
      `${data.shape.join("×")} and ${describeTarget(data)}.`,
  );
}

/**
 * Builds a topology as it stands, at once: `tf.models.modelFromJSON` does the same but answers by promise, which would
 * let another engine's work in between. Throws `ProtocolError("bad_spec")` where its layers do not fit each other.
 */
export function fromTopology(topology: Topology): LayersModel {
  const kind = (topology.class_name === "Sequential" ? Sequential : LayersModel) as unknown as {
    fromConfig(kind: unknown, config: unknown): LayersModel;
  };
  try {
    return kind.fromConfig(kind, camelCased(topology.config as unknown as Json));
  } catch (cause) {
    if (cause instanceof ProtocolError) throw cause;
    throw new ProtocolError("bad_spec", `The model cannot be built: ${(cause as Error).message}`, { cause });
  }
}

/** Keras writes snake_case where the library's constructors take camelCase; layers' names stay as they are. */
function camelCased(value: Json, key = ""): Json {
  if (typeof value === "string") return key === "name" ? value : camel(value);
  if (value === null || typeof value !== "object") return value;
  if (isList(value)) {
    const holdsNames = key === "inboundNodes" || key === "inputLayers" || key === "outputLayers";
    return value.map((item) => (holdsNames && typeof item === "string" ? item : camelCased(item, key)));
  }
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [camel(name), camelCased(item, camel(name))]));
}

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);
const camel = (text: string) => text.replace(/_+(\w)/g, (_, letter: string) => letter.toUpperCase());

/** The initializers that decide a layer's first weights, by configuration key, each given by `choose`. */
export function initializersOf(
  layer: LayerTopology,
  choose: (key: string, initializer: Json | undefined) => Json,
): Record<string, Json> {
  const keys = initializerKeys[layer.class_name] ?? [];
  return Object.fromEntries(keys.map((key) => [key, choose(key, layer.config[key])]));
}

const kernelAndBias = ["kernel_initializer", "bias_initializer"];
const initializerKeys: Readonly<Record<string, readonly string[]>> = {
  Dense: kernelAndBias,
  Conv1D: kernelAndBias,
  Conv2D: kernelAndBias,
  Embedding: ["embeddings_initializer"],
  GRU: ["kernel_initializer", "recurrent_initializer", "bias_initializer"],
  DepthwiseConv2D: ["depthwise_initializer", "bias_initializer"],
  SeparableConv2D: ["depthwise_initializer", "pointwise_initializer", "bias_initializer"],
  LayerNormalization: ["gamma_initializer", "beta_initializer"],
};
