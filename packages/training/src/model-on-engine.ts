import {
  add,
  customGrad,
  div,
  exp,
  type GradSaveFunc,
  keep,
  log,
  max,
  mean,
  mul,
  type Scalar,
  sub,
  sum,
  type Tensor,
  type Tensor2D,
  tensor,
  tidy,
  type Variable,
  variableGrads,
} from "@tensorflow/tfjs-core";
import type { LayersModel, SymbolicTensor } from "@tensorflow/tfjs-layers";
import type { DataSpec } from "@tributary/protocol";
import type { Topology } from "@tributary/protocol/topology";
import { withEngine } from "./engines/current-engine.ts";
import type { Examples } from "./examples.ts";
import { buildModel, logitsTopology } from "./models/build-model.ts";
import { sizeOf } from "./models/weights.ts";
import type { Pull, TrainableModel } from "./trainable-model.ts";

/**
 * One model's tensors on one backend. Every method queues its arithmetic in one uninterrupted stretch of work; what it
 * resolves to is read back afterwards, for a graphics processor answers only when others get their turn.
 */
export class ModelOnEngine implements TrainableModel {
  readonly parameters: number;
  readonly examplesAtATime: number;
  readonly #backend: string;
  readonly #data: DataSpec;
  readonly #model: LayersModel;
  readonly #variables: Variable[];
  /** The running sum of gradients, by variable name. */
  readonly #gradient = new Map<string, Tensor>();
  #pull: { readonly slope: number; readonly offsets: readonly Tensor[] } | undefined;

  /** `multiplyAddsAtATime`: what one uninterrupted stretch of work may take, forward. */
  constructor(backend: string, topology: Topology, data: DataSpec, multiplyAddsAtATime: number) {
    this.#backend = backend;
    this.#data = data;
    this.#model = withEngine(backend, () => buildModel(logitsTopology(topology, data), data));
    // The library's type hides that a layer's variable is a tensor variable.
    this.#variables = this.#model.weights.map((weight) => (weight as unknown as { val: Variable }).val);
    this.parameters = this.#variables.reduce((total, { size }) => total + size, 0);
    const multiplyAdds = this.#model.layers.reduce((total, layer) => total + multiplyAddsOf(layer), 0);
    this.examplesAtATime = Math.max(1, Math.floor(multiplyAddsAtATime / multiplyAdds));
  }

