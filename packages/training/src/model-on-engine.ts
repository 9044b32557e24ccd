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
import type { LayersModel } from "@tensorflow/tfjs-layers";
import type { DataSpec } from "@tributary/protocol";
import { withEngine } from "./engines/current-engine.ts";
import type { Examples } from "./examples.ts";
import { buildModel, logitsTopology } from "./models/build-model.ts";
import type { Topology } from "./models/topology.ts";
import { sizeOf } from "./models/weights.ts";

/** A gradient by variable name; its tensors live until they are released. */
export type Gradient = Map<string, Tensor>;

/** One model's tensors on one backend. Every method is one uninterrupted stretch of work. */
export class ModelOnEngine {
  readonly parameters: number;
  /** Multiply-adds that one example takes forward, about. */
  readonly multiplyAdds: number;
  readonly #backend: string;
  readonly #data: DataSpec;
  readonly #model: LayersModel;
  readonly #variables: Variable[];

  constructor(backend: string, topology: Topology, data: DataSpec) {
    this.#backend = backend;
    this.#data = data;
    this.#model = withEngine(backend, () => buildModel(logitsTopology(topology), data));
    // The library's type hides that a layer's variable is a tensor variable.
    this.#variables = this.#model.weights.map((weight) => (weight as unknown as { val: Variable }).val);
    this.parameters = this.#variables.reduce((total, { size }) => total + size, 0);
    // A kernel is used at every place of its layer's output.
    this.multiplyAdds = this.#model.layers.reduce((total, layer) => {
      const output = (layer.outputShape as (number | null)[]).slice(1) as number[];
      return total + layer.countParams() * sizeOf(output.slice(0, -1));
    }, 0);
  }

  setWeights(flat: Float32Array): void {
    this.#do(() => {
      let offset = 0;
      for (const variable of this.#variables) {
        variable.assign(tensor(flat.slice(offset, offset + variable.size), variable.shape));
        offset += variable.size;
      }
    });
  }

  getWeights(): Float32Array {
    const flat = new Float32Array(this.parameters);
    this.#do(() => {
      let offset = 0;
      for (const variable of this.#variables) {
        flat.set(variable.dataSync(), offset);
        offset += variable.size;
      }
    });
    return flat;
  }

  /** w ← w − η∇ mean loss. Gives the mean loss before the step; where that is not finite, no step is taken. */
  step(examples: Examples, learningRate: number): number {
    return this.#do(() => {
      const { value, grads } = variableGrads(() => this.#loss(examples), this.#variables);
      const loss = value.dataSync()[0]!;
      if (Number.isFinite(loss)) this.#descend(grads, learningRate);
      return loss;
    });
  }

  /** The mean loss over a part of a batch; its gradient, times the part's share of the batch, is added to `gradient`. */
  accumulate(examples: Examples, share: number, gradient: Gradient): number {
    return this.#do(() => {
      const { value, grads } = variableGrads(() => this.#loss(examples), this.#variables);
      for (const { name } of this.#variables) {
        const part = mul(grads[name]!, share);
        const before = gradient.get(name);
        gradient.set(name, keep(before === undefined ? part : add(before, part)));
        before?.dispose();
      }
      return value.dataSync()[0]!;
    });
  }

  /** The step that an accumulated gradient asks for. */
  descend(gradient: Gradient, learningRate: number): void {
    this.#do(() => this.#descend(Object.fromEntries(gradient), learningRate));
  }

  release(gradient: Gradient): void {
    this.#do(() => {
      for (const part of gradient.values()) part.dispose();
    });
  }

  /** Each example's logits, row after row. */
  logits(features: Float32Array, examples: number): Float32Array {
    return this.#do(() => {
      const logits = this.#apply(features, examples);
      return logits.dataSync() as Float32Array;
    });
  }

  #descend(gradients: Record<string, Tensor>, learningRate: number): void {
    for (const variable of this.#variables) {
      variable.assign(sub(variable, mul(gradients[variable.name]!, learningRate)));
    }
  }

  #apply(features: Float32Array, examples: number): Tensor2D {
    const input = tensor(features, [examples, ...this.#data.shape]);
    return this.#model.apply(input) as Tensor2D;
  }

  #loss({ features, labels }: Examples): Scalar {
    const logits = this.#apply(features, labels.length);
    return crossEntropy(tensor(oneHot(labels, this.#data.classes), logits.shape))(logits);
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

/** Made here because the WebAssembly backend's own kernel answers with integers whatever type it is asked for. */
function oneHot(labels: Int32Array, classes: number): Float32Array {
  const targets = new Float32Array(labels.length * classes);
  labels.forEach((label, row) => {
    targets[row * classes + label] = 1;
  });
  return targets;
}

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
