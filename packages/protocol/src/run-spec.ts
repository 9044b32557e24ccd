import Type, { type Static, type TSchema } from "typebox";
import { Sha256 } from "./ids.ts";

const strict = { additionalProperties: false } as const;
const Milliseconds = (fallback: number) => Type.Integer({ minimum: 1, maximum: 86_400_000, default: fallback });
const Weights = { weights: Type.Optional(Sha256) };

/** What is trained: a preset built from the data's shape and classes, or a Keras-style topology. `weights` warm-starts. */
export const ModelSpec = Type.Union([
  Type.Object({ preset: Type.Literal("logistic"), ...Weights }, strict),
  Type.Object({ preset: Type.Literal("2nn"), ...Weights }, strict),
  Type.Object({ preset: Type.Literal("cnn"), ...Weights }, strict),
  Type.Object(
    {
      preset: Type.Literal("mlp"),
      hidden: Type.Array(Type.Integer({ minimum: 1, maximum: 65_536 }), { minItems: 1, maxItems: 16 }),
      ...Weights,
    },
    strict,
  ),
  Type.Object({ topology: Type.Object({}), ...Weights }, strict),
]);
export type ModelSpec = Static<typeof ModelSpec>;

/** What a device's data must look like. `shape` is one example's, without the batch. */
export const DataSpec = Type.Object(
  {
    kind: Type.Union([Type.Literal("images"), Type.Literal("table")]),
    shape: Type.Array(Type.Integer({ minimum: 1, maximum: 1_000_000 }), { minItems: 1, maxItems: 4 }),
    classes: Type.Integer({ minimum: 2, maximum: 100_000 }),
  },
  strict,
);
export type DataSpec = Static<typeof DataSpec>;

/**
 * Who takes part in a round. A round asks ⌈size × overSelect⌉ clients and closes at `goal` answers (default: size); at
 * the deadline `minimum` are enough. `fraction` makes size that share of the clients present, never below `minimum`.
 * `population` is how many clients the first round waits for, at most `deadlines.joinMs`. `tags`: only clients with all.
 */
export const CohortSpec = Type.Object(
  {
    size: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
    fraction: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1 })),
    minimum: Type.Integer({ minimum: 1, maximum: 1_000_000, default: 2 }),
    goal: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
    overSelect: Type.Number({ minimum: 1, maximum: 10, default: 1.3 }),
    population: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
    tags: Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { maxItems: 16, default: [] }),
  },
  strict,
);
export type CohortSpec = Static<typeof CohortSpec>;

/** A metric that a run watches, and the value at which the run has reached its target. */
export const TargetSpec = Type.Object(
  {
    metric: Type.String({ minLength: 1, maxLength: 64 }),
    atLeast: Type.Optional(Type.Number()),
    atMost: Type.Optional(Type.Number()),
  },
  strict,
);
export type TargetSpec = Static<typeof TargetSpec>;

export const StopSpec = Type.Object(
  {
    rounds: Type.Integer({ minimum: 1, maximum: 1_000_000 }),
    target: Type.Optional(TargetSpec),
    patienceRounds: Type.Optional(Type.Integer({ minimum: 1 })),
    maxMinutes: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
  },
  strict,
);
export type StopSpec = Static<typeof StopSpec>;

/** Where each model version is judged: on devices' own data, on a set that the operator gave the coordinator, or not. */
export const EvaluationSpec = Type.Union([
  Type.Object({ on: Type.Literal("clients"), everyRounds: Type.Integer({ minimum: 1, default: 1 }) }, strict),
  Type.Object(
    {
      on: Type.Literal("coordinator"),
      data: Type.String({ minLength: 1, maxLength: 64, default: "default" }),
      everyRounds: Type.Integer({ minimum: 1, default: 1 }),
    },
    strict,
  ),
  Type.Object({ on: Type.Literal("nowhere") }, strict),
]);
export type EvaluationSpec = Static<typeof EvaluationSpec>;

/**
 * The schema of a run's specification for a given union of algorithms (packages/catalog has it for all of them).
 * `seed` fixes the initial model and the sampling of cohorts, never a device's secrets.
 */
export function runSpecOf<Algorithm extends TSchema>(algorithm: Algorithm) {
  return Type.Object(
    {
      name: Type.String({ minLength: 1, maxLength: 128 }),
      algorithm,
      model: ModelSpec,
      data: DataSpec,
      cohort: CohortSpec,
      deadlines: Type.Object(
        { joinMs: Milliseconds(30_000), trainMs: Milliseconds(120_000), stepMs: Milliseconds(30_000) },
        { ...strict, default: {} },
      ),
      secureAggregation: Type.Union([Type.Literal("required"), Type.Literal("none")], { default: "required" }),
      evaluation: Type.Unsafe<EvaluationSpec>({ ...EvaluationSpec, default: { on: "clients", everyRounds: 1 } }),
      stop: StopSpec,
      seed: Type.Integer({ minimum: 0, maximum: 2 ** 53 - 1, default: 0 }),
    },
    strict,
  );
}

/** A run's specification, its algorithm's own parameters left open: what everything but an algorithm needs of it. */
export type RunSpec = Static<ReturnType<typeof runSpecOf<typeof AnyAlgorithm>>>;
export const AnyAlgorithm = Type.Object({ name: Type.String() });
