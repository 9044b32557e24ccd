import { computed, effect, signal } from "@preact/signals";
import { isOver } from "@tributary/protocol";
import type { EngineName } from "@tributary/training";
import { Accuracy } from "./accuracy.ts";
import type { Address } from "./address.ts";
import type { DeviceHere } from "./device/messages.ts";
import { Part, register } from "./device/part.ts";
import type { Ending } from "./device/part-state.ts";
import { forgetPin } from "./device/pins.ts";
import { DeviceUse } from "./device-use.ts";
import { EngineHere } from "./engine-here.ts";
import { GoingOn } from "./going-on.ts";
import { PageLedger } from "./ledger/ledger.ts";
import { ModelUse } from "./model-use.ts";
import { fetchRun, type OpenRun } from "./open-runs.ts";
import { OwnData } from "./own-data.ts";
import { RunsInSight } from "./runs-in-sight.ts";
import { nameOfTab } from "./tab.ts";
import type { DataFound, Example } from "./training/messages.ts";
import { Training } from "./training/training.ts";
import { words } from "./words.ts";

const refreshMs = 4_000;
/** The last model may be judged some time after the run is over for this device. */
const mostLooksAfterEnd = 5;

/** Everything that the page shows, and everything that a person can do on it. */
export class PageState {
  readonly address: Address;
  readonly data = new OwnData(() => this.#theTraining());
  readonly engine = new EngineHere();
  readonly part = signal<Part | undefined>(undefined);
  readonly leaving = signal(false);
  readonly #tab = nameOfTab();
  readonly ledger = new PageLedger(this.#tab);
  readonly runs: RunsInSight;
  readonly modelUse = new ModelUse();
  readonly accuracy = new Accuracy();
  readonly use = new DeviceUse();
  readonly goingOn: GoingOn;
  /** Why this device cannot join yet; `undefined` when it can. */
  readonly lacking = computed<"run" | "data" | "mismatch" | "engine" | undefined>(() => {
    if (this.runs.run.value === undefined) return "run";
    if (this.data.state.value.kind !== "ready") return "data";
    if (!fits(this.data.state.value.found, this.runs.run.value)) return "mismatch";
    return this.engine.state.value.kind === "ready" ? undefined : "engine";
  });
  readonly #isWorking = computed(() => {
    const part = this.part.value;
    return part !== undefined && part.state.value.ending === undefined;
  });
  #training: Training | undefined;
  /** Engines that stood still here. */
  readonly #stuck: EngineName[] = [];

