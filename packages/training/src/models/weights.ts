import { seededRandom } from "@tributary/algorithm";
import type { DataSpec, ModelSpec } from "@tributary/protocol";
import { type Json, randomInitializers, topologyOf } from "@tributary/protocol/topology";
import { withEngine } from "../engines/current-engine.ts";
import { buildModel, fromTopology, initializersOf, mapLayers } from "./build-model.ts";

/** One stretch of the flat weight vector: a layer's tensor, row after row. */
export interface WeightShape {
  /** As in a model.json's weights manifest: `layer/kernel`. */
  readonly name: string;
  readonly shape: readonly number[];
}

/** The tensors that make up the flat weight vector, in its order: that of `model.weights` and of weights.bin. */
export function weightShapes(model: ModelSpec, data: DataSpec): readonly WeightShape[] {
  return withEngine("cpu", () => {
    const built = buildModel(topologyOf(model, data), data);
    const shapes = built.weights.map((weight) => ({ name: weight.originalName, shape: weight.shape as number[] }));
    built.dispose();
    return shapes;
  });
}

/** Length of the flat weight vector. */
export function parameterCount(model: ModelSpec, data: DataSpec): number {
  return weightShapes(model, data).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
}

/**
 * The first model of a run, as its layers' initializers draw it. Equal seeds give equal weights whatever engine trains
 * them: each initializer has its own seed, derived from the run's and its layer's place, and the plain-JS engine draws.
 */
export async function initialWeights(input: { model: ModelSpec; data: DataSpec; seed: number }): Promise<Float32Array> {
  const { model, data, seed } = input;
  const topology = topologyOf(model, data);
  let place = 0;
  const seeded = mapLayers(topology, (layer) => {
    const index = place++;
    const initializers = initializersOf(layer, (key, given) => {
      const { class_name: name, config } = (given ?? defaultInitializer(key)) as { class_name: string; config: object };
      if (!randomInitializers.has(name)) return { class_name: name, config } as Json;
      // The library takes a seed of 0 for none.
      const own = 1 + seededRandom(seed, `initial-weights/${index}/${key}`).below(2 ** 31 - 1);
      return { class_name: name, config: { ...config, seed: own } } as Json;
    });
    return { ...layer, config: { ...layer.config, ...initializers } };
  });
  return withEngine("cpu", () => {
    buildModel(topology, data).dispose(); // Checks the sizes before anything is drawn.
    const built = fromTopology(seeded);
    const values = built.getWeights().map((tensor) => tensor.dataSync());
    const flat = new Float32Array(values.reduce((sum, { length }) => sum + length, 0));
    let offset = 0;
    for (const part of values) {
      flat.set(part, offset);
      offset += part.length;
    }
    built.dispose();
    return flat;
  });
}

/** Keras's own defaults; where it would draw an orthogonal matrix, one that is not. */
function defaultInitializer(key: string): Json {
  if (key === "bias_initializer" || key === "beta_initializer") return { class_name: "Zeros", config: {} };
  if (key === "embeddings_initializer") return { class_name: "RandomUniform", config: { minval: -0.05, maxval: 0.05 } };
  if (key === "gamma_initializer") return { class_name: "Ones", config: {} };
  return { class_name: "GlorotUniform", config: {} };
}

/** Elements of a tensor of this shape. */
export const sizeOf = (shape: readonly number[]) => shape.reduce((product, size) => product * size, 1);
