import type { Algorithm, Lane } from "@tributary/algorithm";
import { fedAvgClient } from "./client.ts";
import { FedAvgParameters } from "./parameters.ts";
import { type FedAvgState, fedAvgServer } from "./server.ts";

export type { FedAvgParameters } from "./parameters.ts";
export type { FedAvgState } from "./server.ts";
export { stepModel } from "./server-optimizer.ts";

const exactly = (name: string): Lane => ({ name, length: 1, encoding: { kind: "exact" } });

/** Federated averaging, weighted by examples. McMahan et al. 2017 (AISTATS; arXiv 1602.05629). */
export const fedAvg: Algorithm<FedAvgState> = {
  name: "fedavg",
  linear: true,
  parameters: FedAvgParameters,
  element: "f32",
  lanes: (_spec, parameters) => [
    { name: "update", length: parameters, encoding: { kind: "update" } },
    exactly("examples"),
    exactly("lossSum"),
  ],
  evaluationLanes: [exactly("examples"), exactly("lossSum"), exactly("correct")],
  client: fedAvgClient,
  server: fedAvgServer,
};
