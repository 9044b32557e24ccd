import {
  type Algorithm,
  type ClientHalf,
  exactLane,
  rowsOf,
  type ServerHalf,
  type ServerState,
  widthOf,
} from "@tributary/algorithm";
import type { RunSpec } from "@tributary/protocol";
import Type, { type Static } from "typebox";

/**
 * Bigram counts' own parameters: how often each class follows each. A prediction adds `smoothing` to every count. Pairs
 * seen less than `minimumCount` times over all devices are withheld: they count as never seen.
 */
const BigramParameters = Type.Object(
  {
    name: Type.Literal("bigrams"),
    smoothing: Type.Number({ exclusiveMinimum: 0, default: 0.1 }),
    minimumCount: Type.Integer({ minimum: 1, maximum: 1_000_000, default: 5 }),
    maximumRows: Type.Integer({ minimum: 1, maximum: 1_000_000_000, default: 1_000_000 }),
  },
  { additionalProperties: false },
);
type BigramParameters = Static<typeof BigramParameters>;
interface BigramQuestion extends Readonly<Record<string, unknown>> {
  readonly width: number;
  readonly classes: number;
  readonly smoothing: number;
}

/** classes × classes counts: row a, column b is how often b follows a. */
interface BigramState extends ServerState {
  readonly model: Float64Array;
}

const client: ClientHalf = {
  async work({ question, data }) {
    const { width, classes } = question.settings as BigramQuestion;
    const rows = await rowsOf(data, width);
    const counts = new Float64Array(classes * classes);
    for (let row = 0; row < rows.count; row++) {
      counts[rows.features[(row + 1) * width - 1]! * classes + rows.targets[row]!]! += 1;
    }
    return { contribution: { values: counts, weight: rows.count }, next: undefined };
  },

  async evaluate({ question, data }) {
    const { width, classes, smoothing } = question.settings as BigramQuestion;
    const model = question.vectors["model"] as Float64Array;
    const rows = await rowsOf(data, width);
    const followed = Array.from({ length: classes }, (_, before) => {
      const row = model.subarray(before * classes, (before + 1) * classes);
      return {
        sum: row.reduce((sum, count) => sum + count, 0),
        likeliest: row.indexOf(row.reduce((a, b) => Math.max(a, b))),
      };
    });
    let [lossSum, correct] = [0, 0];
    for (let row = 0; row < rows.count; row++) {
      const before = rows.features[(row + 1) * width - 1]!;
      const after = rows.targets[row]!;
      const { sum, likeliest } = followed[before]!;
      lossSum -= Math.log((model[before * classes + after]! + smoothing) / (sum + smoothing * classes));
      if (after === likeliest) correct += 1;
    }
    return { values: Float64Array.of(rows.count, lossSum, correct), weight: rows.count };
  },
};

const server: ServerHalf<BigramState> = {
  init: ({ data: { classes } }) => ({ model: new Float64Array(classes * classes) }),

  ask(state, spec) {
    const { smoothing } = parametersOf(spec);
    const question: BigramQuestion = { width: widthOf(spec.data), classes: spec.data.classes, smoothing };
    return { settings: question, vectors: { model: state.model } };
  },

  step(_state, total, spec) {
    const { minimumCount } = parametersOf(spec);
    const counts = total.lanes["counts"]!;
    const model = counts.map((count) => (count < minimumCount ? 0 : count));
    const withheld = counts.filter((count) => count > 0 && count < minimumCount).length;
    const examples = counts.reduce((sum, count) => sum + count, 0);
    return {
      state: { model },
      metrics: { examples, pairs: model.filter((count) => count > 0).length, withheldPairs: withheld },
    };
  },

  judge(total) {
    const examples = total.lanes["examples"]![0]!;
    return { loss: total.lanes["lossSum"]![0]! / examples, accuracy: total.lanes["correct"]![0]! / examples, examples };
  },

  describe(model, { data: { classes } }) {
    return { counts: Array.from({ length: classes }, (_, i) => [...model.subarray(i * classes, (i + 1) * classes)]) };
  },
};

/** How often each character (or other class) follows each, in one round of sums. */
export const bigrams: Algorithm<BigramState> = {
  name: "bigrams",
  linear: true,
  ownModel: true,
  parameters: BigramParameters,
  element: "f64",
  faults({ data }) {
    const found = data.kind === "text" ? [] : [`data.kind: bigrams takes text, not ${data.kind}`];
    if (data.classes > 2_000) found.push(`data.classes: ${data.classes}² counts are too many; at most 2000 classes`);
    return found;
  },
  lanes(spec) {
    const { classes } = spec.data;
    return [exactLane(spec, "counts", { length: classes * classes, largest: parametersOf(spec).maximumRows })];
  },
  evaluationLanes(spec) {
    const { maximumRows } = parametersOf(spec);
    return [
      exactLane(spec, "examples", { length: 1, largest: maximumRows }),
      // The rarest pair costs ln of all counts and smoothings, which is far below 64 nats.
      exactLane(spec, "lossSum", { length: 1, largest: 64 * maximumRows }),
      exactLane(spec, "correct", { length: 1, largest: maximumRows }),
    ];
  },
  client,
  server,
};

function parametersOf(spec: RunSpec): BigramParameters {
  return spec.algorithm as BigramParameters;
}
