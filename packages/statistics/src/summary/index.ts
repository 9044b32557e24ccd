import {
  type Algorithm,
  type ClientHalf,
  exactLane,
  type Lane,
  rowsOf,
  type ServerHalf,
  type ServerState,
  type Total,
  widthOf,
} from "@tributary/algorithm";
import { type Metrics, ProtocolError, type RunSpec } from "@tributary/protocol";
import Type, { type Static } from "typebox";
import { type Bounds, boundsFor, checkBounds } from "../bounds.ts";
import { edgesOf, Grid, gridFaults, rangeOf } from "../grid.ts";
import { histograms, mergedBins, quantile } from "../histogram.ts";

/**
 * Federated statistics' own parameters. The first round counts over `grid` and finds each feature's range; the second
 * counts over `bins` within it and sums, which gives mean, variance and `quantiles`. Bins of fewer than `minimumCount`
 * rows are merged with their neighbours, and ranges are edges of bins.
 */
const StatisticsParameters = Type.Object(
  {
    name: Type.Literal("statistics"),
    grid: Type.Unsafe<Grid>({ ...Grid, default: { kind: "geometric" } }),
    bins: Type.Integer({ minimum: 2, maximum: 10_000, default: 100 }),
    quantiles: Type.Array(Type.Number({ minimum: 0, maximum: 1 }), { maxItems: 100, default: [0.25, 0.5, 0.75] }),
    minimumCount: Type.Integer({ minimum: 1, maximum: 1_000_000, default: 5 }),
    largest: Type.Number({ exclusiveMinimum: 0, default: 1e4 }),
    maximumRows: Type.Integer({ minimum: 1, maximum: 1_000_000_000, default: 100_000 }),
  },
  { additionalProperties: false },
);
type StatisticsParameters = Static<typeof StatisticsParameters>;
type StatisticsQuestion = Partial<Bounds> & { readonly width: number } & (
    | { readonly phase: "ranges"; readonly grid: Grid }
    | { readonly phase: "sums"; readonly bins: number; readonly figures: number }
  );

/** A feature's figures, one after the other: count, mean, variance, low, high, then the quantiles. */
const fixedFigures = ["count", "mean", "variance", "low", "high"] as const;

interface StatisticsState extends ServerState {
  /** features × figures; in the second round only low and high are known. */
  readonly model: Float64Array;
  readonly ranged: 0 | 1;
}

const client: ClientHalf = {
  async work({ question, data }) {
    const asked = question.settings as unknown as StatisticsQuestion;
    const rows = await rowsOf(data, asked.width);
    checkBounds(rows, asked);
    const answer = (values: Float64Array) => ({ contribution: { values, weight: rows.count }, next: undefined });
    if (asked.phase === "ranges") {
      const edges = edgesOf(asked.grid);
      return answer(histograms(rows, () => edges));
    }
    const { width } = asked;
    const ranges = rangesIn(question.vectors["model"] as Float64Array, asked.figures);
    const counts = histograms(rows, (feature) => binsWithin(ranges[feature]!, asked.bins));
    const values = new Float64Array(counts.length + 2 * width + 1);
    values.set(counts);
    for (let row = 0; row < rows.count; row++) {
      for (let j = 0; j < width; j++) {
        // About the middle of the range, so that a small variance is not lost in a large mean.
        const value = rows.features[row * width + j]! - middleOf(ranges[j]!);
        values[counts.length + j]! += value;
        values[counts.length + width + j]! += value * value;
      }
    }
    values[values.length - 1] = rows.count;
    return answer(values);
  },

  async evaluate({ question, data }) {
    const { width } = question.settings as unknown as StatisticsQuestion;
    const { count } = await rowsOf(data, width);
    return { values: Float64Array.of(count), weight: count };
  },
};

interface Range {
  readonly low: number;
  readonly high: number;
}

const middleOf = ({ low, high }: Range) => (low + high) / 2;
const binsWithin = ({ low, high }: Range, bins: number) => edgesOf({ kind: "linear", from: low, to: high, bins });

function rangesIn(model: Float64Array, figures: number): Range[] {
  return Array.from({ length: model.length / figures }, (_, feature) => ({
    low: model[feature * figures + 3]!,
    high: model[feature * figures + 4]!,
  }));
}

const server: ServerHalf<StatisticsState> = {
  init: (spec) => ({ model: new Float64Array(widthOf(spec.data) * figuresOf(spec)), ranged: 0 }),

  ask(state, spec) {
    const parameters = parametersOf(spec);
    const shared = { width: widthOf(spec.data), ...boundsFor(spec, parameters) };
    const question: StatisticsQuestion =
      state.ranged === 0
        ? { ...shared, phase: "ranges", grid: parameters.grid }
        : { ...shared, phase: "sums", bins: parameters.bins, figures: figuresOf(spec) };
    return { settings: question, vectors: { model: state.model } };
  },

  step(state, total, spec) {
    return state.ranged === 0 ? findRanges(state, total, spec) : summarise(state, total, spec);
  },

  judge: (total) => ({ examples: total.lanes["examples"]![0]! }),

  describe(model, spec) {
    const { quantiles } = parametersOf(spec);
    const figures = figuresOf(spec);
    return {
      features: Array.from({ length: model.length / figures }, (_, feature) => {
        const own = model.subarray(feature * figures, (feature + 1) * figures);
        const fixed = Object.fromEntries(fixedFigures.map((name, i) => [name, own[i]!]));
        return { ...fixed, quantiles: Object.fromEntries(quantiles.map((q, i) => [q, own[fixedFigures.length + i]!])) };
      }),
    };
  },
};

