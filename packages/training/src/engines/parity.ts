import { seededRandom } from "@tributary/algorithm";
import { topologyOf } from "@tributary/protocol/topology";
import { initialWeights } from "../models/weights.ts";
import { EngineMissing } from "./engine-missing.ts";
import type { EngineName } from "./engines.ts";
import { openModel } from "./open-model.ts";
import { batch, data, layersOf, parityModels } from "./parity-models.ts";

/** How far an engine's step on the fixed small models is from plain JavaScript's. */
export interface Parity {
  readonly engine: EngineName;
  /** Largest difference between two weights after the step, in units of the largest change that the step makes. */
  readonly difference: number;
  readonly tolerance: number;
  /** The layers whose model is furthest off. */
  readonly layers: readonly string[];
  readonly agrees: boolean;
}

/** Floats of 32 bits in another order, and graphics processors' own exponentials: a wrong gradient is off by far more. */
const tolerance = 1e-3;

/**
 * One seeded step of small fixed models that hold every layer with arithmetic of its own, on `engine` and in plain
 * JavaScript: 8 × 8 pixels, a batch of two. Rejects with `EngineMissing` where the engine cannot run.
 */
export async function parity(engine: EngineName): Promise<Parity> {
  const random = seededRandom(7, "parity");
  const size = data.shape.reduce((product, length) => product * length, batch);
  const examples = {
    features: Float32Array.from({ length: size }, () => random.normal()),
    targets: Int32Array.of(0, 2),
  };
  let worst: { difference: number; layers: readonly string[] } = { difference: 0, layers: [] };
  for (const model of parityModels) {
    const weights = await initialWeights({ model, data, seed: 7 });
    const step = async (name: EngineName) => {
      const built = await openModel(name, topologyOf(model, data), data);
      built.setWeights(weights);
      await built.step({ features: examples.features.slice(), targets: examples.targets }, 0.5);
      return built.getWeights();
    };
    const [own, reference] = [await step(engine), await step("cpu")];
    const difference = furthest(own, reference) / furthest(weights, reference);
    if (difference > worst.difference) worst = { difference, layers: layersOf(model) };
  }
  return { engine, tolerance, ...worst, agrees: worst.difference <= tolerance };
}

/** Rejects with `EngineMissing`, with the figures, where an engine's arithmetic is not plain JavaScript's. */
export async function requireParity(engine: EngineName): Promise<Parity> {
  const found = await parity(engine);
  if (found.agrees) return found;
  throw new EngineMissing(
    `The engine "${engine}" calculates wrongly: a step of ${found.layers.join(", ")} differs from plain JavaScript's by ` +
      `${found.difference.toExponential(1)} of its length; at most ${tolerance} is rounding. Update its driver, or choose ` +
      `another engine.`,
  );
}

/** What is not a number is further off than any number. */
function furthest(a: Float32Array, b: Float32Array): number {
  return a.reduce((most, value, i) => {
    const distance = Math.abs(value - b[i]!);
    return Math.max(most, Number.isNaN(distance) ? Number.POSITIVE_INFINITY : distance);
  }, 0);
}
