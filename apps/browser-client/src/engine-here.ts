import { signal } from "@preact/signals";
import type { EngineName } from "@tributary/training";
import type { OpenRun } from "./open-runs.ts";
import type { EngineFound, RoundSize } from "./training/messages.ts";
import type { Training } from "./training/training.ts";

export type EngineState =
  | { readonly kind: "loading" }
  | { readonly kind: "starting"; readonly engine: EngineName }
  /** `speed`, in examples a second of the run's model, is measured last, and joining does not wait for it. */
  | { readonly kind: "ready"; readonly found: EngineFound; readonly speed: number | undefined }
  | { readonly kind: "failed"; readonly detail: string };

/** The engine that this page trains the chosen run's model on, found and measured in the training worker. */
export class EngineHere {
  readonly state = signal<EngineState>({ kind: "loading" });
  /** What a round of the run sends and fetches, once that is known. */
  readonly size = signal<RoundSize | undefined>(undefined);
  /** What it is looked for now; what is found for anything earlier comes too late. */
  #search: object | undefined;

  async find({ model, data, batchSize, spec }: OpenRun, training: Training): Promise<void> {
    const search = {};
    this.#search = search;
    const show = (state: EngineState) => {
      if (this.#search === search) this.state.value = state;
    };
    this.size.value = undefined;
    show({ kind: "loading" });
    try {
      await training.ready;
      const size = await training.call("size", { spec });
      if (this.#search === search) this.size.value = size;
      const found = await training.engine(model, (engine) => show({ kind: "starting", engine }));
      show({ kind: "ready", found, speed: undefined });
      if (model === undefined) return;
      show({ kind: "ready", found, speed: await training.call("speed", { model, data, batchSize }) });
    } catch (error) {
      show({ kind: "failed", detail: (error as Error).message });
    }
  }

  /** After its worker was ended. */
  isGone(): void {
    this.#search = undefined;
    this.state.value = { kind: "loading" };
  }
}
