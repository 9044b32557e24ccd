import Type, { type Static, type TSchema } from "typebox";
import { ProtocolError } from "./errors.ts";
import { Sha256 } from "./ids.ts";

const strict = { additionalProperties: false } as const;
const Milliseconds = (fallback: number) => Type.Integer({ minimum: 1, maximum: 86_400_000, default: fallback });
const Width = (fallback: number) => Type.Integer({ minimum: 1, maximum: 4_096, default: fallback });
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
  Type.Object({ preset: Type.Literal("char-gru"), embedding: Width(8), units: Width(64), ...Weights }, strict),
  Type.Object({ preset: Type.Literal("matrix-factorization"), factors: Width(8), ...Weights }, strict),
  // Said aloud, for serializers leave out the members that a schema does not name.
  Type.Object({ topology: Type.Object({}, { additionalProperties: true }), ...Weights }, strict),
]);
export type ModelSpec = Static<typeof ModelSpec>;

/** Users or items: how many, their names being whole numbers from 0; or all their names in order. */
const Names = Type.Union([
  Type.Integer({ minimum: 1, maximum: 10_000_000 }),
  Type.Array(Type.String({ minLength: 1, maxLength: 128 }), { minItems: 1, maxItems: 100_000, uniqueItems: true }),
]);
export type Names = Static<typeof Names>;
export const countOf = (names: Names) => (typeof names === "number" ? names : names.length);
const Numbers = Type.Array(Type.Number(), { minItems: 1, maxItems: 1_000_000 });

/**
 * What a device's data must look like. `shape` is one example's, without the batch. `target`: what is to be predicted, a
 * class, a number or nothing; `classes` is 0 for all but the first. Text has a `vocabulary`, its characters in the order of
 * their classes; ratings have `users` and `items`. `normalise`: devices train on (x − mean) / deviation, feature by feature,
 * one number for all or one for each; a deviation of 0 counts as 1.
 */
export const DataSpec = Type.Object(
  {
    kind: Type.Union([
      Type.Literal("images"),
      Type.Literal("table"),
      Type.Literal("sparse"),
      Type.Literal("text"),
      Type.Literal("ratings"),
    ]),
    shape: Type.Array(Type.Integer({ minimum: 1, maximum: 1_000_000 }), { minItems: 1, maxItems: 4 }),
    target: Type.Union([Type.Literal("class"), Type.Literal("number"), Type.Literal("none")], { default: "class" }),
    classes: Type.Integer({ minimum: 0, maximum: 100_000 }),
    vocabulary: Type.Optional(Type.String({ minLength: 2, maxLength: 65_536 })),
    users: Type.Optional(Names),
    items: Type.Optional(Names),
    normalise: Type.Optional(Type.Object({ mean: Numbers, deviation: Numbers }, strict)),
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
 * or one that only looks. Weights are rounded to 1 … `weightLevels`, `weightCap` examples earning the full weight.
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
 * `evaluation` is that part's default. `seed` fixes the initial model and the sampling of cohorts, never a device's secrets.
 */
export function runSpecOf<Algorithm extends TSchema>(
  algorithm: Algorithm,
  evaluation: EvaluationSpec = { on: "clients", everyRounds: 1 },
) {
  return Type.Object(
    {
      name: Type.String({ minLength: 1, maxLength: 128 }),
      algorithm,
      /** Left out where the algorithm trains no layers, such as k-means. */
      model: Type.Optional(ModelSpec),
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
      evaluation: Type.Unsafe<EvaluationSpec>({ ...EvaluationSpec, default: evaluation }),
      stop: StopSpec,
      seed: Type.Integer({ minimum: 0, maximum: 2 ** 53 - 1, default: 0 }),
    },
    strict,
  );
}

/** A run's specification, its algorithm's own parameters left open: what everything but an algorithm needs of it. */
export type RunSpec = Static<ReturnType<typeof runSpecOf<typeof AnyAlgorithm>>>;
export const AnyAlgorithm = Type.Object({ name: Type.String() });

/** What one answer may hold: 200 MB of weights, more than a browser tab should be asked for. */
export const maximumWeights = 50_000_000;

/** The layers that a run trains. Throws `bad_spec` for a run that trains none. */
export function modelOf({ model }: Pick<RunSpec, "model">): ModelSpec {
  if (model !== undefined) return model;
  throw new ProtocolError("bad_spec", "model: missing; this run has no layers to train");
}
