import type { ClientHalf, Dataset, Trainer, Work } from "@tributary/algorithm";
import type { Abilities } from "@tributary/participant";
import type { AttemptKind, RunPlan } from "@tributary/protocol";
import type { DataFound, RunWork } from "../training/messages.ts";
import type { TrainingCalls } from "../training/training-calls.ts";

/** What the participant needs of a device, each part a handle of what the training worker has: no example passes through here. */
export function remoteAbilities(training: TrainingCalls, found: DataFound): Abilities {
  return {
    datasetFor: () => remoteDataset(found),
    async trainerFor(plan) {
      const run = runWork(plan);
      const { engine } = await training.call("prepare", run);
      return new RemoteTrainer(run, engine);
    },
    clientHalf: () => remoteHalf(training),
  };
}

function runWork({ algorithm, model, data }: Pick<RunPlan, "algorithm" | "model" | "data">): RunWork {
  return { algorithm: algorithm.name, model, data };
}

/** The device's half of any algorithm: asks the training worker, which has the data, the engine and the algorithm. */
function remoteHalf(training: TrainingCalls): ClientHalf {
  const contribute = (kind: AttemptKind, input: Omit<Work<unknown>, "kept" | "random">) => {
    const { run } = input.trainer as RemoteTrainer;
    const { question, signal, onProgress } = input;
    return training.call("contribute", { run, kind, question }, { signal, ...(onProgress && { onNews: onProgress }) });
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
  throw new Error("data and engine are in the training worker");
}
