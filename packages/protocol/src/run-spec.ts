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
  // Said aloud, for serializers leave out the members that a schema does not name.
  Type.Object({ topology: Type.Object({}, { additionalProperties: true }), ...Weights }, strict),
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
 * the deadline `minimum` are enough. `overSelect` is 1.3 by default where updates are combined in the clear, and 1 under
 * secure aggregation, where a client that is not waited for counts as one that left. `fraction` makes size that share of the clients present, never below `minimum`.
 * `population` is how many clients the first round waits for, at most `deadlines.joinMs`. `tags`: only clients with all.
 */
export const CohortSpec = Type.Object(
  {
    size: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
    fraction: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1 })),
    minimum: Type.Integer({ minimum: 1, maximum: 1_000_000, default: 2 }),
    goal: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
    overSelect: Type.Optional(Type.Number({ minimum: 1, maximum: 10 })),
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
 * How a secure run protects its sums (docs/secure-aggregation.md). `rule`: against a coordinator that deviates at will,
 * or one that only looks. Weights are rounded to 0 … `weightLevels`, `weightCap` examples earning the full weight.
 * `minimumSurvivors`: the smallest cohort whose sum may be opened (default: half the cohort, at least 3).
 */
export const SecureSpec = Type.Object(
  {
    rule: Type.Union([Type.Literal("strict"), Type.Literal("curious")], { default: "strict" }),
    weightLevels: Type.Integer({ minimum: 1, maximum: 65_536, default: 16 }),
    weightCap: Type.Number({ exclusiveMinimum: 0, default: 1_000 }),
    minimumSurvivors: Type.Optional(Type.Integer({ minimum: 3 })),
  },
  { ...strict, default: {} },
);
export type SecureSpec = Static<typeof SecureSpec>;

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
        {
          /** How long a round gathers clients. */
          joinMs: Milliseconds(30_000),
          /** How long the step that waits for training is open. */
          trainMs: Milliseconds(120_000),
          /** How long each other step of a secure round is open. */
          stepMs: Milliseconds(30_000),
          /** How long a secure round whose survivors are fixed waits for their shares before the run fails. */
          unmaskMs: Milliseconds(600_000),
        },
        { ...strict, default: {} },
      ),
      secureAggregation: Type.Union([Type.Literal("required"), Type.Literal("none")], { default: "required" }),
      secure: SecureSpec,
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
