export { fedAvg, fedProx } from "./fedavg.ts";
export { fedNova } from "./fednova.ts";
export { fedSgd } from "./fedsgd.ts";
export type {
  FedAvgParameters,
  FedNovaParameters,
  FedProxParameters,
  FedSgdParameters,
  ScaffoldParameters,
} from "./parameters.ts";
export { scaffold } from "./scaffold.ts";
export { type Optimized, type ServerOptimizer, startModel, stepModel } from "./server-optimizer.ts";
