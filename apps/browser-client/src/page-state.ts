import { computed, effect, signal } from "@preact/signals";
import { isOver, ProtocolError, type RunId } from "@tributary/protocol";
import type { EngineName } from "@tributary/training";
import { Accuracy } from "./accuracy.ts";
import type { Address } from "./address.ts";
import type { DeviceHere } from "./device/messages.ts";
import { Part, register } from "./device/part.ts";
import { forgetPin } from "./device/pins.ts";
import { DeviceUse } from "./device-use.ts";
import { PageLedger } from "./ledger/ledger.ts";
import { ModelUse } from "./model-use.ts";
import { fetchOpenRuns, type OpenRun } from "./open-runs.ts";
import { type Resumable, registered, resumption } from "./resumption.ts";
import { nameOfTab } from "./tab.ts";
import { somethingKept } from "./training/kept-data.ts";
import type { DataChoice, DataFound, EngineFound, LabelledFile, SpeedFound } from "./training/messages.ts";
import { Training } from "./training/training.ts";
import { words } from "./words.ts";

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
  /** `speed` is measured last, and joining does not wait for it. */
  | { readonly kind: "ready"; readonly found: EngineFound; readonly speed: SpeedFound | undefined }
  | { readonly kind: "failed"; readonly detail: string };

const refreshMs = 4_000;

/** Everything that the page shows, and everything that a person can do on it. */
export class PageState {
  readonly address: Address;
  readonly runs = signal<Runs>({ kind: "loading" });
  readonly chosen = signal<RunId | undefined>(undefined);
  readonly data = signal<DataState>({ kind: "none" });
  /** Grows with every set that is read: each gets a canvas of its own. */
  readonly opened = signal(0);
  /** Files that were dropped on the page and wait for the form that reads them. */
  readonly dropped = signal<readonly LabelledFile[]>([]);
  /** Whether this browser keeps data over visits: what is chosen now, or what an earlier visit left. */
  readonly keeping = signal<"no" | "kept" | "before">("no");
  readonly engine = signal<EngineState>({ kind: "loading" });
  readonly part = signal<Part | undefined>(undefined);
  readonly leaving = signal(false);
  readonly ledger = new PageLedger();
  readonly modelUse = new ModelUse();
  readonly accuracy = new Accuracy();
  /** How many weights the chosen run's model has, once that is known. */
  readonly size = signal<number | undefined>(undefined);
  readonly use = new DeviceUse();
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

  constructor(address: Address) {
    this.address = address;
  }

  /** Looks for runs from now on, and goes on with what a reload interrupted. */
  start(): void {
    void this.#keepLooking();
    const wanted = computed(() => this.run.value && JSON.stringify([this.run.value.model]));
    effect(() => {
      if (wanted.value !== undefined) void this.#findEngine();
    });
    effect(() => {
      const pace = this.use.pace.value;
      this.#training?.keepTo(pace);
    });
    effect(() => {
      const part = this.part.value;
      const working = part !== undefined && part.state.value.ending === undefined;
      void this.use.keepAwake(working && this.use.keepScreenOn.value);
    });
    const interrupted = resumption.read();
    if (interrupted !== undefined) void this.#resume(interrupted);
    else void this.#lookForKept();
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
    if (this.data.value !== reading) return;
    this.opened.value += 1;
    this.data.value = next;
  }

  /** Has the worker draw some of the images it read; the page cannot read the canvas back. */
  drawThumbnails(canvas: HTMLCanvasElement): void {
    const offscreen = canvas.transferControlToOffscreen();
    void this.#theTraining()
      .call("draw", { canvas: offscreen }, { transfer: [offscreen] })
      .catch(() => undefined);
  }

  /** Keeps the chosen data in this browser over visits, or deletes what was kept. */
  async keepData(wanted: boolean): Promise<void> {
    const data = this.data.value;
    try {
      await this.#theTraining().call("keep", { choice: wanted && data.kind === "ready" ? data.choice : undefined });
      this.keeping.value = wanted ? "kept" : "no";
      // Files take a while to be written; the person may have joined meanwhile.
      const part = this.part.value?.state.value;
      if (wanted && part !== undefined && part.ending === undefined) {
        resumption.write({ run: part.run.run, choice: "kept" });
      }
    } catch (error) {
      this.refuseData(words.data.notKept((error as Error).message));
    }
  }

  /** Reads what an earlier visit kept. */
  async useKept(): Promise<void> {
    const choice = await this.#theTraining().call("kept", undefined);
    if (choice === undefined) return;
    this.keeping.value = "kept";
    await this.open(choice);
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
    resumption.write({ run: run.run, choice: this.keeping.value === "kept" ? "kept" : data.choice });
    const device = this.#device(tab, engine.found.engine);
    this.accuracy.begin();
    this.part.value = new Part(
      { ...device, run, found: data.found },
      {
        training: this.#theTraining(),
        ledger: this.ledger,
        onToken: (token) => {
          this.#token = token;
        },
      },
    );
  }

