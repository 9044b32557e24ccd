import type { Algorithm, ClientHalf, KeptState, ServerHalf } from "@tributary/algorithm";
import type { RunSpec } from "@tributary/protocol";
import type { AveragingState } from "./averaging.ts";
import { evaluate, evaluationLanes, judge, trainingMetrics } from "./evaluation.ts";
import { exactly, meanOf, trainingLanes } from "./lanes.ts";
import { localSettings, trainLocally } from "./local-training.ts";
import { ScaffoldParameters } from "./parameters.ts";
import { startModel, stepModel } from "./server-optimizer.ts";

/** A device's variate c_i, and the generation of variates that it belongs to. */
interface Variate extends KeptState {
  readonly control: Float64Array;
  readonly generation: number;
}

/** The model, the server's variate c, and which generation of variates this is. */
type ScaffoldState = AveragingState & { readonly control: Float64Array; readonly generation: number };

interface Settings {
  readonly learningRate: number;
  readonly generation: number;
  /** The weight of every device, so that the mean is the plain one. */
  readonly weight: number;
}

/**
 * Option II: y_i ← y_i − η(g_i(y_i) + c − c_i); c_i⁺ = c_i − c + (x − y_i)/(Kη); sends y_i − x and c_i⁺ − c_i. A device
 * that lost c_i says so in place of a change, and begins at zero with everyone else: the server's c had a share of it.
 */
const client: ClientHalf<Variate> = {
  keeps: true,
  async work(work) {
    const { question, data, kept, lost } = work;
    const { learningRate, generation, weight } = question.settings as unknown as Settings;
    const common = question.vectors["control"] as Float32Array;
    const own = kept?.generation === generation ? kept.control : new Float64Array(common.length);
    const correction = lost ? undefined : common.map((value, i) => value - own[i]!);
    const { delta, trained } = await trainLocally(work, { partial: false, correction });
    const { length } = delta;
    const values = new Float32Array(2 * length + 3);
    values.set(delta);
    const control = own.slice();
    if (!lost) {
      for (let i = 0; i < length; i++) {
        values[length + i] = -common[i]! - delta[i]! / (trained.steps * learningRate);
        // What is kept changes by what is sent, to the last bit.
        control[i]! += values[length + i]!;
      }
    }
    values.set([data.examples, trained.loss * data.examples, lost ? 1 : 0], 2 * length);
    return { contribution: { values, weight }, next: { control, generation } };
  },
  evaluate,
};

/** x ← x + η_g/|S| Σ Δy (the server's optimizer); c ← c + 1/N Σ Δc. A lost variate makes all of them begin anew. */
const server: ServerHalf<ScaffoldState> = {
  init: (spec, model) => ({
    ...startModel(model, parametersOf(spec).server),
    control: new Float64Array(model.length),
    generation: 0,
  }),

  ask({ model, control, generation }, spec) {
    const settings = { ...localSettings(parametersOf(spec)), generation, weight: spec.secure.weightCap };
    return { settings, vectors: { model, control: Float32Array.from(control) } };
  },

  step({ control, generation, ...state }, total, spec) {
    const { server: optimizer, clients } = parametersOf(spec);
    const update = total.lanes["update"]!;
    const lostVariates = total.lanes["lost"]![0]!;
    const change = total.lanes["control"]!;
    const share = total.contributors / clients;
    const variates =
      lostVariates === 0
        ? { control: control.map((value, i) => value + share * change[i]!), generation }
        : { control: new Float64Array(control.length), generation: generation + 1 };
    const metrics = { ...trainingMetrics(total, update), lostVariates };
    return { state: { ...stepModel(state as AveragingState, update, optimizer), ...variates }, metrics };
  },

  judge,
};

/** Averaging corrected for client drift by control variates. Karimireddy et al. 2020 (ICML; 1910.06378). */
export const scaffold: Algorithm<ScaffoldState, Variate> = {
  name: "scaffold",
  linear: true,
  parameters: ScaffoldParameters,
  element: "f32",
  faults(spec) {
    const { clients } = parametersOf(spec);
    const { size = 0, population = 0 } = spec.cohort;
    const least = Math.max(size, population);
    if (clients >= least) return [];
    return [
      `algorithm.clients: ${clients} is less than the ${least} that the cohort takes; it is all that may take part`,
    ];
  },
  lanes(spec, parameters) {
    const { clip, controlClip, bits } = parametersOf(spec);
    return [
      meanOf("update", parameters, { clip, bits }),
      meanOf("control", parameters, { clip: controlClip, bits }),
      ...trainingLanes,
      exactly("lost", 0),
    ];
  },
  evaluationLanes,
  client,
  server,
};

function parametersOf(spec: RunSpec): ScaffoldParameters {
  return spec.algorithm as ScaffoldParameters;
}
