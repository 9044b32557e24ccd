import { signal } from "@preact/signals";
import type { RunId } from "@tributary/protocol";
import { type From, fetchHistory } from "./open-runs.ts";

/** A share of right answers after a round. */
export interface Point {
  readonly round: number;
  readonly accuracy: number;
}

/** How well the model does, round by round: on this device's data, which only this page knows, and over the federation. */
export class Accuracy {
  readonly own = signal<readonly Point[]>([]);
  readonly federation = signal<readonly Point[]>([]);

  begin(): void {
    this.own.value = [];
    this.federation.value = [];
  }

  /** What this device found on its own data; it leaves the device in a sum at most. */
  judged(round: number, accuracy: number): void {
    this.own.value = [...this.own.value.filter((point) => point.round !== round), { round, accuracy }];
  }

  /** Asks the coordinator for what is known of the rounds so far; without an answer the curve stays as it was. */
  async look(from: From, run: RunId): Promise<void> {
    const history = await fetchHistory(from, run).catch(() => undefined);
    if (history !== undefined) this.federation.value = history;
  }
}
