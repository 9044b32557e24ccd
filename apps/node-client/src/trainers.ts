import { noTrainer, type Trainer } from "@tributary/algorithm";
import { type DataSpec, type ModelSpec, ProtocolError, type RunPlan } from "@tributary/protocol";
import { type ChosenEngine, chooseEngine, createTrainer, parameterCount } from "@tributary/training";
import { TrainerPool } from "@tributary/training/node";
import type { MemoryCap } from "./memory-cap.ts";

/** Makes a trainer of a model for data of a description. */
export type TrainerFactory = (wanted: { model: ModelSpec; data: DataSpec }) => Promise<Trainer>;

/** What does the arithmetic for all devices of this process. */
export interface Trainers {
  readonly engine: string;
  /** The graphics processor that it calculates on, where there is one and its name is told. */
  readonly adapter?: string;
  readonly trainerFor: (plan: RunPlan) => Promise<Trainer>;
  close(): Promise<void>;
}

/**
 * The caller's own trainers, or those of an engine that proved itself, on `threads` threads if more than one. Rejects with
 * the figures of an engine that calculates wrongly.
 */
export async function openTrainers(options: {
  trainerFactory: TrainerFactory | undefined;
  engine: string | undefined;
  threads: number;
  memory: MemoryCap | undefined;
  onEngine: ((chosen: ChosenEngine) => void) | undefined;
}): Promise<Trainers> {
  const { trainerFactory, engine: force, threads, memory, onEngine } = options;
  if (trainerFactory !== undefined) {
    return { engine: force ?? "custom", trainerFor: shared(trainerFactory), close: async () => undefined };
  }
  const chosen = await chooseEngine({ force, proven: true });
  onEngine?.(chosen);
  const { engine, adapter } = chosen;
  const pool = threads > 1 ? new TrainerPool({ engine, threads }) : undefined;
  const make: TrainerFactory = async (wanted) => {
    const refusal = memory?.refusal(parameterCount(wanted.model, wanted.data));
    if (refusal !== undefined) throw new ProtocolError("topology_not_approved", refusal);
    return pool === undefined ? createTrainer({ ...wanted, engine }) : pool.trainer(wanted);
  };
  const on = adapter === undefined ? {} : { adapter };
  return { engine, ...on, trainerFor: shared(make), close: async () => pool?.close() };
}

/** One trainer for each model and data description, shared by all devices of the process; none for a run without layers. */
function shared(create: TrainerFactory): (plan: RunPlan) => Promise<Trainer> {
  const made = new Map<string, Promise<Trainer>>();
  return async ({ model, data }) => {
    if (model === undefined) return noTrainer;
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
