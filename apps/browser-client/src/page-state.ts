import { computed, effect, signal } from "@preact/signals";
import { isOver, ProtocolError, type RunId } from "@tributary/protocol";
import type { EngineName } from "@tributary/training";
import { Part, register } from "./device/part.ts";
import { fetchOpenRuns, type OpenRun } from "./open-runs.ts";
import { type Resumable, registered, resumption } from "./resumption.ts";
import { nameOfTab } from "./tab.ts";
import type { DataChoice, DataFound, EngineFound } from "./training/messages.ts";
import { Training } from "./training/training.ts";

export type Runs =
  | { readonly kind: "loading" }
  | { readonly kind: "locked"; readonly refusal: string | undefined; readonly busy: boolean }
  | { readonly kind: "unreachable"; readonly detail: string }
  | { readonly kind: "open"; readonly runs: readonly OpenRun[]; readonly stale: boolean };

export type DataState =
  | { readonly kind: "none" }
  | { readonly kind: "reading" }
  | { readonly kind: "refused"; readonly detail: string }
  | { readonly kind: "ready"; readonly found: DataFound; readonly choice: DataChoice };

export type EngineState =
  | { readonly kind: "loading" }
  | { readonly kind: "starting"; readonly engine: EngineName }
  | { readonly kind: "ready"; readonly found: EngineFound }
  | { readonly kind: "failed"; readonly detail: string };

const refreshMs = 4_000;

/** Everything that the page shows, and everything that a person can do on it. */
export class PageState {
  readonly coordinator = location.origin;
  readonly runs = signal<Runs>({ kind: "loading" });
  readonly chosen = signal<RunId | undefined>(undefined);
  readonly data = signal<DataState>({ kind: "none" });
  readonly engine = signal<EngineState>({ kind: "loading" });
  readonly part = signal<Part | undefined>(undefined);
  readonly leaving = signal(false);
  readonly run = computed(() => {
    const runs = this.runs.value;
    return runs.kind === "open" ? runs.runs.find(({ run }) => run === this.chosen.value) : undefined;
  });
  /** Why this device cannot join yet; `undefined` when it can. */
  readonly lacking = computed<"run" | "data" | "mismatch" | "engine" | undefined>(() => {
    if (this.run.value === undefined) return "run";
    if (this.data.value.kind !== "ready") return "data";
    if (!fits(this.data.value.found, this.run.value)) return "mismatch";
    return this.engine.value.kind === "ready" ? undefined : "engine";
  });
  readonly #tab = nameOfTab();
  #joinToken: string | undefined;
  #token: string | undefined;
  #training: Training | undefined;

  /** Looks for runs from now on, and goes on with what a reload interrupted. */
  start(): void {
    void this.#keepLooking();
    const model = computed(() => JSON.stringify(this.run.value?.model));
    effect(() => {
      if (model.value !== undefined) void this.#findEngine();
    });
    const interrupted = resumption.read();
    if (interrupted !== undefined) void this.#resume(interrupted);
  }

  choose(run: RunId): void {
    this.chosen.value = run;
  }

  /** A table's columns, in order. Throws the refusal that says what is wrong with the file. */
  columns(file: File): Promise<readonly string[]> {
    return this.#theTraining().call("columns", { file });
  }