  /** Tells the coordinator, ends the worker and with it all that was read. */
  async leave(): Promise<void> {
    this.leaving.value = true;
    resumption.clear();
    const part = this.part.value;
    await part?.leave();
    // The person may be back at the choices already.
    if (this.part.value === part) this.#forget();
    this.leaving.value = false;
  }

  /** From the end of a part to the choices again. */
  again(): void {
    resumption.clear();
    this.#forget();
    this.modelUse.forget();
    this.part.value = undefined;
    void this.#look();
    void this.#findEngine();
  }

  /** Fetches the newest model of the run that this device took part in. */
  async loadModel(): Promise<void> {
    const run = this.part.value?.state.value.run;
    if (run?.model === undefined) return;
    const from = { coordinator: this.address.coordinator, token: this.#token };
    await this.modelUse.load(from, { run: run.run, model: run.model, data: run.data });
  }

  /** What the model makes of one example, worked out in the training worker. */
  askModel(features: Float32Array): Promise<void> {
    return this.modelUse.ask(this.#theTraining(), features);
  }

  /** Takes whatever key the coordinator proves next, and goes back to the choices. */
  async trustNewKey(): Promise<void> {
    await forgetPin(this.address.coordinator);
    this.again();
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

  #device(tab: string, engine: EngineName): DeviceHere {
    const { coordinator, operatorKey } = this.address;
    return { coordinator, operatorKey, tab, engine, joinToken: this.#joinToken };
  }

  async #register(): Promise<void> {
    const { engine } = await this.#theTraining().call("engine", { model: undefined });
    this.#token = await register(this.#device(await this.#tab, engine), this.ledger);
    registered.write();
  }

  async #keepLooking(): Promise<void> {
    for (;;) {
      const locked = this.runs.value.kind === "locked";
      const part = this.part.value;
      if (!document.hidden && part === undefined && !locked) await this.#look();
      if (!document.hidden && part !== undefined) {
        await this.accuracy.look(this.address.coordinator, this.#token, part.state.value.run.run);
      }
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

  /** With a new token, or none, where this tab's session ran out or the coordinator is not the one that gave it. */
  async #fetchRuns(): Promise<OpenRun[]> {
    const token = this.#token;
    try {
      return await fetchOpenRuns(this.address.coordinator, token);
    } catch (error) {
      if (!(error instanceof ProtocolError) || error.code !== "unauthorized") throw error;
      this.#token = undefined;
      if (registered.read()) await this.#register();
      else if (token === undefined) throw error;
      return fetchOpenRuns(this.address.coordinator, this.#token);
    }
  }

  async #findEngine(): Promise<void> {
    if (this.run.value === undefined) return;
    const { model, data } = this.run.value;
    this.size.value = undefined;
    this.engine.value = { kind: "loading" };
    const training = this.#theTraining();
    const wanted = JSON.stringify([model]);
    const current = () => training === this.#training && wanted === JSON.stringify([this.run.value?.model]);
    try {
      await training.ready;
      const size = model === undefined ? undefined : await training.call("size", { model, data });
      if (current()) this.size.value = size;
      const onNews = (engine: EngineName) => {
        if (current()) this.engine.value = { kind: "starting", engine };
      };
      const found = await training.call("engine", { model }, { onNews });
      if (!current()) return;
      this.engine.value = { kind: "ready", found, speed: undefined };
      const speed = await training.call("speed", { model });
      if (current()) this.engine.value = { kind: "ready", found, speed };
    } catch (error) {
      if (current()) this.engine.value = { kind: "failed", detail: (error as Error).message };
    }
  }

  async #lookForKept(): Promise<void> {
    if ((await somethingKept()) && this.keeping.value === "no") this.keeping.value = "before";
  }

  async #resume({ run, choice }: Resumable): Promise<void> {
    this.choose(run);
    await (choice === "kept" ? this.useKept() : this.open(choice));
    const stop = effect(() => {
      if (this.lacking.value !== undefined) return;
      queueMicrotask(() => {
        stop();
        void this.join();
      });
    });
  }

  #theTraining(): Training {
    if (this.#training === undefined) {
      this.#training = new Training();
      this.#training.onJudged = (accuracy) => {
        const part = this.part.value;
        if (part !== undefined) this.accuracy.judged(part.state.value.round, accuracy);
      };
      this.#training.keepTo(this.use.pace.peek());
    }
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
    found.data.target === data.target &&
    found.data.classes === data.classes &&
    found.data.vocabulary === data.vocabulary
  );
}
