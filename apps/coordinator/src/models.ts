import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { type DataSpec, type Metrics, type ModelSpec, type Problem, ProtocolError } from "@tributary/protocol";
import type { Topology, WeightShape } from "@tributary/training";

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
    };

export interface ModelDescription {
  readonly topology: Topology;
  readonly weights: readonly WeightShape[];
}

export type ModelReply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly problem: Problem }
  | { readonly id: number; readonly error: string };

/**
 * Builds and judges models in a worker thread, so that the event loop never waits for arithmetic. The worker starts with
 * the first request.
 */
export class Models {
  readonly #sources: EvaluationSources;
  readonly #pending = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  #worker: Worker | undefined;
  #next = 0;

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

  /** Throws `bad_spec` unless the evaluation set is there and fits the run's data. */
  checkSet(set: string, data: DataSpec): Promise<void> {
    return this.#ask({ type: "check", data, source: this.#source(set) });
  }

  /** Loss and accuracy of a model on the named evaluation set. */
  evaluate(request: { model: ModelSpec; data: DataSpec; weights: Float32Array; set: string }): Promise<Metrics> {
    const { set, ...rest } = request;
    return this.#ask({ type: "evaluate", ...rest, source: this.#source(set) });
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #source(set: string): string {
    const source = this.#sources[set];
    if (source !== undefined) return source;
    const known = Object.keys(this.#sources);
    const offered = known.length === 0 ? "it was started without --evaluation-data" : `it has ${known.join(", ")}`;
    throw new ProtocolError(
      "bad_spec",
      `evaluation.data: this coordinator has no evaluation set "${set}"; ${offered}.`,
    );
  }

  #ask<Value>(request: ModelRequest): Promise<Value> {
    const worker = this.#start();
    const id = this.#next++;
    return new Promise<Value>((resolve, reject) => {
      this.#pending.set(id, { resolve: resolve as (value: never) => void, reject });
      try {
        worker.postMessage({ id, request });
      } catch (cause) {
        this.#pending.delete(id);
        reject(new ProtocolError("bad_spec", `model: it is nested too deep (${(cause as Error).message}).`, { cause }));
      }
    });
  }

  #start(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    // Not this process's own flags: under `--conditions source`, as tests have it, compiled code would load sources.
    const worker = new Worker(modelWorkerFile, { execArgv: [] });
    worker.on("message", (reply: ModelReply) => this.#settle(reply));
    worker.on("error", (error) => this.#failAll(error));
    worker.unref();
    this.#worker = worker;
    return worker;
  }

  #settle(reply: ModelReply): void {
    const waiting = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if (waiting === undefined) return;
    if ("value" in reply) waiting.resolve(reply.value as never);
    else if ("problem" in reply) waiting.reject(ProtocolError.from(reply.problem));
    else waiting.reject(new Error(reply.error));
  }

  #failAll(error: Error): void {
    this.#worker = undefined;
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}

/** Always the compiled worker: Node 20 cannot run TypeScript, also when tests run this file's source. */
const modelWorkerFile = fileURLToPath(new URL("../dist/model-worker.js", import.meta.url));
