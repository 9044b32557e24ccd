import type { Question } from "@tributary/algorithm";
import { type DataSpec, type Metrics, type ModelSpec, ProtocolError, type RunSpec } from "@tributary/protocol";
import type { Topology, WeightShape } from "@tributary/training";
import { WorkerCalls, workerFiles } from "./worker-calls.ts";

/** A set on which the operator lets the coordinator judge models, by the name that specs use. */
export type EvaluationSources = Readonly<Record<string, string>>;

/** What the worker is asked; one answer each, by id. */
export type ModelRequest =
  | { readonly type: "initialise"; readonly model: ModelSpec; readonly data: DataSpec; readonly seed: number }
  | { readonly type: "count"; readonly model: ModelSpec; readonly data: DataSpec }
  | { readonly type: "describe"; readonly model: ModelSpec; readonly data: DataSpec }
  | { readonly type: "check"; readonly data: DataSpec; readonly source: string }
  | {
      readonly type: "evaluate";
      readonly model: ModelSpec;
      readonly data: DataSpec;
      readonly source: string;
      readonly weights: Float32Array;
    }
  | { readonly type: "judge"; readonly spec: RunSpec; readonly question: Question; readonly source: string };

export interface ModelDescription {
  readonly topology: Topology;
  readonly weights: readonly WeightShape[];
}

/**
 * Builds and judges models in a worker thread, so that the event loop never waits for arithmetic. The worker starts with
 * the first request.
 */
export class Models {
  readonly #sources: EvaluationSources;
  readonly #calls = new WorkerCalls<ModelRequest>(workerFiles.model);

  constructor(sources: EvaluationSources) {
    this.#sources = sources;
  }

  /** The weights a run starts from: the same for the same model, data and seed. */
  initialise(request: { model: ModelSpec; data: DataSpec; seed: number }): Promise<Float32Array> {
    return this.#ask({ type: "initialise", ...request });
  }

  /** How many weights a model has. Throws `topology_not_approved` for one that devices would refuse. */
  parameterCount(request: { model: ModelSpec; data: DataSpec }): Promise<number> {
    return this.#ask({ type: "count", ...request });
  }

  /** The model's topology, and the tensors that make up its flat weight vector, in order. */
  describe(request: { model: ModelSpec; data: DataSpec }): Promise<ModelDescription> {
    return this.#ask({ type: "describe", ...request });
  }

  /** Throws `bad_spec` unless there is an evaluation set of this name. */
  requireSet(set: string): void {
    this.#source(set);
  }

  /** Throws `bad_spec` unless the evaluation set is there and fits the run's data. */
  checkSet(set: string, data: DataSpec): Promise<void> {
    return this.#ask({ type: "check", data, source: this.#source(set) });
  }

  /** Loss and accuracy of a model on the named evaluation set. */
  evaluate(request: { model: ModelSpec; data: DataSpec; weights: Float32Array; set: string }): Promise<Metrics> {
    const { set, ...rest } = request;
    return this.#ask({ type: "evaluate", ...rest, source: this.#source(set) });
  }

  /** What an algorithm with a model of its own says of it on the named evaluation set. */
  judge(request: { spec: RunSpec; question: Question; set: string }): Promise<Metrics> {
    const { set, ...rest } = request;
    return this.#ask({ type: "judge", ...rest, source: this.#source(set) });
  }

  close(): Promise<void> {
    return this.#calls.close();
  }

  #source(set: string): string {
    const source = this.#sources[set];
    if (source !== undefined) return source;
    const known = Object.keys(this.#sources);
    const offered = known.length === 0 ? "it was started without --evaluation-data" : `it has ${known.join(", ")}`;
    const detail = `this coordinator has no evaluation set "${set}"; ${offered}.`;
    throw ProtocolError.naming("bad_spec", [{ path: "evaluation.data", detail }]);
  }

  async #ask<Value>(request: ModelRequest): Promise<Value> {
    try {
      return await this.#calls.ask<Value>(request);
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause;
      const detail = `it is nested too deep (${cause.message}).`;
      throw ProtocolError.naming("bad_spec", [{ path: "model", detail }], { cause });
    }
  }
}
