import Type, { type Static } from "typebox";

const strict = { additionalProperties: false } as const;

/**
 * CoCoA's own parameters: min (1/n) Σ ℓ(xᵢᵀw, yᵢ) + (lambda/2) ‖w‖² without a bias. `cocoa` averages the devices' steps
 * (Jaggi et al. 2014), `cocoa+` adds them (Ma et al. 2015). Each device does `passes` × its rows steps of SDCA a round.
 * `unitRows` scales every row to length 1. `largest` bounds a feature (and with `squared` a target), `maximumRows` one
 * device's rows, so that a secure sum has room.
 */
export const CocoaParameters = Type.Object(
  {
    name: Type.Literal("cocoa"),
    variant: Type.Union([Type.Literal("cocoa"), Type.Literal("cocoa+")], { default: "cocoa+" }),
    loss: Type.Union([Type.Literal("hinge"), Type.Literal("logistic"), Type.Literal("squared")], { default: "hinge" }),
    lambda: Type.Number({ exclusiveMinimum: 0, maximum: 1e6, default: 1e-3 }),
    passes: Type.Number({ exclusiveMinimum: 0, maximum: 1000, default: 1 }),
    unitRows: Type.Boolean({ default: false }),
    largest: Type.Number({ exclusiveMinimum: 0, default: 1 }),
    maximumRows: Type.Integer({ minimum: 1, maximum: 1_000_000_000, default: 100_000 }),
  },
  strict,
);
export type CocoaParameters = Static<typeof CocoaParameters>;
export type Loss = CocoaParameters["loss"];
