import type { Metrics, RunSpec } from "@tributary/protocol";
import type { TSchema } from "typebox";
import type { Random } from "./random.ts";
import type { Dataset, Trainer, TrainingProgress } from "./training.ts";

/**
 * One stretch of the summed vector, and how it is made integers for a secure sum. `update` lanes become the mean weighted
 * by each contribution's weight, of reals clipped to ±`clip` and rounded to `bits` bits; `exact` lanes are added as they
 * are, v · 2^scaleBits as a 48-bit integer. In the clear nothing is clipped or rounded.
 */
export interface Lane {
  readonly name: string;
  readonly length: number;
  readonly encoding:
    | { readonly kind: "update"; readonly clip: number; readonly bits: number }
    | { readonly kind: "exact"; readonly scaleBits: number };
}

/** What a device works out from its own data. Everything in `values` is added over the cohort; nothing else leaves. */
export interface Contribution {
  /** All lanes, one after the other, in the order the algorithm declares them. */
  readonly values: Float32Array | Float64Array;
  /** How much the `update` lanes count in the mean; > 0. */
  readonly weight: number;
}

/** The cohort's contributions, combined: `update` lanes as weighted means, `exact` lanes as sums, by lane name. */
export interface Total {
  readonly lanes: Readonly<Record<string, Float64Array>>;
  /** Sum of the weights; > 0. */
  readonly weight: number;
  readonly contributors: number;
}

/** Vectors by name, and plain JSON settings: what the server asks in one round. */
export interface Question {
  readonly settings: Readonly<Record<string, unknown>>;
  readonly vectors: Readonly<Record<string, Float32Array | Float64Array>>;
}

/**
 * What the server keeps from round to round: the model (a trained model's flat weights, or a vector of the algorithm's
 * own in double precision) and anything else to checkpoint with it.
 */
export interface ServerState {
  readonly model: Float32Array | Float64Array;
  readonly [name: string]: number | Float32Array | Float64Array;
}

/** What a device keeps from one of its rounds to its next: numbers and vectors by name. */
export type KeptState = Readonly<Record<string, number | Float32Array | Float64Array>>;

/** What a device is given for one piece of work. */
export interface Work<Kept> {
  readonly question: Question;
  readonly data: Dataset;
  readonly trainer: Trainer;
  /** What the last committed round that included this device left here; not to be changed. */
  readonly kept: Kept | undefined;
  /** A committed round included this device, and what it left here is gone: `kept` is undefined for want of it. */
  readonly lost: boolean;
  /** Passes over the data that this device can make in a round, where that is fewer than the algorithm may ask for. */
  readonly epochsAtMost?: number | undefined;
  readonly random: Random;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: TrainingProgress) => void;
}

/** The device's half of an algorithm. */
export interface ClientHalf<Kept extends KeptState = KeptState> {
  /** Devices keep something from round to round: `work` always gives `next`. */
  readonly keeps?: true;
  /** One round's contribution. `next` replaces `kept` once the device learns that the committed round included it. */
  work(input: Work<Kept>): Promise<{ contribution: Contribution; next: Kept | undefined }>;
  /** Judges the question's model on the device's own data. */
  evaluate(input: Omit<Work<Kept>, "kept" | "lost" | "epochsAtMost" | "random">): Promise<Contribution>;
}

/** The coordinator's half: pure functions over its state. */
export interface ServerHalf<State extends ServerState = ServerState> {
  /**
   * The state before the first round. `model` is the initial or warm-start model, owned by the state from now on; an
   * algorithm with `ownModel` is given an empty one and makes its own.
   */
  init(spec: RunSpec, model: Float32Array): State;
  ask(state: State, spec: RunSpec): Question;
  /** The state after one round, and what the round's own training reported. */
  step(state: State, total: Total, spec: RunSpec): { state: State; metrics: Metrics };
  /** What an evaluation's total says of the current model. */
  judge(total: Total, spec: RunSpec): Metrics;
  /** What a vector of the algorithm's own means, as JSON: centres by cluster, statistics by column. With `ownModel`. */
  describe?(model: Float64Array, spec: RunSpec): Readonly<Record<string, unknown>>;
}

/** One algorithm: both halves, and the shape of the vector between them. */
export interface Algorithm<State extends ServerState = ServerState, Kept extends KeptState = KeptState> {
  readonly name: string;
  /** Needs only the sum of the contributions, never a single one, so it can run under secure aggregation. */
  readonly linear: boolean;
  /** Schema of this algorithm's member of RunSpec's `algorithm`; its `name` is a literal. */
  readonly parameters: TSchema;
  /**
   * The state's model is a Float64Array of the algorithm's own, not weights of layers: a run has no `model`, devices build
   * no trainer, and `server.describe` says what the vector means.
   */
  readonly ownModel?: true;
  /** The element type of contributions. */
  readonly element: "f32" | "f64";
  /** What of its parameters does not go together or with the rest of the specification, a phrase each. */
  faults?(spec: RunSpec): readonly string[];
  /**
   * The lanes of a training contribution, for a model of `parameters` weights. `state` is what the round begins from; it
   * is absent where a run is only looked over before it is created.
   */
  lanes(spec: RunSpec, parameters: number, state?: ServerState): readonly Lane[];
  /** The lanes of every round after those that begin a run, where these ask for something else. */
  laterLanes?(spec: RunSpec): readonly Lane[];
  /** The lanes of an evaluation's contribution. */
  evaluationLanes(spec: RunSpec): readonly Lane[];
  readonly client: ClientHalf<Kept>;
  readonly server: ServerHalf<State>;
}

/** Elements in all of `lanes`. */
export function lanesLength(lanes: readonly Lane[]): number {
  return lanes.reduce((sum, lane) => sum + lane.length, 0);
}
