import { signal } from "@preact/signals";
import type { DataSpec, ModelSpec, RunId } from "@tributary/protocol";
import { routes } from "@tributary/protocol";
import { fetchBytes, fetchModelVersion } from "./open-runs.ts";
import type { Training } from "./training/training.ts";

/** A run's newest model, to be used in this page. */
export interface TrainedModel {
  readonly run: RunId;
  readonly version: number;
  readonly model: ModelSpec;
  readonly data: DataSpec;
  readonly weights: Float32Array;
}

type State =
  | { readonly kind: "none" | "loading" }
  | { readonly kind: "refused"; readonly detail: string }
  | { readonly kind: "ready"; readonly trained: TrainedModel };

/** The trained model, fetched when the person asks for it. */
export class ModelUse {
  readonly state = signal<State>({ kind: "none" });
  /** Each class's probability for what was asked last. */
  readonly answer = signal<Float32Array | undefined>(undefined);

  forget(): void {
    this.state.value = { kind: "none" };
    this.answer.value = undefined;
  }

  async load(
    from: { readonly coordinator: string; readonly token: string | undefined },
    { run, model, data }: { readonly run: RunId; readonly model: ModelSpec; readonly data: DataSpec },
  ): Promise<void> {
    this.state.value = { kind: "loading" };
    this.answer.value = undefined;
    try {
      const version = await fetchModelVersion(from, run);
      const bytes = await fetchBytes(from, routes.modelWeights(run, version));
      const trained = { run, version, model, data, weights: new Float32Array(bytes) };
      this.state.value = { kind: "ready", trained };
    } catch (error) {
      this.state.value = { kind: "refused", detail: (error as Error).message };
    }
  }

  /** Has the training worker work out what the model makes of one example. */
  async ask(training: Training, features: Float32Array): Promise<void> {
    const state = this.state.value;
    if (state.kind !== "ready") return;
    const { model, data, weights } = state.trained;
    this.answer.value = await training.call("predict", { model, data, weights, features });
  }
}
