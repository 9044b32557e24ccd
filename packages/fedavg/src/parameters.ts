import Type, { type Static } from "typebox";

const strict = { additionalProperties: false } as const;

/**
 * Federated averaging's own parameters: McMahan et al. 2017 (AISTATS), algorithm 1, η = learningRate, E = epochs,
 * B = batchSize ("all" is ∞). `server` is applied to the mean update: learning rate 1 and momentum 0 is the paper's
 * plain average; momentum β is FedAvgM (Hsu et al. 2019; Reddi et al. 2021, §2).
 */
export const FedAvgParameters = Type.Object(
  {
    name: Type.Literal("fedavg"),
    epochs: Type.Integer({ minimum: 1, maximum: 10_000, default: 1 }),
    batchSize: Type.Union([Type.Integer({ minimum: 1, maximum: 1_000_000 }), Type.Literal("all")], { default: 10 }),
    learningRate: Type.Number({ exclusiveMinimum: 0, maximum: 1000 }),
    /** Under secure aggregation: the largest magnitude of one weight's update, and the bits it is rounded to. */
    clip: Type.Number({ exclusiveMinimum: 0, default: 0.5 }),
    bits: Type.Integer({ minimum: 2, maximum: 24, default: 16 }),
    server: Type.Object(
      {
        learningRate: Type.Number({ exclusiveMinimum: 0, maximum: 1000, default: 1 }),
        momentum: Type.Number({ minimum: 0, exclusiveMaximum: 1, default: 0 }),
      },
      { ...strict, default: {} },
    ),
  },
  strict,
);
export type FedAvgParameters = Static<typeof FedAvgParameters>;