  setWeights(flat: Float32Array): void {
    this.#do(() => {
      this.#tensorsOf(flat).forEach((part, index) => {
        this.#variables[index]!.assign(part);
      });
    });
  }

  getWeights(): Promise<Float32Array> {
    return this.#flat(this.#variables);
  }

  setPull(pull: Pull | undefined): void {
    this.#do(() => {
      for (const offset of this.#pull?.offsets ?? []) offset.dispose();
      this.#pull = pull && { slope: pull.slope, offsets: this.#tensorsOf(pull.offset).map((part) => keep(part)) };
    });
  }

  gradient(): Promise<Float32Array> {
    return this.#flat(this.#variables.map(({ name }) => this.#gradient.get(name)!));
  }

  step(examples: Examples, learningRate: number): Promise<number> {
    return this.#read(() => {
      const { value, grads } = variableGrads(() => this.#loss(examples), this.#variables);
      this.#descend(grads, learningRate);
      return value;
    }).then(first);
  }

  accumulate(examples: Examples, share: number): Promise<number> {
    return this.#read(() => {
      const { value, grads } = variableGrads(() => this.#loss(examples), this.#variables);
      for (const { name } of this.#variables) {
        const part = mul(grads[name]!, share);
        const before = this.#gradient.get(name);
        this.#gradient.set(name, keep(before === undefined ? part : add(before, part)));
        before?.dispose();
      }
      return value;
    }).then(first);
  }

  descend(learningRate: number): void {
    this.#do(() => this.#descend(Object.fromEntries(this.#gradient), learningRate));
  }

  release(): void {
    this.#do(() => {
      for (const part of this.#gradient.values()) part.dispose();
    });
    this.#gradient.clear();
  }

  outputs(features: Float32Array, examples: number): Promise<Float32Array> {
    return this.#read(() => this.#apply(features, examples));
  }

  #descend(gradients: Record<string, Tensor>, learningRate: number): void {
    this.#variables.forEach((variable, index) => {
      const own = gradients[variable.name]!;
      const slope =
        this.#pull === undefined ? own : add(own, pulled(variable, this.#pull.slope, this.#pull.offsets[index]!));
      variable.assign(sub(variable, mul(slope, learningRate)));
    });
  }

  /** A flat vector as tensors of the variables' shapes. */
  #tensorsOf(flat: Float32Array): Tensor[] {
    let from = 0;
    return this.#variables.map(({ size, shape }) => {
      from += size;
      return tensor(flat.slice(from - size, from), shape);
    });
  }

  async #flat(parts: readonly Tensor[]): Promise<Float32Array> {
    const flat = new Float32Array(this.parameters);
    let offset = 0;
    for (const values of await Promise.all(parts.map((part) => part.data()))) {
      flat.set(values, offset);
      offset += values.length;
    }
    return flat;
  }

  #apply(features: Float32Array, examples: number): Tensor2D {
    const input = tensor(features, [examples, ...this.#data.shape]);
    return this.#model.apply(input) as Tensor2D;
  }

  #loss({ features, targets }: Examples): Scalar {
    const outputs = this.#apply(features, targets.length);
    if (this.#data.target === "number") return squaredError(tensor(Float32Array.from(targets), outputs.shape))(outputs);
    return crossEntropy(tensor(oneHot(targets, this.#data.classes), outputs.shape))(outputs);
  }

  /** The values of the tensor that `work` gives. */
  async #read(work: () => Tensor): Promise<Float32Array> {
    const result = this.#do(() => keep(work()));
    try {
      return (await result.data()) as Float32Array;
    } finally {
      result.dispose();
    }
  }

  #do<Result>(work: () => Result): Result {
    return withEngine(this.#backend, () => {
      const results: Result[] = [];
      tidy(() => {
        results.push(work());
      });
      return results[0]!;
    });
  }
}

const pulled = (weights: Tensor, slope: number, offset: Tensor) => add(mul(weights, slope), offset);

/** What one example takes a layer, forward. */
function multiplyAddsOf(layer: LayersModel["layers"][number]): number {
  const sizes = (shape: unknown) => (shape as (number | null)[]).slice(1) as number[];
  const output = sizes(layer.outputShape);
  switch (layer.getClassName()) {
    // Rows are looked up.
    case "Embedding":
      return sizeOf(output);
    case "GRU":
      return layer.countParams() * sizes((layer.input as SymbolicTensor).shape)[0]!;
    // A kernel is used at every place of its layer's output.
    default:
      return layer.countParams() * sizeOf(output.slice(0, -1));
  }
}

const first = (values: Float32Array) => values[0]!;

/** Made here because the WebAssembly backend's own kernel answers with integers whatever type it is asked for. */
function oneHot(labels: Examples["targets"], classes: number): Float32Array {
  const targets = new Float32Array(labels.length * classes);
  labels.forEach((label, row) => {
    targets[row * classes + label] = 1;
  });
  return targets;
}

/** Mean squared error of outputs with `targets`; without a kernel of its own, which some backends lack. */
const squaredError = (targets: Tensor) => (outputs: Tensor) => {
  const difference = sub(outputs, targets);
  return mean(mul(difference, difference)) as Scalar;
};

/** Mean cross-entropy of logits with `targets`, never by way of the logarithm of a softmax that may have become 0. */
const crossEntropy = (targets: Tensor) =>
  customGrad((...inputs) => {
    const [logits, save] = inputs as unknown as [Tensor2D, GradSaveFunc];
    const shifted = sub(logits, max(logits, -1, true));
    const exponentials = exp(shifted);
    const norm = sum(exponentials, -1, true);
    save([sub(div(exponentials, norm), targets)]);
    const losses = sub(log(norm), sum(mul(targets, shifted), -1, true));
    return {
      value: mean(losses) as Scalar,
      gradFunc: (upstream: Tensor, [difference]: Tensor[]) => mul(difference!, mul(upstream, 1 / logits.shape[0])),
    };
  }) as unknown as (logits: Tensor2D) => Scalar;
