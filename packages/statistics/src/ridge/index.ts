import {
  type Algorithm,
  type ClientHalf,
  exactLane,
  type Rows,
  rowsOf,
  type ServerHalf,
  type ServerState,
  widthOf,
} from "@tributary/algorithm";
import { ProtocolError, type RunSpec } from "@tributary/protocol";
import Type, { type Static } from "typebox";
import { type Bounds, boundsFor, checkBounds } from "../bounds.ts";
import { solvePositive } from "./cholesky.ts";

/**
 * Ridge regression's own parameters: w = (XᵀX + lambda I)⁻¹ Xᵀy over all devices' rows, in one round. An `intercept` is
 * not penalised. `largest` bounds a feature and a target, `maximumRows` one device's rows.
 */
const RidgeParameters = Type.Object(
  {
    name: Type.Literal("ridge"),
    lambda: Type.Number({ minimum: 0, default: 1 }),
    intercept: Type.Boolean({ default: false }),
    largest: Type.Number({ exclusiveMinimum: 0, default: 100 }),
    maximumRows: Type.Integer({ minimum: 1, maximum: 1_000_000_000, default: 100_000 }),
  },
  { additionalProperties: false },
);
type RidgeParameters = Static<typeof RidgeParameters>;
type RidgeQuestion = Partial<Bounds> & { readonly width: number; readonly intercept: boolean };

/** The coefficients, and after them the intercept where there is one. */
interface RidgeState extends ServerState {
  readonly model: Float64Array;
}

const client: ClientHalf = {
  async work({ question, data }) {
    const asked = question.settings as unknown as RidgeQuestion;
    const rows = await rowsOf(data, asked.width);
    checkBounds(rows, asked, true);
    return { contribution: { values: normalSums(rows, asked.intercept), weight: rows.count }, next: undefined };
  },

  async evaluate({ question, data }) {
    const { width } = question.settings as unknown as RidgeQuestion;
    const rows = await rowsOf(data, width);
    const model = question.vectors["model"] as Float64Array;
    let squares = 0;
    for (let row = 0; row < rows.count; row++) {
      let error = (model[width] ?? 0) - rows.targets[row]!;
      for (let j = 0; j < width; j++) error += model[j]! * rows.features[row * width + j]!;
      squares += error * error;
    }
    return { values: Float64Array.of(rows.count, squares), weight: rows.count };
  },
};

/** XᵀX by the rows of its upper triangle, Xᵀy, yᵀy and the number of rows; a column of ones is the intercept's. */
function normalSums({ features, targets, count, width }: Rows, intercept: boolean): Float64Array {
  const size = width + (intercept ? 1 : 0);
  const triangle = (size * (size + 1)) / 2;
  const values = new Float64Array(triangle + size + 2);
  const row = new Float64Array(size).fill(1);
  for (let i = 0; i < count; i++) {
    row.set(features.subarray(i * width, (i + 1) * width));
    const target = targets[i]!;
    let at = 0;
    for (let j = 0; j < size; j++) {
      const left = row[j]!;
      for (let k = j; k < size; k++) values[at++]! += left * row[k]!;
      values[triangle + j]! += left * target;
    }
    values[triangle + size]! += target * target;
  }
  values[triangle + size + 1] = count;
  return values;
}

const server: ServerHalf<RidgeState> = {
  init: (spec) => ({ model: new Float64Array(sizeOf(spec)) }),

  ask(state, spec) {
    const parameters = parametersOf(spec);
    const question: RidgeQuestion = {
      width: widthOf(spec.data),
      intercept: parameters.intercept,
      ...boundsFor(spec, parameters),
    };
    return { settings: question, vectors: { model: state.model } };
  },

  step(_state, total, spec) {
    const { lambda, intercept } = parametersOf(spec);
    const size = sizeOf(spec);
    const gram = new Float64Array(size * size);
    const triangle = total.lanes["gram"]!;
    for (let j = 0, at = 0; j < size; j++) {
      for (let k = j; k < size; k++, at++) gram[j * size + k] = gram[k * size + j] = triangle[at]!;
    }
    const penalised = gram.slice();
    for (let j = 0; j < size - (intercept ? 1 : 0); j++) penalised[j * size + j]! += lambda;
    const moments = total.lanes["moments"]!;
    const { solution: model, dependent } = solvePositive(penalised, moments);
    if (dependent !== undefined) {
      const detail = `feature ${dependent} is constant or a combination of the others, so lambda 0 has no one solution`;
      throw new ProtocolError("bad_data", `${detail}; leave it out, or take a lambda above 0`);
    }
    const examples = total.lanes["rows"]![0]!;
    let squares = total.lanes["targetSquares"]![0]!;
    for (let j = 0; j < size; j++) {
      squares -= 2 * model[j]! * moments[j]!;
      for (let k = 0; k < size; k++) squares += model[j]! * gram[j * size + k]! * model[k]!;
    }
    return { state: { model }, metrics: { rmse: Math.sqrt(Math.max(0, squares) / examples), examples } };
  },

  judge(total) {
    const examples = total.lanes["examples"]![0]!;
    return { rmse: Math.sqrt(total.lanes["squaredErrors"]![0]! / examples), examples };
  },

  describe(model, spec) {
    const width = widthOf(spec.data);
    return { coefficients: [...model.subarray(0, width)], intercept: model[width] ?? 0 };
  },
};

/** Ridge regression in closed form by secure normal equations: Hoerl and Kennard 1970, one round. */
export const ridge: Algorithm<RidgeState> = {
  name: "ridge",
  linear: true,
  ownModel: true,
  parameters: RidgeParameters,
  element: "f64",
  faults({ data }) {
    if (data.target !== "number") return [`data.target: ridge predicts a number, not ${data.target}`];
    return data.kind === "table" || data.kind === "sparse" ? [] : [`data.kind: ridge takes a table, not ${data.kind}`];
  },
  lanes(spec) {
    const { largest, maximumRows } = parametersOf(spec);
    const size = sizeOf(spec);
    const products = maximumRows * Math.max(1, largest) ** 2;
    return [
      exactLane(spec, "gram", { length: (size * (size + 1)) / 2, largest: products }),
      exactLane(spec, "moments", { length: size, largest: products }),
      exactLane(spec, "targetSquares", { length: 1, largest: products }),
      exactLane(spec, "rows", { length: 1, largest: maximumRows }),
    ];
  },
  evaluationLanes(spec) {
    const { largest, maximumRows } = parametersOf(spec);
    return [
      exactLane(spec, "examples", { length: 1, largest: maximumRows }),
      exactLane(spec, "squaredErrors", { length: 1, largest: 4 * maximumRows * largest ** 2 }),
    ];
  },
  client,
  server,
};

function sizeOf(spec: RunSpec): number {
  return widthOf(spec.data) + (parametersOf(spec).intercept ? 1 : 0);
}

function parametersOf(spec: RunSpec): RidgeParameters {
  return spec.algorithm as RidgeParameters;
}
