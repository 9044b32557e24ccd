import {
  type Dataset,
  type Judgement,
  type Trainer,
  type TrainingJob,
  type TrainingResult,
  targetOf,
} from "@tributary/algorithm";
import { type DataSpec, type ModelSpec, ProtocolError } from "@tributary/protocol";
import { topologyOf } from "@tributary/protocol/topology";
import { Breath } from "./breath.ts";
import type { EngineName } from "./engines/engines.ts";
import { openModel } from "./engines/open-model.ts";
import { checkFits, readExamples } from "./examples.ts";
import type { Pull, TrainableModel } from "./trainable-model.ts";

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
    gradient: (input) => inTurn(input.weights, input.data, () => gradient(built, input)),
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
  model.setPull(pullOf(job));
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
  try {
    const loss = await accumulateInParts(model, job, options);
    if (Number.isFinite(loss)) model.descend(job.learningRate);
    return loss;
  } finally {
    model.release();
  }
}

/** The mean loss over `positions`; its gradient is the model's running sum. */
async function accumulateInParts(
  model: TrainableModel,
  { data, signal }: { data: Dataset; signal: AbortSignal },
  { positions, breath }: { positions: Uint32Array; breath: Breath },
): Promise<number> {
  const slice = model.examplesAtATime;
  let loss = 0;
  for (let from = 0; from < positions.length; from += slice) {
    const part = positions.subarray(from, from + slice);
    const share = part.length / positions.length;
    loss += share * (await model.accumulate(await readExamples(data, part), share));
    await breath.due();
    signal.throwIfAborted();
  }
  return loss;
}

/** What the local objective adds to the gradient: μ(w − weights) + correction. */
function pullOf({ weights, proximal = 0, correction }: TrainingJob): Pull | undefined {
  if (correction !== undefined && correction.length !== weights.length) {
    throw new Error(`a correction of ${correction.length} values was given for ${weights.length} weights`);
  }
  if (proximal === 0 && correction === undefined) return undefined;
  return { slope: proximal, offset: weights.map((weight, i) => (correction?.[i] ?? 0) - proximal * weight) };
}

async function gradient(
  model: TrainableModel,
  { weights, data, signal }: { weights: Float32Array; data: Dataset; signal: AbortSignal },
): Promise<{ gradient: Float32Array; loss: number }> {
  signal.throwIfAborted();
  model.setWeights(weights);
  try {
    const positions = Uint32Array.from({ length: data.examples }, (_, i) => i);
    const loss = await accumulateInParts(model, { data, signal }, { positions, breath: new Breath() });
    if (!Number.isFinite(loss)) {
      throw new ProtocolError(
        "training_diverged",
        `The loss of the model that was to be differentiated is ${loss}; its training diverged. Lower the learning rate.`,
      );
    }
    return { gradient: await model.gradient(), loss };
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
  const numeric = targetOf(data) === "number";
  signal.throwIfAborted();
  model.setWeights(input.weights);
  for (let from = 0; from < data.examples; from += slice) {
    signal.throwIfAborted();
    const length = Math.min(slice, data.examples - from);
    const { features, targets } = await readExamples(
      data,
      Uint32Array.from({ length }, (_, i) => from + i),
    );
    const outputs = await model.outputs(features, length);
    for (let row = 0; row < length; row++) {
      if (numeric) {
        lossSum += (outputs[row]! - targets[row]!) ** 2;
        continue;
      }
      const own = outputs.subarray(row * data.classes, (row + 1) * data.classes);
      const label = targets[row]!;
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