function findRanges(state: StatisticsState, total: Total, spec: RunSpec): { state: StatisticsState; metrics: Metrics } {
  const { grid, minimumCount } = parametersOf(spec);
  const edges = edgesOf(grid);
  const bins = edges.length - 1;
  const counts = total.lanes["histogram"]!;
  const figures = figuresOf(spec);
  const model = state.model.slice();
  const width = widthOf(spec.data);
  for (let feature = 0; feature < width; feature++) {
    const range = rangeOf(counts.subarray(feature * bins, (feature + 1) * bins), edges, minimumCount);
    if (range === undefined) {
      const found = `the cohort has fewer than minimumCount (${minimumCount}) rows`;
      throw new ProtocolError("bad_data", `${found}; take more devices, or a smaller minimumCount`);
    }
    model[feature * figures + 3] = range.low;
    model[feature * figures + 4] = range.high;
  }
  const examples = counts.subarray(0, bins).reduce((sum, count) => sum + count, 0);
  return { state: { model, ranged: 1 }, metrics: { examples, features: width } };
}

function summarise(state: StatisticsState, total: Total, spec: RunSpec): { state: StatisticsState; metrics: Metrics } {
  const { bins, quantiles, minimumCount } = parametersOf(spec);
  const figures = figuresOf(spec);
  const count = total.lanes["rows"]![0]!;
  const model = state.model.slice();
  let [merged, constant] = [0, 0];
  rangesIn(state.model, figures).forEach((range, feature) => {
    const counts = total.lanes["histogram"]!.subarray(feature * bins, (feature + 1) * bins);
    const shown = mergedBins(counts, binsWithin(range, bins), minimumCount);
    merged += counts.filter((rows) => rows > 0 && rows < minimumCount).length;
    const mean = total.lanes["sums"]![feature]! / count;
    const spread = total.lanes["squares"]![feature]! / count - mean * mean;
    // What is left of a constant after rounding.
    const variance = spread < 1e-12 * (range.high - range.low) ** 2 ? 0 : spread;
    if (variance === 0) constant++;
    const low = shown[0]?.from ?? range.low;
    const high = shown.at(-1)?.to ?? range.high;
    const at = quantiles.map((q) => (shown.length === 0 ? Number.NaN : quantile(shown, q)));
    model.set([count, middleOf(range) + mean, variance, low, high, ...at], feature * figures);
  });
  if (!model.every(Number.isFinite)) {
    const found = `the cohort has fewer than minimumCount (${minimumCount}) rows`;
    throw new ProtocolError("bad_data", `${found}; take more devices, or a smaller minimumCount`);
  }
  // What is asked next is over the same ranges, which may have been drawn in.
  return {
    state: { ...state, model },
    metrics: { examples: count, features: widthOf(spec.data), constantFeatures: constant, mergedBins: merged },
  };
}

/** Counts, means, variances, ranges and quantiles of every feature, in two rounds of sums. */
export const statistics: Algorithm<StatisticsState> = {
  name: "statistics",
  linear: true,
  ownModel: true,
  parameters: StatisticsParameters,
  element: "f64",
  faults(spec) {
    const { grid } = parametersOf(spec);
    const { data, stop } = spec;
    const found = gridFaults(grid, "algorithm.grid");
    if (data.kind === "text" || data.kind === "ratings") {
      found.push(`data.kind: statistics takes table, sparse or images, not ${data.kind}`);
    }
    if (stop.rounds < 2) found.push("stop.rounds: statistics takes two rounds, ranges and sums");
    return found;
  },
  lanes(spec, _parameters, state): readonly Lane[] {
    const { grid } = parametersOf(spec);
    return state?.["ranged"] === 1 ? laterLanes(spec) : [histogramLane(spec, edgesOf(grid).length - 1)];
  },
  laterLanes,
  evaluationLanes: (spec) => [exactLane(spec, "examples", { length: 1, largest: parametersOf(spec).maximumRows })],
  client,
  server,
};

function laterLanes(spec: RunSpec): readonly Lane[] {
  const { bins, largest, maximumRows } = parametersOf(spec);
  const width = widthOf(spec.data);
  return [
    histogramLane(spec, bins),
    exactLane(spec, "sums", { length: width, largest: 2 * maximumRows * largest }),
    exactLane(spec, "squares", { length: width, largest: 4 * maximumRows * largest ** 2 }),
    exactLane(spec, "rows", { length: 1, largest: maximumRows }),
  ];
}

function histogramLane(spec: RunSpec, bins: number): Lane {
  const { maximumRows } = parametersOf(spec);
  return exactLane(spec, "histogram", { length: widthOf(spec.data) * bins, largest: maximumRows });
}

function figuresOf(spec: RunSpec): number {
  return fixedFigures.length + parametersOf(spec).quantiles.length;
}

function parametersOf(spec: RunSpec): StatisticsParameters {
  return spec.algorithm as StatisticsParameters;
}
