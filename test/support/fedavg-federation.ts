import type { Algorithm, Dataset, KeptState, Trainer, Work } from "@tributary/algorithm";
import { seededRandom } from "@tributary/algorithm";
import type { RunSpec } from "@tributary/protocol";
import { Fold } from "@tributary/round";

/** A device whose loss is curvature/2 · (w − minimum)²: exact gradients, no noise. */
export interface Quadratic {
  readonly curvature: number;
  readonly minimum: number;
  readonly examples?: number;
}

/** One example makes one step an epoch, so that epochs are steps. */
export function quadraticTrainer({ curvature, minimum }: Quadratic): Trainer {
  const slopeAt = (w: number) => curvature * (w - minimum);
  const lossAt = (w: number) => (curvature / 2) * (w - minimum) ** 2;
  return {
    engine: "by hand",
    parameters: 1,
    async train({ weights, epochs, learningRate, proximal = 0, correction }) {
      let w = weights[0]!;
      for (let step = 0; step < epochs; step++) {
        w -= learningRate * (slopeAt(w) + proximal * (w - weights[0]!) + (correction?.[0] ?? 0));
      }
      return { weights: Float32Array.of(w), steps: epochs, loss: lossAt(w) };
    },
    gradient: async ({ weights }) => ({ gradient: Float32Array.of(slopeAt(weights[0]!)), loss: lossAt(weights[0]!) }),
    evaluate: async ({ weights, data }) => ({
      examples: data.examples,
      lossSum: data.examples * lossAt(weights[0]!),
      correct: 0,
    }),
  };
}

const rows = (examples: number): Dataset => ({ examples, shape: [1], classes: 2, batch() {} });

/** What may befall a device in a round. */
export type Fate = Partial<Pick<Work<KeptState>, "epochsAtMost">> & { readonly forgets?: boolean };

/**
 * Both halves of an algorithm over devices with quadratic losses, all of them in every round: what a coordinator and its
 * devices do, without either.
 */
export class QuadraticFederation {
  readonly #algorithm: Algorithm;
  readonly #spec: RunSpec;
  readonly #devices: readonly Quadratic[];
  readonly #kept = new Map<number, KeptState>();
  #state: ReturnType<Algorithm["server"]["init"]>;

  constructor(algorithm: Algorithm, spec: RunSpec, devices: readonly Quadratic[]) {
    this.#algorithm = algorithm;
    this.#spec = spec;
    this.#devices = devices;
    this.#state = algorithm.server.init(spec, new Float32Array(1));
  }

  get model(): number {
    return this.#state.model[0]!;
  }

  /** One round; gives its metrics. */
  async round(fates: readonly Fate[] = []) {
    const { lanes, client, server } = this.#algorithm;
    const fold = new Fold(lanes(this.#spec, 1));
    const question = server.ask(this.#state, this.#spec);
    for (const [number, device] of this.#devices.entries()) {
      const { forgets = false, ...limits } = fates[number] ?? {};
      const kept = forgets ? undefined : this.#kept.get(number);
      const { contribution, next } = await client.work({
        question,
        data: rows(device.examples ?? 1),
        trainer: quadraticTrainer(device),
        kept,
        lost: forgets && this.#kept.has(number),
        ...limits,
        random: seededRandom(0, "order"),
        signal: new AbortController().signal,
      });
      fold.add(contribution);
      if (next !== undefined) this.#kept.set(number, next);
    }
    const { state, metrics } = server.step(this.#state, fold.total(), this.#spec);
    this.#state = state;
    return metrics;
  }
}
