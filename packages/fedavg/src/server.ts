import type { Question, ServerHalf, ServerState, Total } from "@tributary/algorithm";
import type { Metrics, RunSpec } from "@tributary/protocol";
import type { FedAvgParameters } from "./parameters.ts";
import { stepModel } from "./server-optimizer.ts";

/** The model, and the server optimizer's momentum (empty while there is none). */
export interface FedAvgState extends ServerState {
  readonly model: Float32Array;
  readonly momentum: Float64Array;
}

/** The coordinator's half of federated averaging. */
export const fedAvgServer: ServerHalf<FedAvgState> = {
  init: (_spec, model) => ({ model, momentum: new Float64Array(0) }),

  ask(state, spec): Question {
    const { epochs, batchSize, learningRate } = parametersOf(spec);
    return { settings: { epochs, batchSize, learningRate }, vectors: { model: state.model } };
  },

  step(state, total, spec) {
    const { server } = parametersOf(spec);
    const next = stepModel(state, total.lanes["update"]!, server);
    return { state: { ...state, ...next }, metrics: trainingMetrics(total) };
  },

  judge(total): Metrics {
    const examples = total.lanes["examples"]![0]!;
    return {
      loss: total.lanes["lossSum"]![0]! / examples,
      accuracy: total.lanes["correct"]![0]! / examples,
      examples,
    };
  },
};

function trainingMetrics(total: Total): Metrics {
  const examples = total.lanes["examples"]![0]!;
  return { trainingLoss: total.lanes["lossSum"]![0]! / examples, trainingExamples: examples };
}

function parametersOf(spec: RunSpec): FedAvgParameters {
  return spec.algorithm as FedAvgParameters;
}
