import type { Algorithm } from "@tributary/algorithm";
import { type AveragingState, averagingClient, averagingLanes, averagingServer } from "./averaging.ts";
import { evaluationLanes } from "./evaluation.ts";
import { FedAvgParameters, FedProxParameters } from "./parameters.ts";

const averaging = {
  linear: true,
  element: "f32",
  lanes: averagingLanes,
  evaluationLanes,
  server: averagingServer,
} as const;

/** Federated averaging, weighted by examples. McMahan et al. 2017 (AISTATS; arXiv 1602.05629). */
export const fedAvg: Algorithm<AveragingState> = {
  ...averaging,
  name: "fedavg",
  parameters: FedAvgParameters,
  client: averagingClient({ partial: false }),
};

/** Averaging of devices held near the global model, of which some do less work. Li et al. 2020 (MLSys; 1812.06127). */
export const fedProx: Algorithm<AveragingState> = {
  ...averaging,
  name: "fedprox",
  parameters: FedProxParameters,
  client: averagingClient({ partial: true }),
};
