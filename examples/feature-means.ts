import {
  type Algorithm,
  type ClientHalf,
  exactLane,
  rowsOf,
  type ServerHalf,
  type ServerState,
  widthOf,
} from "@tributary/algorithm";
import Type from "typebox";

/** The mean of every feature over all devices' rows, in one round. */
interface Means extends ServerState {
  readonly model: Float64Array;
}

const client: ClientHalf = {
  async work({ question, data }) {
    const { width } = question.settings as { width: number };
    const { features, count } = await rowsOf(data, width);
    const values = new Float64Array(width + 1);
    for (let i = 0; i < features.length; i++) values[i % width]! += features[i]!;
    values[width] = count;
    return { contribution: { values, weight: count }, next: undefined };
  },

  async evaluate({ data }) {
    return { values: Float64Array.of(data.examples), weight: data.examples };
  },
};

const server: ServerHalf<Means> = {
  init: (spec) => ({ model: new Float64Array(widthOf(spec.data)) }),
  ask: ({ model }) => ({ settings: { width: model.length }, vectors: { model } }),
  step(_state, { lanes }) {
    const examples = lanes["rows"]![0]!;
    return { state: { model: lanes["sums"]!.map((sum) => sum / examples) }, metrics: { examples } };
  },
  judge: ({ lanes }) => ({ examples: lanes["rows"]![0]! }),
  describe: (model) => ({ means: [...model] }),
};

const largest = 1e4;
const mostRows = 1e5;

export const featureMeans: Algorithm<Means> = {
  name: "feature-means",
  linear: true,
  ownModel: true,
  parameters: Type.Object({ name: Type.Literal("feature-means") }, { additionalProperties: false }),
  element: "f64",
  lanes: (spec) => [
    exactLane(spec, "sums", { length: widthOf(spec.data), largest: mostRows * largest }),
    exactLane(spec, "rows", { length: 1, largest: mostRows }),
  ],
  evaluationLanes: (spec) => [exactLane(spec, "rows", { length: 1, largest: mostRows })],
  client,
  server,
};
