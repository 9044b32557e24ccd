import Type, { type Static, type TProperties } from "typebox";
import { ServerOptimizer } from "./server-optimizer.ts";

const strict = { additionalProperties: false } as const;

/** Local SGD on a device: McMahan et al. 2017, algorithm 1, E = epochs, B = batchSize ("all" is ∞), η = learningRate. */
const local = {
  epochs: Type.Integer({ minimum: 1, maximum: 10_000, default: 1 }),
  batchSize: Type.Union([Type.Integer({ minimum: 1, maximum: 1_000_000 }), Type.Literal("all")], { default: 10 }),
  learningRate: Type.Number({ exclusiveMinimum: 0, maximum: 1000 }),
};

/** Under secure aggregation: the largest magnitude of one weight's update, and the bits it is rounded to. */
const clip = (fallback: number) => Type.Number({ exclusiveMinimum: 0, default: fallback });
const bits = Type.Integer({ minimum: 2, maximum: 24, default: 16 });

const server = Type.Unsafe<ServerOptimizer>({ ...ServerOptimizer, default: {} });

const parametersOf = <const Name extends string, Own extends TProperties>(name: Name, own: Own) =>
  Type.Object({ name: Type.Literal(name), ...own }, strict);

/** Federated averaging: McMahan et al. 2017. `server` is applied to the mean update (FedOpt: Reddi et al. 2021). */
export const FedAvgParameters = parametersOf("fedavg", { ...local, clip: clip(0.5), bits, server });
export type FedAvgParameters = Static<typeof FedAvgParameters>;

/** FedProx: `proximal` is Li et al. 2020's μ; a device that can make fewer passes than `epochs` makes those. */
export const FedProxParameters = parametersOf("fedprox", {
  ...local,
  proximal: Type.Number({ minimum: 0, maximum: 1e6, default: 0.01 }),
  clip: clip(0.5),
  bits,
  server,
});
export type FedProxParameters = Static<typeof FedProxParameters>;

/** FedNova (Wang et al. 2020): as FedAvg, each update divided by its steps, so `clip` bounds what one step changes. */
export const FedNovaParameters = parametersOf("fednova", { ...local, clip: clip(0.05), bits, server });
export type FedNovaParameters = Static<typeof FedNovaParameters>;

/**
 * Distributed SGD: one step a round along the gradient of F(w) = mean loss + l2/2 ‖w‖² over all rows of the cohort.
 * Under secure aggregation sums of gradients are added exactly, as 48-bit integers with `scaleBits` binary places.
 */
export const FedSgdParameters = parametersOf("fedsgd", {
  l2: Type.Number({ minimum: 0, maximum: 1000, default: 0 }),
  scaleBits: Type.Integer({ minimum: 0, maximum: 40, default: 24 }),
  server: ServerOptimizer,
});
export type FedSgdParameters = Static<typeof FedSgdParameters>;

/**
 * SCAFFOLD (Karimireddy et al. 2020, algorithm 1, option II). `clients` is N, all that may ever take part: the server's
 * variate moves by 1/N of the sum of the clients' changes. `controlClip` bounds one value of such a change.
 */
export const ScaffoldParameters = parametersOf("scaffold", {
  ...local,
  clients: Type.Integer({ minimum: 1, maximum: 1_000_000 }),
  clip: clip(0.5),
  controlClip: clip(1),
  bits,
  server,
});
export type ScaffoldParameters = Static<typeof ScaffoldParameters>;
