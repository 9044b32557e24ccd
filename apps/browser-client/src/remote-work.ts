import type { ClientHalf, Dataset, Trainer, Work } from "@tributary/algorithm";
import type { Abilities } from "@tributary/participant";
import type { AttemptKind, RunPlan } from "@tributary/protocol";
import type { TrainingWorker } from "./training-worker.ts";
import type { DataFound, RunWork } from "./worker/messages.ts";

/** What the participant needs of a device, each part a handle of what the worker has: no example passes through here. */
export function remoteAbilities(worker: TrainingWorker, found: DataFound): Abilities {
  return {
    datasetFor: () => remoteDataset(found),
    async trainerFor(plan) {
      const run = runWork(plan);
      const { engine } = await worker.call("prepare", run);
      return new RemoteTrainer(run, engine);
    },
    clientHalf: () => remoteHalf(worker),
  };
}

function runWork({ algorithm, model, data }: Pick<RunPlan, "algorithm" | "model" | "data">): RunWork {
  return { algorithm: algorithm.name, model, data };
}

/** The device's half of any algorithm: asks the worker, which has the data, the engine and the algorithm. */
function remoteHalf(worker: TrainingWorker): ClientHalf {
  const contribute = (kind: AttemptKind, input: Omit<Work<unknown>, "kept" | "random">) => {
    const { run } = input.trainer as RemoteTrainer;
    const { question, signal, onProgress } = input;
    return worker.call("contribute", { run, kind, question }, { signal, ...(onProgress && { onNews: onProgress }) });
  };
  return {
    work: async (input) => ({ contribution: await contribute("train", input), next: undefined }),
    evaluate: (input) => contribute("evaluate", input),
  };
}

class RemoteTrainer implements Trainer {
  readonly run: RunWork;
  readonly engine: string;
  readonly parameters = 0;

  constructor(run: RunWork, engine: string) {
    this.run = run;
    this.engine = engine;
  }
  train = elsewhere;
  evaluate = elsewhere;
}

function remoteDataset({ data, examples }: DataFound): Dataset {
  return { examples, shape: data.shape, classes: data.classes, batch: elsewhere };
}

function elsewhere(): never {
  throw new Error("data and engine are in the worker");
}
