import { Breath } from "../breath.ts";
import type { Examples } from "../examples.ts";
import type { Pull, TrainableModel } from "../trainable-model.ts";
import { type DirectLayer, outputSize, weightSizes } from "./direct-layers.ts";
import { type Kernels, kernelsIn } from "./load.ts";
import { windowLength, writeWindow } from "./window.ts";

/** Multiply-adds, forward, whose activations one batch may keep: some ten examples of McMahan's CNN. */
const multiplyAddsAtATime = 1.5e8;
const pageBytes = 65_536;
const aligned = (bytes: number) => Math.ceil(bytes / 64) * 64;

/** The mean loss of a batch's outputs; puts its gradient by them into `gradient`. */
export type Loss = (outputs: Float32Array, targets: ArrayLike<number>, gradient: Float32Array) => number;

/** A layer and where its things are: addresses in bytes, sizes in floats of one example. */
interface Place {
  readonly layer: DirectLayer;
  readonly window: number;
  readonly kernel: number;
  readonly bias: number;
  readonly outSize: number;
  output: number;
}

/**
 * A sequential model that is trained by calling the kernels layer by layer, without a graph of operations: forward,
 * backward, and the step of plain SGD in the same pass that makes a dense layer's gradient. It lets others have their turn
 * between layers. Its memory is its own and goes with it.
 *
 * Memory: windows | weights | running gradient | the pull's offset, its step (once there is one) | input, outputs, two
 * gradients of outputs, scratch: for the longest batch.
 */
export class DirectModel implements TrainableModel {
  readonly parameters: number;
  readonly examplesAtATime: number;
  readonly #inputSize: number;
  readonly #outputs: number;
  readonly #loss: Loss;
  readonly #memory = new WebAssembly.Memory({ initial: 1 });
  readonly #kernels: Kernels;
  readonly #places: readonly Place[];
  /** Where each stretch of the flat vector is, and how many floats long. */
  readonly #weights: { address: number; length: number }[] = [];
  /** From a weight to its place in the running gradient. */
  readonly #gradientOffset: number;
  #batchArea: number;
  /** The slope of what every step adds to the gradient; its offset is in memory. */
  #slope: number | undefined;
  readonly #scratchBytes: number;
  readonly #breath = new Breath();
  #accumulating = false;
  #room = 0;
  #input = 0;
  /** The gradient by a layer's output and the one by its input take turns in these. */
  #gradients: [number, number] = [0, 0];
  #scratch = 0;

