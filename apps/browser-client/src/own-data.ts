import { computed, signal } from "@preact/signals";
import { somethingKept } from "./training/kept-data.ts";
import type { DataChoice, DataFound, LabelledFile } from "./training/messages.ts";
import type { Training } from "./training/training.ts";
import { words } from "./words.ts";

export type DataState =
  | { readonly kind: "none" }
  | { readonly kind: "reading" }
  | { readonly kind: "refused"; readonly detail: string }
  | { readonly kind: "ready"; readonly found: DataFound; readonly choice: DataChoice };

/** What the person has this device train on, read by the training worker, and what of it this browser keeps. */
export class OwnData {
  readonly state = signal<DataState>({ kind: "none" });
  /** Grows with every set that is read: each gets a canvas of its own. */
  readonly opened = signal(0);
  /** Files that were dropped on the page and wait for the form that reads them. */
  readonly dropped = signal<readonly LabelledFile[]>([]);
  /** What this browser keeps over visits: what was chosen here, or what was kept before. */
  readonly kept = signal<DataChoice | "before" | undefined>(undefined);
  /** Whether just what is chosen is kept. */
  readonly isKept = computed(() => this.state.value.kind === "ready" && this.state.value.choice === this.kept.value);
  /** Why keeping, or using what was kept, went wrong. */
  readonly keepFault = signal("");
  /** A reload ended this tab's part, for its files were gone. */
  readonly isLost = signal(false);
  /** Hears that what is chosen is kept from now on. */
  onKept: () => void = () => undefined;
  readonly #training: () => Training;

  constructor(training: () => Training) {
    this.#training = training;
  }

  /** A table's columns, in order. Throws the refusal that says what is wrong with the file. */
  columns(file: File, { header }: { header: boolean }): Promise<readonly string[]> {
    return this.#training().call("columns", { file, header });
  }

  async open(choice: DataChoice): Promise<void> {
    const reading: DataState = { kind: "reading" };
    this.state.value = reading;
    this.isLost.value = false;
    this.keepFault.value = "";
    if (this.kept.value !== undefined && this.kept.value !== choice) this.kept.value = "before";
    let next: DataState;
    try {
      next = { kind: "ready", choice, found: await this.#training().call("open", { choice }) };
    } catch (error) {
      next = { kind: "refused", detail: (error as Error).message };
    }
    // Something else may have been chosen meanwhile.
    if (this.state.value !== reading) return;
    this.opened.value += 1;
    this.state.value = next;
  }

  refuse(detail: string): void {
    this.state.value = { kind: "refused", detail };
  }

  forget(): void {
    this.state.value = { kind: "none" };
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
    const choice = wanted && data.kind === "ready" ? data.choice : undefined;
    this.keepFault.value = "";
    try {
      await this.#training().call("keep", { choice });
      this.kept.value = choice;
      if (this.isKept.value) this.onKept();
    } catch (error) {
      this.kept.value = undefined;
      this.keepFault.value = words.data.notKept((error as Error).message);
    }
  }

  /** Reads what was kept before. */
  async useKept(): Promise<void> {
    const choice = await this.#training()
      .call("kept", undefined)
      .catch(() => undefined);
    this.kept.value = choice;
    if (choice === undefined) this.keepFault.value = words.data.keptGone;
    else await this.open(choice);
  }

  async lookForKept(): Promise<void> {
    if ((await somethingKept()) && this.kept.value === undefined) this.kept.value = "before";
  }

  /** After the worker that read it was ended. */
  isGone(): void {
    this.forget();
    this.kept.value &&= "before";
  }
}
