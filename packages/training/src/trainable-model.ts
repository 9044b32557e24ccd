import type { Examples } from "./examples.ts";

/** One model where an engine does its arithmetic. Calls come one after the other, each after what the last one gave. */
export interface TrainableModel {
  readonly parameters: number;
  /** Examples that one uninterrupted stretch of work, or the memory for it, should at most take. */
  readonly examplesAtATime: number;
  /** Takes a copy of flat weights. */
  setWeights(flat: Float32Array): void;
  getWeights(): Promise<Float32Array>;
  /** w ← w − η∇ mean loss. Gives the mean loss before the step; where that is not finite, the weights are of no use now. */
  step(examples: Examples, learningRate: number): Promise<number>;
  /** The mean loss over a part of a batch; its gradient, times the part's share of the batch, is added to a running sum. */
  accumulate(examples: Examples, share: number): Promise<number>;
  /** The step that the running sum of gradients asks for. */
  descend(learningRate: number): void;
  /** Forgets the running sum. */
  release(): void;
  /** Each example's logits, row after row. */
  logits(features: Float32Array, examples: number): Promise<Float32Array>;
}
