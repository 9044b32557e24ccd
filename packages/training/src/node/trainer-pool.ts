import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import type { Dataset, Judgement, Random, Trainer, TrainingProgress, TrainingResult } from "@tributary/algorithm";
import { type DataSpec, type ModelSpec, ProtocolError } from "@tributary/protocol";
import type { EngineName } from "../engines/engines.ts";
import { errorOf, failureOf } from "./failure.ts";
import type { DatasetOutline, FromThread, ThreadWork, ToThread } from "./thread-messages.ts";

/** The compiled file, also when tests run this file's source: Node 20 cannot run TypeScript. */
const threadFile = fileURLToPath(new URL("../../dist/node/training-thread.js", import.meta.url));

/** Engines that use one core by themselves; the others use the whole machine already. */
const singleThreaded: ReadonlySet<EngineName> = new Set<EngineName>(["wasm", "cpu"]);

/** What a job asks of the thread that gave it out. */
interface Job {
  readonly message: Extract<ToThread, { type: "work" }>;
  readonly data?: Dataset;
  readonly random?: Random;
  readonly onProgress?: ((progress: TrainingProgress) => void) | undefined;
  readonly signal?: AbortSignal;
}

/**
 * Trainers whose jobs run on threads of their own, as many at a time as there are threads; further jobs wait. A job's
 * result is that of `createTrainer` bit for bit, however many threads there are: examples and their order are this
 * thread's, and each job runs on one thread alone. Throws `bad_request` for an engine that uses every core by itself.
 */
export class TrainerPool {
  readonly #engine: EngineName;
  readonly #idle: TrainingThread[];
  readonly #threads: readonly TrainingThread[];
  readonly #waiting: ((thread: TrainingThread) => void)[] = [];

  constructor({ engine, threads }: { engine: EngineName; threads: number }) {
    if (!singleThreaded.has(engine)) {
      throw new ProtocolError(
        "bad_request",
        `${engine} uses the whole machine by itself: threads are for wasm and cpu`,
      );
    }
    this.#engine = engine;
    this.#threads = Array.from({ length: threads }, () => new TrainingThread());
    this.#idle = [...this.#threads];
  }

  /** A trainer whose jobs may run at the same time. Rejects as `createTrainer` does. */
  async trainer({ model, data }: { model: ModelSpec; data: DataSpec }): Promise<Trainer> {
    const run = async <Value>(work: ThreadWork, asked: Omit<Job, "message"> = {}) =>
      (await this.#run({ ...asked, message: { type: "work", model, data, engine: this.#engine, work } })) as Value;
    const parameters = await run<number>({ kind: "open" });
    return {
      engine: this.#engine,
      parameters,
      train: ({ data, random, signal, onProgress, ...job }) =>
        run<TrainingResult>({ kind: "train", ...job, data: outlineOf(data) }, { data, random, onProgress, signal }),
      gradient: ({ data, signal, ...job }) =>
        run<{ gradient: Float32Array; loss: number }>(
          { kind: "gradient", ...job, data: outlineOf(data) },
          { data, signal },
        ),
      evaluate: ({ data, signal, ...job }) =>
        run<Judgement>({ kind: "evaluate", ...job, data: outlineOf(data) }, { data, signal }),
    };
  }

  /** Ends every thread, and with an error every job. */
  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }

  async #run(job: Job): Promise<unknown> {
    const thread = this.#idle.pop() ?? (await new Promise<TrainingThread>((resolve) => this.#waiting.push(resolve)));
    try {
      return await thread.run(job);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#idle.push(thread);
      else next(thread);
    }
  }
}

const outlineOf = ({ examples, shape, classes, target }: Dataset): DatasetOutline => ({
  ...{ examples, shape: [...shape], classes },
  ...(target === undefined ? {} : { target }),
});

/** One worker, started with its first job, and the job it is at. */
class TrainingThread {
  #worker: Worker | undefined;
  #settle: { resolve: (value: unknown) => void; reject: (error: Error) => void } | undefined;
  #job: Job | undefined;

  async run(job: Job): Promise<unknown> {
    const { signal } = job;
    signal?.throwIfAborted();
    const worker = this.#start();
    const abort = () => this.#post({ type: "abort" });
    signal?.addEventListener("abort", abort, { once: true });
    worker.ref();
    try {
      return await new Promise((resolve, reject) => {
        this.#job = job;
        this.#settle = { resolve, reject };
        this.#post(job.message);
      });
    } catch (error) {
      // An aborted job rejects with the signal's own reason, which no message could carry.
      signal?.throwIfAborted();
      throw error;
    } finally {
      this.#settle = this.#job = undefined;
      signal?.removeEventListener("abort", abort);
      worker.unref();
    }
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #start(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    // Not this process's own flags: under `--conditions source`, as tests have it, compiled code would load sources.
    const worker = new Worker(threadFile, { execArgv: [] });
    worker.on("message", (message: FromThread) => void this.#receive(message));
    worker.on("error", (error: Error) => this.#settle?.reject(error));
    worker.on("exit", () => {
      this.#worker = undefined;
      this.#settle?.reject(new Error("a training thread ended"));
    });
    this.#worker = worker;
    return worker;
  }

  #post(message: ToThread): void {
    this.#worker?.postMessage(message);
  }

  async #receive(message: FromThread): Promise<void> {
    const job = this.#job;
    if ("progress" in message && message.progress !== undefined) job?.onProgress?.(message.progress);
    switch (message.type) {
      case "read":
        try {
          await job?.data?.batch(message.positions, message.features, message.targets);
          this.#post({ type: "filled" });
        } catch (error) {
          this.#post({ type: "unreadable", failure: failureOf(error) });
        }
        break;
      case "order":
        message.order.set(job!.random!.permutation(message.order.length));
        Atomics.store(message.ready, 0, 1);
        Atomics.notify(message.ready, 0);
        break;
      case "done":
        this.#settle?.resolve(message.value);
        break;
      case "failed":
        this.#settle?.reject(errorOf(message.failure));
    }
  }
}
