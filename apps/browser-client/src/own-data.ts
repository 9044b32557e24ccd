import { computed, signal } from "@preact/signals";
import type { PlacedFile } from "./dropped-files.ts";
import type { KeptFiles } from "./resumption.ts";
import { somethingKept } from "./training/kept-data.ts";
import type { DataChoice, Given, KeptChoice } from "./training/messages.ts";
import type { Training } from "./training/training.ts";
import { words } from "./words.ts";

export type DataState =
  | { readonly kind: "none" }
  | { readonly kind: "reading"; readonly choice: DataChoice }
  | { readonly kind: "refused"; readonly detail: string }
  | ({ readonly kind: "ready"; readonly choice: DataChoice } & Given);

/** What the person has this device train on, read by the training worker, and what of it this browser keeps. */
export class OwnData {
  readonly state = signal<DataState>({ kind: "none" });
  /** The share that has been read of what is being read. */
  readonly progress = signal(0);
  /** Files that were dropped on the page and wait for the form that reads them. */
  readonly dropped = signal<readonly PlacedFile[]>([]);
  /** What this browser keeps over visits: what was chosen here, or what was kept before. */
  readonly kept = signal<KeptChoice | "before" | undefined>(undefined);
  /** Whether just what is chosen is kept. */
  readonly isKept = computed(() => this.keptName !== undefined);
  /** Why keeping, or using what was kept, went wrong. */
  readonly keepFault = signal("");
  /** A reload ended this tab's part, for its files were gone. */
  readonly isLost = signal(false);
  /** Hears that what is chosen is kept from now on. */
  onKept: (files: KeptFiles) => void = () => undefined;
  readonly #training: () => Training;
  /** How many sets were chosen so far, and what ends the reading of the newest. */
  #sets = 0;
  #reading = new AbortController();

  constructor(training: () => Training) {
    this.#training = training;
  }

  /** A table's columns, in order. Throws the refusal that says what is wrong with the file. */
  columns(file: File, { header }: { header: boolean }): Promise<readonly string[]> {
    return this.#training().call("columns", { file, header });
  }

  async open(choice: DataChoice): Promise<void> {
    this.#stopReading();
    const { signal } = this.#reading;
    const set = ++this.#sets;
    this.state.value = { kind: "reading", choice };
    this.progress.value = 0;
    this.isLost.value = false;
    this.keepFault.value = "";
    if (this.kept.value !== undefined && this.#keptChoice !== choice) this.kept.value = "before";
    const onNews = (share: number) => {
      if (!signal.aborted) this.progress.value = share;
    };
    try {
      const found = await this.#training().call("open", { set, choice }, { signal, onNews });
      this.state.value = { kind: "ready", set, choice, found };
    } catch (error) {
      if (!signal.aborted) this.state.value = { kind: "refused", detail: (error as Error).message };
    }
  }

  /** Reads what was chosen once more: the worker that read it, or was reading it, is no more. */
  async readAgain(): Promise<void> {
    const data = this.state.value;
    if (data.kind === "reading" || data.kind === "ready") await this.open(data.choice);
  }

  refuse(detail: string): void {
    this.#letGo();
    this.state.value = { kind: "refused", detail };
  }

  forget(): void {
    this.#letGo();
    this.state.value = { kind: "none" };
  }

  #stopReading(): void {
    this.#reading.abort(new Error("something else was chosen"));
    this.#reading = new AbortController();
  }

  /** What was read, or is being read, is not trained on any more. */
  #letGo(): void {
    this.#stopReading();
    if (this.state.value.kind !== "none") {
      // A worker that has broken holds nothing.
      void this.#training()
        .call("forget", undefined)
        .catch(() => undefined);
    }
  }

  /** Has the worker draw some of what it read, which is then nowhere else in the page. */
  draw(canvas: HTMLCanvasElement): void {
    const { color: ink } = getComputedStyle(canvas);
    const offscreen = canvas.transferControlToOffscreen();
    void this.#training()
      .call("draw", { canvas: offscreen, ink }, { transfer: [offscreen] })
      .catch(() => undefined);
  }

  /** Keeps what is chosen in this browser over visits, or deletes what was kept. */
  async keep(wanted: boolean): Promise<void> {
    const data = this.state.value;
    const kept = wanted && data.kind === "ready" ? { name: crypto.randomUUID(), choice: data.choice } : undefined;
    this.keepFault.value = "";
    try {
      await this.#training().call("keep", { kept });
      this.kept.value = kept;
      if (this.keptName !== undefined) this.onKept({ kind: "kept", name: this.keptName });
    } catch (error) {
      this.kept.value = undefined;
      this.keepFault.value = words.data.notKept((error as Error).message);
    }
  }

  /** Reads what was kept before, or nothing where it is not what was kept by this name. */
  async useKept(name?: string): Promise<void> {
    const kept = await this.#training()
      .call("kept", undefined)
      .catch(() => undefined);
    this.kept.value = kept;
    if (kept === undefined) this.keepFault.value = words.data.keptGone;
    else if (name !== undefined && kept.name !== name) this.kept.value = "before";
    else await this.open(kept.choice);
  }

  /** Whether something is kept by now: other tabs keep and delete, too. */
  async lookForKept(): Promise<void> {
    const found = await somethingKept();
    this.kept.value = found ? (this.kept.value ?? "before") : undefined;
  }

  /** The name that just what is chosen is kept by. */
  get keptName(): string | undefined {
    const { value: data } = this.state;
    const isIt = data.kind === "ready" && data.choice === this.#keptChoice;
    return isIt && typeof this.kept.value === "object" ? this.kept.value.name : undefined;
  }

  get #keptChoice(): DataChoice | undefined {
    return typeof this.kept.value === "object" ? this.kept.value.choice : undefined;
  }

  /** After the worker that read it was ended. */
  isGone(): void {
    this.#stopReading();
    this.state.value = { kind: "none" };
    this.kept.value &&= "before";
  }
}