  constructor(address: Address) {
    this.address = address;
    const register = () => this.#register();
    this.runs = new RunsInSight(address.coordinator, { ledger: this.ledger, tab: this.#tab, register });
    this.goingOn = new GoingOn({
      ...{ tab: this.#tab, runs: this.runs, data: this.data, use: this.use },
      ...{ lacking: this.lacking, isWorking: this.#isWorking, join: () => this.join() },
    });
  }

  /** Looks for runs from now on, and goes on with what a reload interrupted. */
  start(): void {
    void this.#keepLooking();
    const wanted = computed(() => wantedBy(this.runs.run.value));
    effect(() => {
      if (wanted.value !== undefined) this.#findEngine();
    });
    effect(() => {
      const pace = this.use.pace.value;
      this.#training?.keepTo(pace);
    });
    effect(() => this.use.keepAwake(this.#isWorking.value && this.use.keepScreenOn.value));
    effect(() => {
      // What is over is not gone on with; what broke may be tried again.
      if (wasRunsEnd(this.part.value?.state.value.ending)) this.goingOn.stop();
    });
    effect(() => {
      const part = this.part.value;
      if (part?.state.value.ending?.kind === "gone") void this.#findEnding(part);
    });
    void this.goingOn.start();
  }

  async join(): Promise<void> {
    const tab = await this.#tab;
    await this.ledger.restored;
    const [run, data, engine] = [this.runs.run.value, this.data.state.value, this.engine.state.value];
    if (this.part.value !== undefined || this.lacking.value !== undefined || run === undefined) return;
    if (data.kind !== "ready" || engine.kind !== "ready") return;
    const { keptName: name } = this.data;
    const choice = name === undefined ? data.choice : ({ kind: "kept", name } as const);
    this.goingOn.begin({ tab, run: run.run, choice, terms: this.use.terms.value });
    const device = this.#device(tab, engine.found.engine);
    this.accuracy.begin();
    this.part.value = new Part(
      { ...device, run, given: data },
      {
        training: this.#theTraining(),
        ledger: this.ledger,
        onToken: (token) => {
          this.runs.token = token;
        },
      },
    );
  }

  /** Tells the coordinator, ends the worker and with it all that was read. */
  async leave(): Promise<void> {
    if (this.leaving.value) return;
    this.leaving.value = true;
    this.goingOn.stop();
    const part = this.part.value;
    await part?.leave();
    await this.data.lookForKept();
    // The person may be back at the choices already.
    if (this.part.value === part) this.#forget();
    this.leaving.value = false;
  }

  /** From the end of a part to the choices again. */
  again(): void {
    this.goingOn.forget();
    this.#forget();
    this.modelUse.forget();
    this.part.value = undefined;
    void this.#look();
    this.#findEngine();
  }

  /** Fetches a run's newest model. */
  async loadModel({ run, model, data }: OpenRun): Promise<void> {
    if (model !== undefined) await this.modelUse.load(this.runs.from, { run, model, data });
  }

  /** What a run without layers has learnt so far: centres, coefficients or figures. */
  fetchLearnt({ run }: OpenRun) {
    return this.modelUse.fetchLearnt(this.runs.from, run);
  }

  /** What the model makes of one example, worked out in the training worker. */
  askModel(example: Example): Promise<void> {
    return this.modelUse.ask(this.#theTraining(), example);
  }

  /** What a model of text writes after a beginning, worked out in the training worker. */
  writeOn(beginning: string): Promise<void> {
    return this.modelUse.write(this.#theTraining(), beginning);
  }

  /** Takes whatever key the coordinator proves next, and goes back to the choices. */
  async trustNewKey(): Promise<void> {
    await forgetPin(this.address.coordinator);
    this.again();
  }

  /** Registers this browser with a coordinator that shows its runs to known devices only. */
  async unlock(joinToken: string): Promise<void> {
    if (await this.runs.unlock(joinToken)) await this.#look();
  }

  #device(tab: string, engine: EngineName): DeviceHere {
    const { coordinator, operatorKey } = this.address;
    return { coordinator, operatorKey, tab, engine, joinToken: this.runs.joinToken };
  }

  async #register(): Promise<string> {
    const { engine } = await this.#theTraining().engine(undefined);
    return register(this.#device(await this.#tab, engine), this.ledger);
  }

  async #keepLooking(): Promise<void> {
    let looksAfterEnd = 0;
    for (;;) {
      const locked = this.runs.state.value.kind === "locked";
      const part = this.part.value;
      if (!document.hidden && part === undefined && !locked) await this.#look();
      const ending = part?.state.value.ending;
      looksAfterEnd = ending === undefined ? 0 : looksAfterEnd + 1;
      const isWatching = ending === undefined || (wasRunsEnd(ending) && looksAfterEnd <= mostLooksAfterEnd);
      if (!document.hidden && part !== undefined && isWatching) {
        await this.accuracy.look(this.runs.from, part.state.value.run.run);
      }
      await new Promise((resolve) => setTimeout(resolve, refreshMs));
    }
  }

  #look(): Promise<void> {
    return this.runs.look({ mayChoose: () => this.data.state.value.kind === "none" });
  }

  /** Asks how a run ended that this device was away from. */
  async #findEnding(part: Part): Promise<void> {
    const run = await fetchRun(this.runs.from, part.state.value.run.run).catch(() => undefined);
    if (run === undefined || !isOver(run.phase)) return;
    part.state.value = { ...part.state.value, phase: run.phase, ending: { kind: run.phase } };
  }

  #findEngine(): void {
    const run = this.runs.run.peek();
    if (run !== undefined) void this.engine.find(run, this.#theTraining());
  }

  #theTraining(): Training {
    if (this.#training === undefined) {
      this.#training = new Training(this.#stuck);
      this.#training.onStuck = (engine) => this.#passOver(engine);
      this.#training.onJudged = (accuracy) => {
        const part = this.part.value;
        if (part !== undefined) this.accuracy.judged(part.state.value.round, accuracy);
      };
      this.#training.keepTo(this.use.pace.peek());
    }
    return this.#training;
  }

  /** Goes on in a new worker, without the engine that the old one stands still in. */
  #passOver(engine: EngineName): void {
    const old = this.#training;
    this.#training = undefined;
    this.#stuck.push(engine);
    void this.data.readAgain();
    this.#findEngine();
    old?.close(words.files.startedAnew);
  }

  #forget(): void {
    this.#training?.close();
    this.#training = undefined;
    this.data.isGone();
    this.engine.isGone();
  }
}

/** What an engine is found and measured for. */
function wantedBy(run: OpenRun | undefined): string | undefined {
  return run && JSON.stringify([run.algorithm, run.model, run.data, run.batchSize]);
}

/** Whether it was the run that ended, and not this device alone. */
export function wasRunsEnd(ending: Ending | undefined): boolean {
  return ending !== undefined && ["finished", "stopped", "failed", "gone"].includes(ending.kind);
}

function fits(found: DataFound, { data }: OpenRun): boolean {
  return (
    found.data.kind === data.kind &&
    found.data.shape.join() === data.shape.join() &&
    // What predicts nothing takes any target.
    (data.target === "none" || (found.data.target === data.target && found.data.classes === data.classes)) &&
    found.data.vocabulary === data.vocabulary
  );
}
