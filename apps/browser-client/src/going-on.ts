import { computed, effect, type ReadonlySignal, signal } from "@preact/signals";
import type { RunId } from "@tributary/protocol";
import type { DeviceUse } from "./device-use.ts";
import type { OwnData } from "./own-data.ts";
import { type Resumable, resumption } from "./resumption.ts";
import type { RunsInSight } from "./runs-in-sight.ts";

/** The page around it. */
interface Here {
  readonly tab: Promise<string>;
  readonly runs: RunsInSight;
  readonly data: OwnData;
  readonly use: DeviceUse;
  /** Why this device cannot join yet; `undefined` when it can. */
  readonly lacking: ReadonlySignal<string | undefined>;
  /** Whether this device takes part. */
  readonly isWorking: ReadonlySignal<boolean>;
  readonly join: () => Promise<void>;
}

/** Going on with what a reload of this tab interrupted, where its data can be had again. */
export class GoingOn {
  /** What is gone on with, until it is joined again. */
  readonly part = signal<Resumable | undefined>(undefined);
  readonly #interrupted = signal<RunId | undefined>(undefined);
  /** The run that a reload interrupted, where it is over by now. */
  readonly past = computed(() => {
    const ended = this.#here.runs.ended.value;
    return ended?.run === this.#interrupted.value ? ended : undefined;
  });
  readonly #here: Here;

  constructor(here: Here) {
    this.#here = here;
  }

  /** Writes down what a reload needs from now on, and takes up what the last one interrupted. */
  async start(): Promise<void> {
    const { data, runs, use, tab, isWorking } = this.#here;
    effect(() => {
      // There is nothing to go on with.
      if (this.past.value !== undefined) data.isLost.value = false;
    });
    effect(() => {
      const terms = use.terms.value;
      if (isWorking.value) resumption.change({ terms });
    });
    // Files take a while to be written; the person may have joined meanwhile.
    data.onKept = (choice) => {
      if (isWorking.value) resumption.change({ choice });
    };

    const interrupted = resumption.read();
    this.#interrupted.value = interrupted?.run;
    if (interrupted !== undefined && interrupted.choice.kind !== "gone") this.part.value = interrupted;
    // A duplicated tab has a copy of what another one goes on with.
    const isOurs = interrupted?.tab === (await tab);
    if (this.part.value !== undefined && isOurs) return this.#resume(this.part.value);
    this.stop();
    if (interrupted !== undefined && isOurs) {
      runs.choose(interrupted.run);
      data.isLost.value = true;
    }
    await data.lookForKept();
  }

  /** The person joined: a reload goes on with this. */
  begin(part: Resumable): void {
    resumption.write(part);
    this.part.value = undefined;
    this.#interrupted.value = undefined;
  }

  /** A reload goes on with nothing; what is being gone on with is left for the choices. */
  stop(): void {
    resumption.clear();
    this.part.value = undefined;
  }

  /** The same, and how the interrupted run ended is of no interest any more. */
  forget(): void {
    this.stop();
    this.#interrupted.value = undefined;
  }

  async #resume({ run, choice, terms }: Resumable): Promise<void> {
    const { data: own, runs, use, lacking, join } = this.#here;
    use.takeUp(terms);
    runs.choose(run);
    if (choice.kind === "kept") await own.useKept(choice.name);
    else if (choice.kind !== "gone") await own.open(choice);
    const data = own.state.value;
    if (data.kind !== "ready") {
      own.isLost.value = true;
      return this.stop();
    }
    const end = effect(() => {
      // What was agreed to is this data for this run.
      const isWanted = this.part.value !== undefined && own.state.value === data;
      const isOver = runs.chosen.value !== run;
      if (isWanted && !isOver && lacking.value !== undefined) return;
      queueMicrotask(() => {
        end();
        if (isWanted && !isOver) void join();
        else this.stop();
      });
    });
  }
}
