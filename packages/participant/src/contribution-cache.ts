import type { AttemptKind, StepQuestion } from "@tributary/protocol";
import type { Worked } from "./contribute.ts";

/**
 * Everything that a contribution depends on besides the device's own data: equal keys, equal work. And the version: the
 * very same contribution under two names of one model would be the difference of two sums.
 */
function contributionKey({ kind, modelVersion, vectors, settings, answer, included }: StepQuestion): string {
  const models = Object.entries(vectors)
    .map(([name, { sha256 }]) => `${name}=${sha256}`)
    .sort();
  return JSON.stringify([kind, modelVersion, models, settings, answer, included ?? null]);
}

interface Slot {
  readonly key: string;
  readonly worked: Promise<Worked>;
  readonly work: AbortController;
  finished: boolean;
}

/**
 * The last encoded contribution per kind of attempt in one run, finished or in progress. A new attempt on the same model
 * gets the same bytes without training again, so an attempt that fails costs no device its work.
 */
export class ContributionCache {
  readonly #slots = new Map<AttemptKind, Slot>();

  /**
   * The contribution to `question`: held, in progress, or by `work`, which any other unfinished work gives way to. `fresh` says
   * whether `work` was begun. Work that fails leaves nothing behind.
   */
  obtain(
    question: StepQuestion,
    work: (signal: AbortSignal) => Promise<Worked>,
  ): { worked: Promise<Worked>; fresh: boolean } {
    const key = contributionKey(question);
    const held = this.#slots.get(question.kind);
    if (held !== undefined && held.key === key) return { worked: held.worked, fresh: false };
    this.abandon("superseded");
    const controller = new AbortController();
    const slot: Slot = { key, work: controller, worked: work(controller.signal), finished: false };
    this.#slots.set(question.kind, slot);
    slot.worked.then(
      () => {
        slot.finished = true;
      },
      () => {
        if (this.#slots.get(question.kind) === slot) this.#slots.delete(question.kind);
      },
    );
    return { worked: slot.worked, fresh: true };
  }

  /** Stops unfinished work; a finished contribution stays, for the next attempt on the same model. */
  abandon(reason: string): void {
    for (const [kind, slot] of this.#slots) {
      if (slot.finished) continue;
      this.#slots.delete(kind);
      slot.work.abort(new Error(reason));
    }
  }

  /** Stops unfinished work and gives up everything. */
  clear(reason: string): void {
    this.abandon(reason);
    this.#slots.clear();
  }
}
