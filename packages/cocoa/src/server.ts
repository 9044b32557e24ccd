import { type Question, type ServerHalf, type ServerState, type Total, widthOf } from "@tributary/algorithm";
import { type Metrics, ProtocolError, type RunSpec } from "@tributary/protocol";
import type { CocoaParameters } from "./parameters.ts";
import type { Bounds, ProblemSettings } from "./problem.ts";

/** What one round asks. `rows`: n over all devices counted so far; σ′ and γ as `variant` has them. */
export interface CocoaQuestion extends ProblemSettings, Bounds {
  readonly generation: number;
  readonly rows: number;
  readonly lambda: number;
  readonly sigma: number;
  readonly gamma: number;
  readonly passes: number;
}

/** w, and what it is the image of: the rows and devices counted, since the last time that all began anew. */
export interface CocoaState extends ServerState {
  readonly model: Float64Array;
  readonly rows: number;
  readonly devices: number;
  readonly iterations: number;
  readonly generation: number;
}

/** The coordinator's half. Law: w = Σ sign(yᵢ) αᵢ xᵢ / λn over every device that was ever in a committed round. */
export const cocoaServer: ServerHalf<CocoaState> = {
  init: (spec) => ({ model: new Float64Array(widthOf(spec.data)), rows: 0, devices: 0, iterations: 0, generation: 0 }),

  ask(state, spec): Question {
    const { loss, lambda, passes, unitRows, variant, largest, maximumRows } = parametersOf(spec);
    const bounds = spec.secureAggregation === "none" ? {} : { largest, maximumRows };
    const devices = Math.max(1, state.devices);
    const [sigma, gamma] = variant === "cocoa+" ? [devices, 1] : [1, 1 / devices];
    const { generation, rows } = state;
    const settings = { loss, lambda, passes, unitRows, sigma, gamma, generation, rows, ...bounds };
    const question: CocoaQuestion = { ...settings, width: state.model.length };
    return { settings: { ...question }, vectors: { model: state.model } };
  },

  step(state, total, spec) {
    const { variant } = parametersOf(spec);
    const sum = (lane: string) => total.lanes[lane]![0]!;
    if (sum("lost") > 0) return begunAnew(state, sum("lost"));
    const gamma = variant === "cocoa+" ? 1 : 1 / Math.max(1, state.devices);
    const rows = state.rows + sum("newRows");
    // Rows that come in with α = 0 change nothing but n.
    const share = state.rows / rows;
    const update = total.lanes["update"]!;
    const model = state.model.map((weight, i) => share * (weight + gamma * update[i]!));
    if (!model.every(Number.isFinite)) {
      throw new ProtocolError(
        "training_diverged",
        "the model is no longer finite; take a larger lambda, or scale the data",
      );
    }
    const devices = state.devices + sum("newDevices");
    const iterations = state.iterations + (sum("rows") > 0 ? 1 : 0);
    return {
      state: { ...state, model, rows, devices, iterations },
      metrics: { ...certificate(state, total, spec), ...{ devices, rows, iterations } },
    };
  },

  judge(total, spec): Metrics {
    const examples = total.lanes["examples"]![0]!;
    return { loss: total.lanes["lossSum"]![0]! / examples, ...judgedAs(spec, total, examples), examples };
  },

  describe: (model) => ({ coefficients: [...model] }),
};

/**
 * The duality gap P(w) − D(α) of the model that the round began from, if every row was heard of: at least how far its
 * objective is from the best. Throws `bad_data` for a gap below zero, which duals of this model cannot have.
 */
function certificate(state: CocoaState, total: Total, spec: RunSpec): Metrics {
  const { lambda } = parametersOf(spec);
  const rows = total.lanes["rows"]![0]!;
  if (rows === 0) return {};
  const judged = judgedAs(spec, total, rows);
  if (rows !== state.rows) return { ...judged, rowsMissing: state.rows - rows };
  const half = (lambda / 2) * state.model.reduce((sum, weight) => sum + weight * weight, 0);
  const loss = total.lanes["lossSum"]![0]! / rows;
  const [primal, dual] = [loss + half, total.lanes["dualSum"]![0]! / rows - half];
  const gap = primal - dual;
  if (gap < -1e-6 * Math.max(1, Math.abs(primal))) {
    const found = `the duality gap is ${gap}, below zero: some device's dual variables do not belong to this model`;
    throw new ProtocolError("bad_data", `${found}; create the run anew, with devices whose data does not change`);
  }
  return { primal, dual, gap, loss, ...judged };
}

function judgedAs(spec: RunSpec, total: Total, examples: number): Metrics {
  const mean = total.lanes["judged"]![0]! / examples;
  return parametersOf(spec).loss === "squared" ? { rmse: Math.sqrt(mean) } : { accuracy: mean };
}

/** Duals were lost: what they put into w can no longer be taken back, so everyone begins with α = 0 again. */
function begunAnew(state: CocoaState, lost: number): { state: CocoaState; metrics: Metrics } {
  const generation = state.generation + 1;
  const model = new Float64Array(state.model.length);
  return {
    state: { ...state, model, rows: 0, devices: 0, generation },
    metrics: { lostDuals: lost, begunAnew: generation, iterations: state.iterations },
  };
}

function parametersOf(spec: RunSpec): CocoaParameters {
  return spec.algorithm as CocoaParameters;
}
