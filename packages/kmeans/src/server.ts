import {
  type Question,
  type ServerHalf,
  type ServerState,
  seededRandom,
  type Total,
  widthOf,
} from "@tributary/algorithm";
import { type Metrics, ProtocolError, type RunSpec } from "@tributary/protocol";
import { edgesOf, type Grid, rangeOf } from "@tributary/statistics";
import type { KMeansParameters } from "./parameters.ts";

/** What one round asks. `largest` and `maximumRows` are there where a secure sum must have room for the answer. */
export type KMeansQuestion = {
  readonly clusters: number;
  readonly width: number;
  readonly largest?: number;
  readonly maximumRows?: number;
} & (
  | { readonly phase: "ranges"; readonly grid: Grid }
  | { readonly phase: "sample"; readonly rows: number }
  | { readonly phase: "assign"; readonly batchSize: number | "all" }
);

/** The centres, clusters × width; whether they are there yet; and how far it has come. */
export interface KMeansState extends ServerState {
  readonly model: Float64Array;
  readonly seeded: 0 | 1;
  readonly iterations: number;
  /** With mini-batches: the rows that each centre has met. */
  readonly met: Float64Array;
}

/** The coordinator's half: Lloyd 1982, and with mini-batches Sculley 2010, algorithm 1, over the whole cohort's batch. */
export const kMeansServer: ServerHalf<KMeansState> = {
  init(spec) {
    const { clusters, init } = parametersOf(spec);
    const width = widthOf(spec.data);
    const model = init.kind === "given" ? Float64Array.from(init.centres.flat()) : new Float64Array(clusters * width);
    return { model, seeded: init.kind === "given" ? 1 : 0, iterations: 0, met: new Float64Array(clusters) };
  },

  ask(state, spec): Question {
    const settings: KMeansQuestion = { ...phaseOf(state, spec), ...shapeOf(spec) };
    return { settings, vectors: { model: state.model } };
  },

  step(state, total, spec) {
    if (state.seeded === 1) return iterate(state, total, spec);
    const { init } = parametersOf(spec);
    return init.kind === "ranges" ? drawWithin(state, total, { spec, grid: init.grid }) : seedFrom(state, total, spec);
  },

  judge(total): Metrics {
    return { inertia: total.lanes["inertia"]![0]!, examples: total.lanes["examples"]![0]! };
  },

  describe(model, spec) {
    const width = widthOf(spec.data);
    const { clusters } = parametersOf(spec);
    return { centres: Array.from({ length: clusters }, (_, i) => [...model.subarray(i * width, (i + 1) * width)]) };
  },
};

function phaseOf({ seeded }: KMeansState, spec: RunSpec) {
  const { init, batchSize } = parametersOf(spec);
  if (seeded === 1) return { phase: "assign", batchSize } as const;
  if (init.kind === "ranges") return { phase: "ranges", grid: init.grid } as const;
  const rows = init.kind === "sampled" ? init.rows : 1;
  return { phase: "sample", rows: Math.ceil(rows / spec.cohort.minimum) } as const;
}

function shapeOf(spec: RunSpec) {
  const { clusters, largest, maximumRows } = parametersOf(spec);
  const bounds = spec.secureAggregation === "none" ? {} : { largest, maximumRows };
  return { clusters, width: widthOf(spec.data), ...bounds };
}

/** Each centre to the mean of its rows. One without rows, or with too few to show their mean, stays where it is. */
function iterate(state: KMeansState, total: Total, spec: RunSpec): { state: KMeansState; metrics: Metrics } {
  const { minimumCount, batchSize, clusters } = parametersOf(spec);
  const width = widthOf(spec.data);
  const sums = total.lanes["sums"]!;
  const counts = total.lanes["counts"]!;
  const examples = counts.reduce((sum, count) => sum + count, 0);
  if (examples < clusters) {
    const detail = `${clusters} clusters for ${examples} rows in the whole cohort; take fewer clusters or more devices`;
    throw new ProtocolError("bad_data", detail);
  }
  const model = state.model.slice();
  const met = state.met.slice();
  let [shift, empty, withheld] = [0, 0, 0];
  for (let cluster = 0; cluster < clusters; cluster++) {
    const count = counts[cluster]!;
    if (count === 0) empty++;
    else if (count < minimumCount) withheld++;
    if (count === 0 || count < minimumCount) continue;
    met[cluster]! += count;
    // Over all rows a centre goes to their mean; over batches its step is the batch's share of all rows met so far.
    const rate = batchSize === "all" ? 1 : count / met[cluster]!;
    for (let i = cluster * width; i < (cluster + 1) * width; i++) {
      const before = state.model[i]!;
      const after = rate === 1 ? sums[i]! / count : before + rate * (sums[i]! / count - before);
      model[i] = after;
      shift += (after - before) ** 2;
    }
  }
  const iterations = state.iterations + 1;
  const inertia = total.lanes["inertia"]![0]!;
  return {
    state: { ...state, model, met, iterations },
    metrics: {
      ...(batchSize === "all" ? { inertia } : { batchInertia: inertia }),
      ...{ shift, iterations, examples, emptyClusters: empty, withheldClusters: withheld },
    },
  };
}

/** Each centre is the mean of the rows that the devices sampled for it. */
function seedFrom(state: KMeansState, total: Total, spec: RunSpec): { state: KMeansState; metrics: Metrics } {
  const { init, minimumCount } = parametersOf(spec);
  const needed = Math.max(minimumCount, init.kind === "sampled" ? init.rows : 1);
  const width = widthOf(spec.data);
  const sums = total.lanes["sums"]!;
  const counts = total.lanes["counts"]!;
  const fewest = Math.min(...counts);
  if (fewest < needed) {
    const found = `a first centre would be the mean of ${fewest} rows, and at least ${needed} are wanted`;
    throw new ProtocolError("bad_data", `${found}; raise init.rows above minimumCount, or take devices with more rows`);
  }
  const model = sums.map((sum, i) => sum / counts[Math.floor(i / width)]!);
  return { state: { ...state, model, seeded: 1 }, metrics: { seededClusters: counts.length, sampledRows: fewest } };
}

/** Each centre is drawn uniformly within the ranges of the features, which are edges of the grid. */
function drawWithin(
  state: KMeansState,
  total: Total,
  { spec, grid }: { spec: RunSpec; grid: Grid },
): { state: KMeansState; metrics: Metrics } {
  const { clusters, minimumCount } = parametersOf(spec);
  const width = widthOf(spec.data);
  const edges = edgesOf(grid);
  const bins = edges.length - 1;
  const counts = total.lanes["histogram"]!;
  const ranges = Array.from({ length: width }, (_, j) => {
    const range = rangeOf(counts.subarray(j * bins, (j + 1) * bins), edges, minimumCount);
    if (range !== undefined) return range;
    const detail = `the cohort has fewer than minimumCount (${minimumCount}) rows; take more devices, or a smaller one`;
    throw new ProtocolError("bad_data", detail);
  });
  const random = seededRandom(spec.seed, "kmeans/centres");
  const model = new Float64Array(clusters * width);
  for (let i = 0; i < model.length; i++) {
    const { low, high } = ranges[i % width]!;
    model[i] = low + (high - low) * random.uniform();
  }
  return { state: { ...state, model, seeded: 1 }, metrics: { seededClusters: clusters } };
}

function parametersOf(spec: RunSpec): KMeansParameters {
  return spec.algorithm as KMeansParameters;
}
