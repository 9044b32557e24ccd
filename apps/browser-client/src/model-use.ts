import { signal } from "@preact/signals";
import type { DataSpec, ModelSpec, RunId } from "@tributary/protocol";
import { routes } from "@tributary/protocol";
import { type From, fetchBytes, fetchModelVersion } from "./open-runs.ts";
import type { Example, Trained } from "./training/messages.ts";
import type { Training } from "./training/training.ts";

/** A run's newest model, to be used in this page. */
export interface TrainedModel extends Trained {
  readonly run: RunId;
  readonly version: number;
  /** Its `model.json`: beside the weights, TensorFlow.js loads both. */
  readonly description: ArrayBuffer;
}

type State = { readonly kind: "none" } | { readonly kind: "ready"; readonly trained: TrainedModel };

/** What a model of text has written after a beginning. */
export interface Written {
  readonly beginning: string;
  readonly text: string;
  readonly done: boolean;
}

/** How much a model of text writes. */
const characters = 160;

/** The trained model, fetched when the person asks for it. */
export class ModelUse {
  readonly state = signal<State>({ kind: "none" });
  readonly isLoading = signal(false);
  /** Each class's probability for what was asked last, or the number predicted. */
  readonly answer = signal<Float32Array | undefined>(undefined);
  readonly written = signal<Written | undefined>(undefined);
  /** Why what was asked last has no answer, or why no model could be fetched. */
  readonly problem = signal("");
  #asking = new AbortController();

  forget(): void {
    this.state.value = { kind: "none" };
    this.clear();
  }

  /** Takes back what was asked last. */
  clear(): void {
    this.#interrupt();
    this.answer.value = undefined;
    this.written.value = undefined;
    this.problem.value = "";
  }

  async load(
    from: From,
    { run, model, data }: { readonly run: RunId; readonly model: ModelSpec; readonly data: DataSpec },
  ): Promise<void> {
    if (this.isLoading.value) return;
    this.clear();
    this.isLoading.value = true;
    try {
      const version = await fetchModelVersion(from, run);
      const [description, bytes] = await Promise.all([
        fetchBytes(from, routes.modelJson(run, version)),
        fetchBytes(from, routes.modelWeights(run, version)),
      ]);
      const trained = { run, version, model, data, description, weights: new Float32Array(bytes) };
      this.state.value = { kind: "ready", trained };
    } catch (error) {
      // What was fetched before can be used on.
      this.problem.value = (error as Error).message;
    } finally {
      this.isLoading.value = false;
    }
  }

  /** What a run without layers learnt, as JSON; `undefined` where it could not be had, which `state` then says. */
  async fetchLearnt(
    from: From,
    run: RunId,
  ): Promise<{ readonly version: number; readonly json: ArrayBuffer } | undefined> {
    this.problem.value = "";
    try {
      const version = await fetchModelVersion(from, run);
      return { version, json: await fetchBytes(from, routes.modelState(run, version)) };
    } catch (error) {
      this.problem.value = (error as Error).message;
      return undefined;
    }
  }

  /** Has the training worker work out what the model makes of one example. */
  ask(training: Training, example: Example): Promise<void> {
    return this.#ask(async ({ model, data, weights }, signal) => {
      const answer = await training.call("predict", { model, data, weights, example }, { signal });
      this.answer.value = answer;
      this.problem.value = "";
    });
  }

  /** Has the training worker go on from a beginning, by a model of text. */
  write(training: Training, beginning: string): Promise<void> {
    return this.#ask(async ({ model, data, weights }, signal) => {
      const show = (text: string, done: boolean) => {
        this.written.value = { beginning, text, done };
      };
      this.problem.value = "";
      show("", false);
      const asked = { model, data, weights, beginning, characters };
      show(await training.call("write", asked, { signal, onNews: (text) => show(text, false) }), true);
    });
  }

  /** Ends what is being asked; what is asked next has a signal of its own. */
  #interrupt(): void {
    this.#asking.abort(new Error("something else was asked"));
    this.#asking = new AbortController();
  }

  /** One question at a time: the newest. */
  async #ask(question: (trained: TrainedModel, signal: AbortSignal) => Promise<void>): Promise<void> {
    const state = this.state.value;
    if (state.kind !== "ready") return;
    this.#interrupt();
    const { signal } = this.#asking;
    try {
      await question(state.trained, signal);
    } catch (error) {
      if (signal.aborted) return;
      this.clear();
      this.problem.value = (error as Error).message;
    }
  }
}
