import type { DataSpec } from "@tributary/protocol";
import type { Random } from "./random.ts";

/** Where examples' features are written; 64 bits where an exact algorithm wants numbers as their file has them. */
export type Features = Float32Array | Float64Array;
/** Where examples' targets are written: class indices, or the numbers to predict. */
export type Targets = Int32Array | Float32Array | Float64Array;

/**
 * Rows of few values (CSR): those of example i are at `starts[i]` … `starts[i + 1] − 1` of `columns` (ascending, from 0)
 * and `values`; every other value of the row is 0.
 */
export interface SparseRows {
  /** Length: examples + 1. */
  readonly starts: Uint32Array;
  readonly columns: Uint32Array;
  readonly values: Features;
}

/** One device's examples. Only the device's own training code holds one. */
export interface Dataset {
  readonly examples: number;
  /** One example's shape, without the batch. */
  readonly shape: readonly number[];
  /** 0 where the target is no class. */
  readonly classes: number;
  /** What is to be predicted; where it is left out, a class if there are classes, and nothing if there are none. */
  readonly target?: DataSpec["target"];
  /**
   * Writes the examples at `positions` into `features` (positions × shape, row after row; every element is written) and
   * `targets` (one for each; left alone where there is no target). Both buffers belong to the caller.
   */
  batch(positions: Uint32Array, features: Features, targets: Targets): void | Promise<void>;
  /** The same examples, where they are too wide to be written out; its arrays are not to be changed. */
  readonly sparse?: SparseRows;
}

/** What a dataset's examples are to predict. */
export function targetOf(data: Pick<Dataset, "classes" | "target">): DataSpec["target"] {
  return data.target ?? (data.classes > 0 ? "class" : "none");
}

export interface TrainingProgress {
  readonly epoch: number;
  readonly epochs: number;
  readonly batch: number;
  readonly batches: number;
  /** Mean loss of the last batch. */
  readonly loss: number;
}

/** Local SGD on one device: McMahan et al. 2017, algorithm 1, ClientUpdate. */
export interface TrainingJob {
  /** Where training starts; not changed. Length: the model's parameter count. */
  readonly weights: Float32Array;
  readonly data: Dataset;
  readonly epochs: number;
  /** Examples per step; `Infinity` takes the whole set. The last batch of an epoch may be smaller. */
  readonly batchSize: number;
  readonly learningRate: number;
  /** μ of the local objective F(w) + μ/2 ‖w − weights‖², which holds training near its start. Default: 0. */
  readonly proximal?: number | undefined;
  /** Added to each step's gradient; not changed. Length: the model's parameter count. Default: nothing. */
  readonly correction?: Float32Array | undefined;
  /** Orders the examples of each epoch. */
  readonly random: Random;
  readonly signal: AbortSignal;
  readonly onProgress?: ((progress: TrainingProgress) => void) | undefined;
}

export interface TrainingResult {
  /** The weights after training; the caller owns them. */
  readonly weights: Float32Array;
  readonly steps: number;
  /**
   * Mean training loss over the last epoch, each example judged just before the step that used it; of the examples alone,
   * without what the objective adds.
   */
  readonly loss: number;
}

/** Sums over a dataset, so that devices' judgements can be added. */
export interface Judgement {
  readonly examples: number;
  /** Sum of the examples' losses: cross-entropies in nats, or squared errors where a number is predicted. */
  readonly lossSum: number;
  /** Examples whose most likely class is their label; 0 where a number is predicted. */
  readonly correct: number;
}

/** Trains and judges one model on one engine. Knows flat weights only: every layer's, in the model's own order. */
export interface Trainer {
  /** Which engine does the arithmetic: `wasm`, `cpu`, … */
  readonly engine: string;
  /** Length of the flat weight vector. */
  readonly parameters: number;
  /** Throws `ProtocolError("training_diverged")` at the first loss that is not finite; rejects with the signal's reason. */
  train(job: TrainingJob): Promise<TrainingResult>;
  /** The mean loss over all examples and its gradient, which the caller owns. Throws what `train` throws. */
  gradient(input: { weights: Float32Array; data: Dataset; signal: AbortSignal }): Promise<{
    gradient: Float32Array;
    loss: number;
  }>;
  evaluate(input: { weights: Float32Array; data: Dataset; signal: AbortSignal }): Promise<Judgement>;
}
