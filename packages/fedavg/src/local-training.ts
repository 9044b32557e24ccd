import type { KeptState, Question, TrainingJob, TrainingResult, Work } from "@tributary/algorithm";
import { ProtocolError } from "@tributary/protocol";

interface LocalSettings {
  readonly epochs: number;
  readonly batchSize: number | "all";
  readonly learningRate: number;
}

/** The part of an algorithm's parameters that its devices need. */
export function localSettings({ epochs, batchSize, learningRate }: LocalSettings): LocalSettings {
  return { epochs, batchSize, learningRate };
}

export interface LocalUpdate {
  readonly model: Float32Array;
  readonly trained: TrainingResult;
  /** w_k − w_t, which has the same mean as w_k and a smaller range. */
  readonly delta: Float32Array;
}

/**
 * ClientUpdate of McMahan et al. 2017, algorithm 1, from the question's model. `partial`: whether fewer epochs than asked
 * are of use; throws `wrong_state` where they are not and this device can make no more.
 */
export async function trainLocally<Kept extends KeptState>(
  { question, data, trainer, random, signal, onProgress, epochsAtMost = Number.POSITIVE_INFINITY }: Work<Kept>,
  options: { partial: boolean } & Pick<TrainingJob, "proximal" | "correction">,
): Promise<LocalUpdate> {
  const { partial, ...objective } = options;
  const model = modelIn(question);
  const { epochs, batchSize, learningRate } = question.settings as unknown as LocalSettings;
  if (epochs > epochsAtMost && !partial) {
    const found = `this device makes at most ${epochsAtMost} of the ${epochs} epochs that a round takes`;
    throw new ProtocolError("wrong_state", `${found}; fedprox and fednova accept partial work`);
  }
  const trained = await trainer.train({
    weights: model,
    data,
    epochs: Math.min(epochs, epochsAtMost),
    batchSize: batchSize === "all" ? Number.POSITIVE_INFINITY : batchSize,
    learningRate,
    ...objective,
    random,
    signal,
    onProgress,
  });
  const delta = new Float32Array(model.length);
  for (let i = 0; i < delta.length; i++) delta[i] = trained.weights[i]! - model[i]!;
  return { model, trained, delta };
}

/** The model that a question is about. */
export function modelIn(question: Question): Float32Array {
  return question.vectors["model"] as Float32Array;
}
