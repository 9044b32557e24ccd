import type { Trainer } from "@tributary/algorithm";
import { type DataSpec, type ModelSpec, ProtocolError, type RunPlan } from "@tributary/protocol";
import { chooseEngine, createTrainer, type EngineName } from "@tributary/training";

/** Makes a trainer of a model for data of a description. */
export type TrainerFactory = (wanted: { model: ModelSpec; data: DataSpec }) => Promise<Trainer>;

/** Trainers on the best engine here that can train each model, or on the engine `force`d. */
export function bestTrainers(force: string | undefined): TrainerFactory {
  return async ({ model, data }) => createTrainer({ model, data, engine: await engineFor(model, force) });
}

async function engineFor(model: ModelSpec, force: string | undefined): Promise<EngineName> {
  try {
    return (await chooseEngine({ force, model })).engine;
  } catch (error) {
    if (error instanceof ProtocolError) throw error;
    // That no engine here can train this model is a reason to leave the run to others, not to end the device.
    throw new ProtocolError("topology_not_approved", (error as Error).message, { cause: error });
  }
}

/** One trainer for each model and data description, shared by all devices of the process. */
export function sharedTrainers(create: TrainerFactory): (plan: RunPlan) => Promise<Trainer> {
  const made = new Map<string, Promise<Trainer>>();
  return ({ model, data }) => {
    const key = JSON.stringify([model, data]);
    let trainer = made.get(key);
    if (trainer === undefined) {
      trainer = create({ model, data });
      made.set(key, trainer);
      trainer.catch(() => made.delete(key));
    }
    return trainer;
  };
}
