import type { Algorithm, ClientHalf, ServerHalf } from "@tributary/algorithm";
import type { RunSpec } from "@tributary/protocol";
import type { AveragingState } from "./averaging.ts";
import { evaluate, evaluationLanes, judge, trainingMetrics } from "./evaluation.ts";
import { exactly, trainingLanes } from "./lanes.ts";
import { modelIn } from "./local-training.ts";
import { FedSgdParameters } from "./parameters.ts";
import { startModel, stepModel } from "./server-optimizer.ts";

/** Sends the sum of its examples' gradients: no row counts more or less for the device that it lies on. */
const client: ClientHalf = {
  async work({ question, data, trainer, signal }) {
    const { gradient, loss } = await trainer.gradient({ weights: modelIn(question), data, signal });
    const { examples } = data;
    const values = new Float64Array(gradient.length + 2);
    for (let i = 0; i < gradient.length; i++) values[i] = gradient[i]! * examples;
    values.set([examples, loss * examples], gradient.length);
    return { contribution: { values, weight: examples }, next: undefined };
  },

  async evaluate(input) {
    const { values, weight } = await evaluate(input);
    return { values: Float64Array.from(values), weight };
  },
};

/** Δ = −(Σ gradients / Σ n + l2 · w), which the optimizer takes as the mean update; `objective` is F before the step. */
const server: ServerHalf<AveragingState> = {
  init: (spec, model) => ({ ...startModel(model, parametersOf(spec).server) }),
  ask: (state) => ({ settings: {}, vectors: { model: state.model } }),
  step(state, total, spec) {
    const { l2, server: optimizer } = parametersOf(spec);
    const examples = total.lanes["examples"]![0]!;
    const update = total.lanes["gradient"]!.map((sum, i) => -sum / examples - l2 * state.model[i]!);
    const next = stepModel(state, update, optimizer);
    const metrics = trainingMetrics(total, update);
    const square = state.model.reduce((sum, weight) => sum + weight * weight, 0);
    return {
      state: { ...next },
      metrics: { ...metrics, objective: metrics["trainingLoss"]! + (l2 / 2) * square },
    };
  },
  judge,
};

/** Synchronous data-parallel SGD: equals a step on the cohort's rows together, however they are spread. */
export const fedSgd: Algorithm<AveragingState> = {
  name: "fedsgd",
  linear: true,
  parameters: FedSgdParameters,
  element: "f64",
  lanes: (spec, parameters) => [exactly("gradient", parametersOf(spec).scaleBits, parameters), ...trainingLanes],
  evaluationLanes,
  client,
  server,
};

function parametersOf(spec: RunSpec): FedSgdParameters {
  return spec.algorithm as FedSgdParameters;
}
