import type { DataSpec } from "@tributary/protocol";
import type { Topology } from "@tributary/protocol/topology";
import { ModelOnEngine } from "../model-on-engine.ts";
import type { TrainableModel } from "../trainable-model.ts";
import { type EngineName, engineOf, startEngine } from "./engines.ts";

/** Builds a model on an engine, the fastest way that the engine has for its layers. Rejects as `createTrainer` does. */
export async function openModel(name: EngineName, topology: Topology, data: DataSpec): Promise<TrainableModel> {
  await startEngine(name);
  const { backend, direct, multiplyAddsAtATime } = engineOf(name);
  return (await direct?.(topology, data)) ?? new ModelOnEngine(backend, topology, data, multiplyAddsAtATime);
}
