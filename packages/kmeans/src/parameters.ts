import { Grid } from "@tributary/statistics";
import Type, { type Static } from "typebox";

const strict = { additionalProperties: false } as const;

/**
 * Where the first centres come from. `sampled`: each is the mean of up to `rows` rows of every device, drawn at random and
 * added up; in the clear a device's own sum can be seen, so `rows` must then be at least `minimumCount`. `ranges`: uniformly
 * random within the features' ranges, which a histogram over `grid`, a sum as well, finds first. `given`: by whoever creates
 * the run.
 */
export const KMeansInit = Type.Union([
  Type.Object(
    { kind: Type.Literal("sampled"), rows: Type.Integer({ minimum: 1, maximum: 1_000_000, default: 5 }) },
    strict,
  ),
  Type.Object(
    {
      kind: Type.Literal("ranges"),
      grid: Type.Unsafe<Grid>({ ...Grid, default: { kind: "geometric" } }),
    },
    strict,
  ),
  Type.Object(
    { kind: Type.Literal("given"), centres: Type.Array(Type.Array(Type.Number()), { minItems: 1, maxItems: 10_000 }) },
    strict,
  ),
]);
export type KMeansInit = Static<typeof KMeansInit>;

/**
 * K-means' own parameters. With `batchSize` "all" every round is one iteration of Lloyd 1982 over all rows; else each
 * device takes that many at random (Sculley 2010). A cluster of fewer than `minimumCount` rows keeps its centre: a mean
 * of so few would show them. `largest` and `maximumRows` bound one device's values and rows, so that a secure sum fits.
 */
export const KMeansParameters = Type.Object(
  {
    name: Type.Literal("kmeans"),
    clusters: Type.Integer({ minimum: 1, maximum: 10_000 }),
    init: Type.Unsafe<KMeansInit>({ ...KMeansInit, default: { kind: "sampled" } }),
    batchSize: Type.Union([Type.Integer({ minimum: 1, maximum: 100_000_000 }), Type.Literal("all")], {
      default: "all",
    }),
    minimumCount: Type.Integer({ minimum: 1, maximum: 1_000_000, default: 5 }),
    largest: Type.Number({ exclusiveMinimum: 0, default: 100 }),
    maximumRows: Type.Integer({ minimum: 1, maximum: 1_000_000_000, default: 10_000 }),
  },
  strict,
);
export type KMeansParameters = Static<typeof KMeansParameters>;
