import type { Random } from "./random.ts";

/** One device's examples. Only the device's own training code holds one. */
export interface Dataset {
  readonly examples: number;
  /** One example's shape, without the batch. */
  readonly shape: readonly number[];
  readonly classes: number;
  /**
   * Writes the examples at `positions` into `features` (positions × shape, row after row) and `labels` (class indices).
   * Both buffers belong to the caller.
   */
  batch(positions: Uint32Array, features: Float32Array, labels: Int32Array): void | Promise<void>;
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
  /** Orders the examples of each epoch. */
  readonly random: Random;
  readonly signal: AbortSignal;
  readonly onProgress?: ((progress: TrainingProgress) => void) | undefined;
}

export interface TrainingResult {
  /** The weights after training; the caller owns them. */
  readonly weights: Float32Array;
  readonly steps: number;
  /** Mean training loss over the last epoch, each example judged just before the step that used it. */
  readonly loss: number;
}

/** Sums over a dataset, so that devices' judgements can be added. */
export interface Judgement {
  readonly examples: number;
  /** Sum of the examples' losses (mean cross-entropy × examples), in nats. */
  readonly lossSum: number;
  /** Examples whose most likely class is their label. */
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
  evaluate(input: { weights: Float32Array; data: Dataset; signal: AbortSignal }): Promise<Judgement>;
}
