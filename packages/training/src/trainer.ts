import type { Dataset, Judgement, Trainer, TrainingJob, TrainingResult } from "@tributary/algorithm";
import { type DataSpec, type ModelSpec, ProtocolError } from "@tributary/protocol";
import { Breath } from "./breath.ts";
import type { EngineName } from "./engines/engines.ts";
import { openModel } from "./engines/open-model.ts";
import { checkFits, readExamples } from "./examples.ts";
import { topologyOf } from "./models/topology.ts";
import type { TrainableModel } from "./trainable-model.ts";

/**
 * A trainer of `model` on `engine` for data of `data`'s description. Its jobs run one after the other. Rejects with
 * `ProtocolError("topology_not_approved" | "bad_spec")` for a model it does not build, with `Error` if the engine cannot
 * run here.
 */
export async function createTrainer(options: {
  model: ModelSpec;
  data: DataSpec;
  engine: EngineName;
}): Promise<Trainer> {
  const { model, data, engine } = options;
  const built = await openModel(engine, topologyOf(model, data), data);

  let last: Promise<unknown> = Promise.resolve();
  function inTurn<Result>(weights: Float32Array, dataset: Dataset, work: () => Promise<Result>): Promise<Result> {
    const turn = last.then(() => {
      checkUsable(dataset, data);
      if (weights.length !== built.parameters) {
        throw new Error(`${weights.length} weights were given; the model has ${built.parameters}`);
      }
      return work();
    });
    last = turn.catch(() => undefined);
    return turn;
  }
  return {
    engine,
    parameters: built.parameters,
    train: (job) => inTurn(job.weights, job.data, () => train(built, job)),
    evaluate: (input) => inTurn(input.weights, input.data, () => evaluate(built, input)),
  };
}

/** McMahan et al. 2017, algorithm 1, ClientUpdate. */
async function train(model: TrainableModel, job: TrainingJob): Promise<TrainingResult> {
  const { data, epochs, learningRate, signal } = job;
  const batchSize = Math.min(job.batchSize, data.examples);
  const batches = Math.ceil(data.examples / batchSize);
  const breath = new Breath();
  let lossSum = 0;
  signal.throwIfAborted();
  model.setWeights(job.weights);
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const order = job.random.permutation(data.examples);
    lossSum = 0;
    for (let batch = 1; batch <= batches; batch++) {
      signal.throwIfAborted();
      const positions = order.subarray((batch - 1) * batchSize, batch * batchSize);
      const loss =
        positions.length <= model.examplesAtATime
          ? await model.step(await readExamples(data, positions), learningRate)
          : await stepInParts(model, job, { positions, breath });
      if (!Number.isFinite(loss)) {
        throw diverged(`The loss became ${loss} at batch ${batch} of ${batches}, epoch ${epoch} of ${epochs}`, job);
      }
      lossSum += loss * positions.length;
      job.onProgress?.({ epoch, epochs, batch, batches, loss });
      const pause = breath.due();
      if (pause !== undefined) await pause;
    }
  }
  signal.throwIfAborted();
  const weights = await model.getWeights();
  // The last step's weights have met no loss yet.
  const wrong = weights.findIndex((weight) => !Number.isFinite(weight));
  if (wrong >= 0) throw diverged(`Weight ${wrong} became ${weights[wrong]} in the last step`, job);
  return { weights, steps: epochs * batches, loss: lossSum / data.examples };
}

/** One step on a batch that is too long for one stretch of work: the same gradient, summed over parts. */
async function stepInParts(
  model: TrainableModel,
  job: TrainingJob,
  options: { positions: Uint32Array; breath: Breath },
): Promise<number> {
  const { positions, breath } = options;
  const slice = model.examplesAtATime;
  let loss = 0;
  try {
    for (let from = 0; from < positions.length; from += slice) {
      const part = positions.subarray(from, from + slice);
      const share = part.length / positions.length;
      loss += share * (await model.accumulate(await readExamples(job.data, part), share));
      await breath.due();
      job.signal.throwIfAborted();
    }
    if (Number.isFinite(loss)) model.descend(job.learningRate);
    return loss;
  } finally {
    model.release();
  }
}

async function evaluate(
  model: TrainableModel,
  input: { weights: Float32Array; data: Dataset; signal: AbortSignal },
): Promise<Judgement> {
  const { data, signal } = input;
  const slice = model.examplesAtATime;
  const breath = new Breath();
  let lossSum = 0;
  let correct = 0;
  signal.throwIfAborted();
  model.setWeights(input.weights);
  for (let from = 0; from < data.examples; from += slice) {
    signal.throwIfAborted();
    const length = Math.min(slice, data.examples - from);
    const { features, labels } = await readExamples(
      data,
      Uint32Array.from({ length }, (_, i) => from + i),
    );
    const logits = await model.logits(features, length);
    for (let row = 0; row < length; row++) {
      const own = logits.subarray(row * data.classes, (row + 1) * data.classes);
      const label = labels[row]!;
      const best = own.indexOf(own.reduce((most, logit) => Math.max(most, logit), Number.NEGATIVE_INFINITY));
      lossSum += crossEntropy(own, label);
      if (best === label) correct++;
    }
    if (!Number.isFinite(lossSum)) {
      throw new ProtocolError(
        "training_diverged",
        `The loss of the model that was to be judged is not finite within examples ${from} to ${from + length - 1}; its ` +
          `training diverged. Lower the learning rate.`,
      );
    }
    await breath.due();
  }
  return { examples: data.examples, lossSum, correct };
}

/** −log softmax(logits)[label], in double precision. */
function crossEntropy(logits: Float32Array, label: number): number {
  const most = logits.reduce((a, b) => Math.max(a, b));
  const norm = logits.reduce((sum, logit) => sum + Math.exp(logit - most), 0);
  return Math.log(norm) + most - logits[label]!;
}

function checkUsable(dataset: Dataset, asked: DataSpec): void {
  checkFits(dataset, asked);
  if (dataset.examples === 0) {
    throw new ProtocolError("bad_data", "The dataset holds no examples; at least one is needed.");
  }
}

function diverged(what: string, { learningRate, batchSize, data }: TrainingJob): ProtocolError {
  return new ProtocolError(
    "training_diverged",
    `${what} (learning rate ${learningRate}, batches of ${Math.min(batchSize, data.examples)}). Lower the learning ` +
      `rate, or bring the features to a similar scale.`,
  );
}