  async open(choice: DataChoice): Promise<void> {
    const reading: DataState = { kind: "reading" };
    this.data.value = reading;
    let next: DataState;
    try {
      next = { kind: "ready", choice, found: await this.#theTraining().call("open", { choice }) };
    } catch (error) {
      next = { kind: "refused", detail: (error as Error).message };
    }
    // Something else may have been chosen meanwhile.
    if (this.data.value === reading) this.data.value = next;
  }

  refuseData(detail: string): void {
    this.data.value = { kind: "refused", detail };
  }

  forgetData(): void {
    this.data.value = { kind: "none" };
  }

  async join(): Promise<void> {
    const tab = await this.#tab;
    const [run, data, engine] = [this.run.value, this.data.value, this.engine.value];
    if (this.part.value !== undefined || this.lacking.value !== undefined || run === undefined) return;
    if (data.kind !== "ready" || engine.kind !== "ready") return;
    resumption.write({ run: run.run, choice: data.choice });
    const device = { coordinator: this.coordinator, tab, engine: engine.found.engine, joinToken: this.#joinToken };
    this.part.value = new Part({ ...device, run, found: data.found }, this.#theTraining());
  }

  /** Tells the coordinator, ends the worker and with it all that was read. */
  async leave(): Promise<void> {
    this.leaving.value = true;
    resumption.clear();
    await this.part.value?.leave();
    this.#forget();
    this.leaving.value = false;
  }

  /** From the end of a part to the choices again. */
  again(): void {
    resumption.clear();
    this.#forget();
    this.part.value = undefined;
    void this.#look();
    void this.#findEngine();
  }

  /** Registers this browser with a coordinator that shows its runs to known devices only. */
  async unlock(joinToken: string): Promise<void> {
    this.runs.value = { kind: "locked", refusal: undefined, busy: true };
    this.#joinToken = joinToken;
    try {
      await this.#register();
      await this.#look();
    } catch (error) {
      this.runs.value = { kind: "locked", refusal: (error as Error).message, busy: false };
    }
  }

  async #register(): Promise<void> {
    const { engine } = await this.#theTraining().call("engine", { model: undefined });
    const device = { coordinator: this.coordinator, tab: await this.#tab, engine, joinToken: this.#joinToken };
    this.#token = await register(device);
    registered.write();
  }

  async #keepLooking(): Promise<void> {
    for (;;) {
      const locked = this.runs.value.kind === "locked";
      if (!document.hidden && this.part.value === undefined && !locked) await this.#look();
      await new Promise((resolve) => setTimeout(resolve, refreshMs));
    }
  }

  async #look(): Promise<void> {
    try {
      const runs = await this.#fetchRuns();
      this.runs.value = { kind: "open", runs, stale: false };
      const current = runs.find(({ run }) => run === this.chosen.value);
      if (current === undefined) this.chosen.value = runs.find(isJoinable)?.run;
    } catch (error) {
      const before = this.runs.value;
      if (error instanceof ProtocolError && error.code === "unauthorized") {
        this.runs.value = { kind: "locked", refusal: undefined, busy: false };
      } else if (before.kind === "open") this.runs.value = { ...before, stale: true };
      else this.runs.value = { kind: "unreachable", detail: (error as Error).message };
    }
  }

  /** With a new token where this tab's device is known and its session ran out. */
  async #fetchRuns(): Promise<OpenRun[]> {
    try {
      return await fetchOpenRuns(this.coordinator, this.#token);
    } catch (error) {
      if (!(error instanceof ProtocolError) || error.code !== "unauthorized" || !registered.read()) throw error;
      await this.#register();
      return fetchOpenRuns(this.coordinator, this.#token);
    }
  }

  async #findEngine(): Promise<void> {
    const model = this.run.value?.model;
    if (model === undefined) return;
    this.engine.value = { kind: "loading" };
    const training = this.#theTraining();
    const wanted = JSON.stringify(model);
    const current = () => training === this.#training && wanted === JSON.stringify(this.run.value?.model);
    try {
      await training.ready;
      const onNews = (engine: EngineName) => {
        if (current()) this.engine.value = { kind: "starting", engine };
      };
      const found = await training.call("engine", { model }, { onNews });
      if (current()) this.engine.value = { kind: "ready", found };
    } catch (error) {
      if (current()) this.engine.value = { kind: "failed", detail: (error as Error).message };
    }
  }

  async #resume({ run, choice }: Resumable): Promise<void> {
    this.choose(run);
    await this.open(choice);
    const stop = effect(() => {
      if (this.lacking.value !== undefined) return;
      queueMicrotask(() => {
        stop();
        void this.join();
      });
    });
  }

  #theTraining(): Training {
    this.#training ??= new Training();
    return this.#training;
  }

  #forget(): void {
    this.#training?.close();
    this.#training = undefined;
    this.data.value = { kind: "none" };
    this.engine.value = { kind: "loading" };
  }
}

/** Whether this page can take part at all. */
export function isJoinable({ tags, phase }: OpenRun): boolean {
  return tags.length === 0 && !isOver(phase);
}

function fits(found: DataFound, { data }: OpenRun): boolean {
  return (
    found.data.kind === data.kind &&
    found.data.shape.join() === data.shape.join() &&
    found.data.classes === data.classes
  );
}
