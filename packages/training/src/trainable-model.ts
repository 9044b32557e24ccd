import type { Examples } from "./examples.ts";

/** What every step adds to the gradient of the loss: slope · w + offset. */
export interface Pull {
  readonly slope: number;
  /** Not changed; length: the model's parameter count. */
  readonly offset: Float32Array;
}

/** One model where an engine does its arithmetic. Calls come one after the other, each after what the last one gave. */
export interface TrainableModel {
  readonly parameters: number;
  /** Examples that one uninterrupted stretch of work, or the memory for it, should at most take. */
  readonly examplesAtATime: number;
  /** Takes a copy of flat weights. */
  setWeights(flat: Float32Array): void;
  getWeights(): Promise<Float32Array>;
  /** What `step` and `descend` add to the gradient from now on; copied. */
  setPull(pull: Pull | undefined): void;
  /** w ← w − η(∇ mean loss + pull). Gives the mean loss before the step; where that is not finite, the weights are of no use now. */
  step(examples: Examples, learningRate: number): Promise<number>;
  /** The mean loss over a part of a batch; its gradient, times the part's share of the batch, is added to a running sum. */
  accumulate(examples: Examples, share: number): Promise<number>;
  /** The running sum of gradients, in an array of its own. */
  gradient(): Promise<Float32Array>;
  /** The step that the running sum of gradients asks for. */
  descend(learningRate: number): void;
  /** Forgets the running sum. */
  release(): void;
  /** Each example's output, row after row: its classes' logits, or the number predicted. */
  outputs(features: Float32Array, examples: number): Promise<Float32Array>;
}
