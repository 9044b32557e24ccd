import type { Algorithm, ClientHalf, ServerHalf } from "@tributary/algorithm";
import type { RunSpec } from "@tributary/protocol";
import type { AveragingState } from "./averaging.ts";
import { evaluate, evaluationLanes, judge, trainingMetrics } from "./evaluation.ts";
import { exactly, meanOf, trainingLanes } from "./lanes.ts";
import { localSettings, trainLocally } from "./local-training.ts";
import { FedNovaParameters } from "./parameters.ts";
import { startModel, stepModel } from "./server-optimizer.ts";

/** Sends the update divided by its steps τ_k, and n_k τ_k. */
const client: ClientHalf = {
  async work(work) {
    const { examples } = work.data;
    const { delta, trained } = await trainLocally(work, { partial: true });
    const values = new Float32Array(delta.length + 3);
    values.set(delta.map((value) => value / trained.steps));
    values.set([examples, trained.loss * examples, examples * trained.steps], delta.length);
    return { contribution: { values, weight: examples }, next: undefined };
  },
  evaluate,
};

/** w ← w + τ_eff Σ p_k Δ_k/τ_k with τ_eff = Σ p_k τ_k and p_k = n_k / Σ n: Wang et al. 2020, equation 7. */
const server: ServerHalf<AveragingState> = {
  init: (spec, model) => ({ ...startModel(model, parametersOf(spec).server) }),
  ask: (state, spec) => ({ settings: { ...localSettings(parametersOf(spec)) }, vectors: { model: state.model } }),
  step(state, total, spec) {
    const effectiveSteps = total.lanes["steps"]![0]! / total.lanes["examples"]![0]!;
    const update = total.lanes["direction"]!.map((value) => effectiveSteps * value);
    const next = stepModel(state, update, parametersOf(spec).server);
    return { state: { ...next }, metrics: { ...trainingMetrics(total, update), effectiveSteps } };
  },
  judge,
};

/** Averaging that is unbiased although devices make different numbers of steps. Wang et al. 2020 (NeurIPS; 2007.07481). */
export const fedNova: Algorithm<AveragingState> = {
  name: "fednova",
  linear: true,
  parameters: FedNovaParameters,
  element: "f32",
  lanes: (spec, parameters) => [
    meanOf("direction", parameters, parametersOf(spec)),
    ...trainingLanes,
    exactly("steps", 0),
  ],
  evaluationLanes,
  client,
  server,
};

function parametersOf(spec: RunSpec): FedNovaParameters {
  return spec.algorithm as FedNovaParameters;
}
