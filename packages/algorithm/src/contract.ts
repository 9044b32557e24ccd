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

/** What the server keeps from round to round: the model and anything else to checkpoint with it. */
export interface ServerState {
  readonly model: Float32Array;
  readonly [name: string]: number | Float32Array | Float64Array;
}

/** What a device is given for one piece of work. */
export interface Work<Kept> {
  readonly question: Question;
  readonly data: Dataset;
  readonly trainer: Trainer;
  readonly kept: Kept | undefined;
  readonly random: Random;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: TrainingProgress) => void;
}

/** The device's half of an algorithm. */
export interface ClientHalf<Kept = unknown> {
  /** One round's contribution. `next` replaces `kept` once the device learns that the committed round included it. */
  work(input: Work<Kept>): Promise<{ contribution: Contribution; next: Kept | undefined }>;
  /** Judges the question's model on the device's own data. */
  evaluate(input: Omit<Work<Kept>, "kept" | "random">): Promise<Contribution>;
}

/** The coordinator's half: pure functions over its state. */
export interface ServerHalf<State extends ServerState = ServerState> {
  /** The state before the first round. `model` is the initial or warm-start model; owned by the state from now on. */
  init(spec: RunSpec, model: Float32Array): State;
  ask(state: State, spec: RunSpec): Question;
  /** The state after one round, and what the round's own training reported. */
  step(state: State, total: Total, spec: RunSpec): { state: State; metrics: Metrics };
  /** What an evaluation's total says of the current model. */
  judge(total: Total): Metrics;
}

/** One algorithm: both halves, and the shape of the vector between them. */
export interface Algorithm<State extends ServerState = ServerState, Kept = unknown> {
  readonly name: string;
  /** Needs only the sum of the contributions, never a single one, so it can run under secure aggregation. */
  readonly linear: boolean;
  /** Schema of this algorithm's member of RunSpec's `algorithm`; its `name` is a literal. */
  readonly parameters: TSchema;
  /** The element type of contributions. */
  readonly element: "f32" | "f64";
  /** The lanes of a training contribution, for a model of `parameters` weights. */
  lanes(spec: RunSpec, parameters: number): readonly Lane[];
  /** The lanes of an evaluation's contribution. */
  readonly evaluationLanes: readonly Lane[];
  readonly client: ClientHalf<Kept>;
  readonly server: ServerHalf<State>;
}

/** Elements in all of `lanes`. */
export function lanesLength(lanes: readonly Lane[]): number {
  return lanes.reduce((sum, lane) => sum + lane.length, 0);
}
