import type { ClientHalf, Lane, ServerHalf, ServerState, TrainingJob } from "@tributary/algorithm";
import type { RunSpec } from "@tributary/protocol";
import { evaluate, judge, trainingMetrics } from "./evaluation.ts";
import { meanOf, trainingLanes } from "./lanes.ts";
import { localSettings, trainLocally } from "./local-training.ts";
import type { FedAvgParameters, FedProxParameters } from "./parameters.ts";
import { type Optimized, startModel, stepModel } from "./server-optimizer.ts";

/** What FedAvg and FedProx have in common: the mean update, weighted by examples, goes to the server's optimizer. */
type Parameters = FedAvgParameters | FedProxParameters;

/** A model and its optimizer's moments, checkpointed together. */
export type AveragingState = Optimized & ServerState;

/** Sends w_k − w_t, weighted by the number of examples, with the sums that make the round's training loss. */
export function averagingClient(accepts: { partial: boolean }): ClientHalf {
  return {
    async work(work) {
      const { examples } = work.data;
      const { proximal } = work.question.settings as Pick<TrainingJob, "proximal">;
      const { delta, trained } = await trainLocally(work, { ...accepts, proximal });
      const values = new Float32Array(delta.length + 2);
      values.set(delta);
      values.set([examples, trained.loss * examples], delta.length);
      return { contribution: { values, weight: examples }, next: undefined };
    },
    evaluate,
  };
}

export function averagingLanes(spec: RunSpec, parameters: number): readonly Lane[] {
  return [meanOf("update", parameters, parametersOf(spec)), ...trainingLanes];
}

export const averagingServer: ServerHalf<AveragingState> = {
  init: (spec, model) => ({ ...startModel(model, parametersOf(spec).server) }),

  ask(state, spec) {
    const parameters = parametersOf(spec);
    const proximal = "proximal" in parameters ? { proximal: parameters.proximal } : {};
    return { settings: { ...localSettings(parameters), ...proximal }, vectors: { model: state.model } };
  },

  step(state, total, spec) {
    const update = total.lanes["update"]!;
    const next = stepModel(state, update, parametersOf(spec).server);
    return { state: { ...next }, metrics: trainingMetrics(total, update) };
  },

  judge,
};

function parametersOf(spec: RunSpec): Parameters {
  return spec.algorithm as Parameters;
}
