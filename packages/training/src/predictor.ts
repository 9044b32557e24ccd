import type { Features } from "@tributary/algorithm";
import type { DataSpec, ModelSpec } from "@tributary/protocol";
import { topologyOf } from "@tributary/protocol/topology";
import { normalised } from "./data/normalised.ts";
import type { EngineName } from "./engines/engines.ts";
import { openModel } from "./engines/open-model.ts";

/** Answers what a trained model makes of one example. */
export interface Predictor {
  /**
   * Each class's probability for the example in `features` (as its data has it; length: the product of the data's shape) under `weights`
   * (length: the model's parameter count); the one number where the data's target is a number. Neither is changed.
   */
  predict(weights: Float32Array, features: Float32Array): Promise<Float32Array>;
}

/** Builds `model` on `engine` to be asked. Rejects as `createTrainer` does. */
export async function createPredictor(options: {
  model: ModelSpec;
  data: DataSpec;
  engine: EngineName;
}): Promise<Predictor> {
  const { model, data, engine } = options;
  const built = await openModel(engine, topologyOf(model, data), data);
  const asTrained = async (example: Float32Array) => {
    if (data.normalise === undefined) return example;
    const one = { examples: 1, shape: data.shape, classes: data.classes };
    const features = new Float32Array(example.length);
    const batch = (_: Uint32Array, into: Features) => into.set(example);
    await normalised({ ...one, batch }, data.normalise).batch(Uint32Array.of(0), features, new Int32Array(1));
    return features;
  };
  return {
    async predict(weights, features) {
      built.setWeights(weights);
      const outputs = await built.outputs(await asTrained(features), 1);
      return data.target === "number" ? outputs : softmax(outputs);
    },
  };
}

function softmax(logits: Float32Array): Float32Array {
  const most = logits.reduce((a, c) => Math.max(a, c), Number.NEGATIVE_INFINITY);
  const powers = logits.map((logit) => Math.exp(logit - most));
  const sum = powers.reduce((a, c) => a + c, 0);
  return powers.map((power) => power / sum);
}
