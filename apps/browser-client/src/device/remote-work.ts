import type { ClientHalf, Dataset, KeptState, Trainer, Work } from "@tributary/algorithm";
import { clientHalfNamed } from "@tributary/catalog";
import type { Abilities } from "@tributary/participant";
import type { DataFound, Given, RunWork } from "../training/messages.ts";
import type { TrainingCalls } from "../training/training-calls.ts";

/** What the participant needs of a device, each part a handle of what the training worker has: no example passes through here. */
export function remoteAbilities(training: TrainingCalls, { set, found }: Given): Abilities {
  return {
    datasetFor: () => remoteDataset(found),
    async trainerFor({ algorithm, model, data }) {
      const run = { set, algorithm: algorithm.name, model, data };
      const { engine } = await training.call("prepare", run);
      return new RemoteTrainer(run, engine);
    },
    clientHalf: (name) => remoteHalf(name, training),
  };
}

/** The device's half of an algorithm: asks the training worker, which has the data, the engine and the algorithm. */
function remoteHalf(name: string, training: TrainingCalls): ClientHalf {
  const { keeps } = clientHalfNamed(name);
  type Ask = { kind: "evaluate" } | { kind: "train"; kept: KeptState | undefined; lost: boolean };
  const contribute = (
    { trainer, question, signal, onProgress }: Pick<Work<KeptState>, "question" | "trainer" | "signal" | "onProgress">,
    ask: Ask,
  ) => {
    const { run } = trainer as RemoteTrainer;
    return training.call(
      "contribute",
      { run, question, ...ask },
      { signal, ...(onProgress && { onNews: onProgress }) },
    );
  };
  return {
    ...(keeps ? { keeps } : {}),
    work: (input) => contribute(input, { kind: "train", kept: input.kept, lost: input.lost }),
    evaluate: async (input) => (await contribute(input, { kind: "evaluate" })).contribution,
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
  gradient = elsewhere;
  evaluate = elsewhere;
}

function remoteDataset({ data, examples }: DataFound): Dataset {
  return { examples, shape: data.shape, classes: data.classes, target: data.target, batch: elsewhere };
}

function elsewhere(): never {
  throw new Error("data and engine are in the training worker");
}
