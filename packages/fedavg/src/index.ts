import type { Algorithm, Lane } from "@tributary/algorithm";
import { fedAvgClient } from "./client.ts";
import { FedAvgParameters } from "./parameters.ts";
import { type FedAvgState, fedAvgServer } from "./server.ts";

export type { FedAvgParameters } from "./parameters.ts";
export type { FedAvgState } from "./server.ts";
export { stepModel } from "./server-optimizer.ts";

const exactly = (name: string, scaleBits: number): Lane => ({
  name,
  length: 1,
  encoding: { kind: "exact", scaleBits },
});

/** Federated averaging, weighted by examples. McMahan et al. 2017 (AISTATS; arXiv 1602.05629). */
export const fedAvg: Algorithm<FedAvgState> = {
  name: "fedavg",
  linear: true,
  parameters: FedAvgParameters,
  element: "f32",
  lanes(spec, parameters) {
    const { clip, bits } = spec.algorithm as FedAvgParameters;
    return [
      { name: "update", length: parameters, encoding: { kind: "update", clip, bits } },
      exactly("examples", 0),
      exactly("lossSum", 10),
    ];
  },
  evaluationLanes: [exactly("examples", 0), exactly("lossSum", 10), exactly("correct", 0)],
  client: fedAvgClient,
  server: fedAvgServer,
};