  constructor(code: WebAssembly.Module, layers: readonly DirectLayer[], given: { inputSize: number; loss: Loss }) {
    this.#inputSize = given.inputSize;
    this.#loss = given.loss;
    this.#outputs = outputSize(layers.at(-1)!);
    this.#kernels = kernelsIn(this.#memory, code);
    const windows = aligned(4 * windowLength);
    // Nothing is at address 0: to the kernels that is no bias.
    const firstWeight = windows * (layers.length + 1);
    let at = firstWeight;
    const place = (length: number | undefined) => {
      if (length === undefined) return 0;
      const address = at;
      this.#weights.push({ address, length });
      at += aligned(4 * length);
      return address;
    };
    this.#places = layers.map((layer, index) => {
      const [kernel, bias] = weightSizes(layer);
      const window = windows * (index + 1);
      return { layer, window, kernel: place(kernel), bias: place(bias), outSize: outputSize(layer), output: 0 };
    });
    this.#gradientOffset = at - firstWeight;
    this.#batchArea = at + this.#gradientOffset;
    this.#grow(this.#batchArea);
    this.#aim(1);
    this.#scratchBytes = this.#places.reduce(
      (most, { layer, window }) =>
        layer.kind === "convolution" ? Math.max(most, this.#kernels.convolutionScratch(window)) : most,
      this.#kernels.productScratch(),
    );
    this.parameters = this.#weights.reduce((sum, { length }) => sum + length, 0);
    // A kernel is used at every place of its layer's output.
    const multiplyAdds = layers.reduce((sum, layer) => {
      const [kernel = 0] = weightSizes(layer);
      if (layer.kind === "dense") return sum + kernel * layer.rows;
      return layer.kind === "convolution" ? sum + kernel * layer.window.outHeight * layer.window.outWidth : sum;
    }, 0);
    this.examplesAtATime = Math.max(1, Math.floor(multiplyAddsAtATime / multiplyAdds));
  }

  setWeights(flat: Float32Array): void {
    let from = 0;
    for (const { address, length } of this.#weights) {
      this.#floats(address, length).set(flat.subarray(from, from + length));
      from += length;
    }
  }

  async getWeights(): Promise<Float32Array> {
    return this.#flat(0);
  }

  setPull(pull: Pull | undefined): void {
    this.#slope = pull?.slope;
    if (pull === undefined) return;
    const [offset, step] = [2 * this.#gradientOffset, 3 * this.#gradientOffset];
    const end = this.#weights[0]!.address + step + this.#gradientOffset;
    if (this.#batchArea < end) {
      this.#batchArea = end;
      this.#grow(end);
      this.#room = 0;
    }
    let from = 0;
    for (const { address, length } of this.#weights) {
      this.#floats(address + offset, length).set(pull.offset.subarray(from, from + length));
      from += length;
    }
  }

  async gradient(): Promise<Float32Array> {
    return this.#flat(this.#gradientOffset);
  }

  async step(examples: Examples, learningRate: number): Promise<number> {
    const loss = await this.#forward(examples.features, examples.targets.length, examples.targets);
    if (!Number.isFinite(loss)) return loss;
    this.#preparePull(learningRate);
    await this.#backward(examples.targets.length, -learningRate, 0);
    this.#applyPull();
    return loss;
  }

  async accumulate(examples: Examples, share: number): Promise<number> {
    if (!this.#accumulating) for (const { address, length } of this.#weights) this.#clear(address, length);
    this.#accumulating = true;
    const loss = await this.#forward(examples.features, examples.targets.length, examples.targets);
    if (Number.isFinite(loss)) await this.#backward(examples.targets.length, share, this.#gradientOffset);
    return loss;
  }

  descend(learningRate: number): void {
    this.#preparePull(learningRate);
    for (const { address, length } of this.#weights) {
      this.#kernels.addScaled(length, -learningRate, address + this.#gradientOffset, address);
    }
    this.#applyPull();
  }

  release(): void {
    this.#accumulating = false;
  }

  async outputs(features: Float32Array, examples: number): Promise<Float32Array> {
    await this.#forward(features, examples);
    return this.#floats(this.#places.at(-1)!.output, examples * this.#outputs).slice();
  }

  /** Leaves every layer's output in memory; with targets, gives the mean loss and leaves its gradient in `#gradients[0]`. */
  async #forward(features: Float32Array, batch: number, targets?: ArrayLike<number>): Promise<number> {
    this.#makeRoom(batch);
    this.#aim(batch);
    this.#floats(this.#input, features.length).set(features);
    const kernels = this.#kernels;
    let x = this.#input;
    for (const { layer, window, kernel, bias, output, outSize } of this.#places) {
      switch (layer.kind) {
        case "dense": {
          const { rows, units, inputs, relu } = layer;
          kernels.product(0, 0, batch * rows, units, inputs, x, kernel, bias, output, +relu, this.#scratch);
          break;
        }
        case "convolution":
          kernels.convolve(window, x, kernel, bias, output, +layer.relu, this.#scratch);
          break;
        case "max-pool":
          kernels.maxPool(window, x, output);
          break;
        case "rectifier":
          kernels.rectify(batch * outSize, x, output);
          break;
      }
      x = output;
      const pause = this.#breath.due();
      if (pause !== undefined) await pause;
    }
    if (targets === undefined) return 0;
    const size = batch * this.#outputs;
    return this.#loss(this.#floats(x, size), targets, this.#floats(this.#gradients[0], size));
  }

  /** Adds `scale` · the gradient to what lies `offset` bytes behind each weight: the weights themselves, or the running sum. */
  async #backward(batch: number, scale: number, offset: number): Promise<void> {
    const kernels = this.#kernels;
    let [dy, dx] = this.#gradients;
    const first = this.#places.findIndex(({ kernel }) => kernel > 0);
    for (let index = this.#places.length - 1; index >= first; index--) {
      const { layer, window, kernel, bias, output, outSize } = this.#places[index]!;
      const x = index === 0 ? this.#input : this.#places[index - 1]!.output;
      if ("relu" in layer && layer.relu) kernels.rectifierGradient(batch * outSize, output, dy, dy);
      switch (layer.kind) {
        case "dense": {
          const { inputs, units } = layer;
          const rows = batch * layer.rows;
          // By the input before the weights move.
          if (index > first) kernels.product(0, 1, rows, inputs, units, dy, kernel, 0, dx, 0, this.#scratch);
          kernels.addOuter(inputs, units, rows, x, dy, scale, kernel + offset, this.#scratch);
          if (bias > 0) kernels.addColumnSums(rows, units, dy, scale, bias + offset);
          break;
        }
        case "convolution":
          if (index > first) kernels.convolveInput(window, dy, kernel, dx, this.#scratch);
          this.#addKernelGradient(index, { x, dy, scale, offset });
          if (bias > 0) {
            kernels.addColumnSums(
              (batch * outSize) / layer.window.filters,
              layer.window.filters,
              dy,
              scale,
              bias + offset,
            );
          }
          break;
        case "max-pool":
          kernels.maxPoolGradient(window, x, output, dy, dx);
          break;
        case "rectifier":
          kernels.rectifierGradient(batch * outSize, output, dy, dx);
          break;
      }
      [dy, dx] = [dx, dy];
      const pause = this.#breath.due();
      if (pause !== undefined) await pause;
    }
  }

  /** A convolution's gradient comes image by image: added to weights at once, its small parts would be rounded away. */
  #addKernelGradient(index: number, given: { x: number; dy: number; scale: number; offset: number }): void {
    const { layer, window, kernel } = this.#places[index]!;
    const { x, dy, scale, offset } = given;
    if (offset > 0) {
      this.#kernels.convolveKernel(window, x, dy, scale, kernel + offset, this.#scratch);
      return;
    }
    const [length] = weightSizes(layer) as [number];
    this.#clear(kernel, length);
    this.#kernels.convolveKernel(window, x, dy, 1, kernel + this.#gradientOffset, this.#scratch);
    this.#kernels.addScaled(length, scale, kernel + this.#gradientOffset, kernel);
  }

  /** Works out the pull's part of a step, by the weights before they move. */
  #preparePull(learningRate: number): void {
    if (this.#slope === undefined) return;
    const [offset, step] = [2 * this.#gradientOffset, 3 * this.#gradientOffset];
    for (const { address, length } of this.#weights) {
      this.#floats(address + step, length).fill(0);
      this.#kernels.addScaled(length, -learningRate, address + offset, address + step);
      this.#kernels.addScaled(length, -learningRate * this.#slope, address, address + step);
    }
  }

  #applyPull(): void {
    if (this.#slope === undefined) return;
    const step = 3 * this.#gradientOffset;
    for (const { address, length } of this.#weights) this.#kernels.addScaled(length, 1, address + step, address);
  }

  /** What lies `offset` bytes behind each weight, as one vector. */
  #flat(offset: number): Float32Array {
    const flat = new Float32Array(this.parameters);
    let to = 0;
    for (const { address, length } of this.#weights) {
      flat.set(this.#floats(address + offset, length), to);
      to += length;
    }
    return flat;
  }

  #clear(address: number, length: number): void {
    this.#floats(address + this.#gradientOffset, length).fill(0);
  }

  /** Tells the windows how many images there are. */
  #aim(batch: number): void {
    for (const { layer, window } of this.#places) {
      if ("window" in layer) writeWindow({ ...layer.window, batch }, this.#memory.buffer, window);
    }
  }

  #makeRoom(batch: number): void {
    if (batch <= this.#room) return;
    let at = this.#batchArea;
    const area = (floats: number) => {
      const address = at;
      at += aligned(4 * floats);
      return address;
    };
    this.#input = area(batch * this.#inputSize);
    for (const place of this.#places) place.output = area(batch * place.outSize);
    const widest = Math.max(...this.#places.map(({ outSize }) => outSize));
    this.#gradients = [area(batch * widest), area(batch * widest)];
    this.#scratch = at;
    this.#grow(at + this.#scratchBytes);
    this.#room = batch;
  }

  #grow(bytes: number): void {
    const missing = bytes - this.#memory.buffer.byteLength;
    if (missing > 0) this.#memory.grow(Math.ceil(missing / pageBytes));
  }

  /** A view, good until the memory grows. */
  #floats(address: number, length: number): Float32Array {
    return new Float32Array(this.#memory.buffer, address, length);
  }
}
