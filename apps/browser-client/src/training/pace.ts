import type { Dataset } from "@tributary/algorithm";

/** How much of a device training may use. */
export interface Pace {
  /** Share of the time in which it works, above 0 and at most 1. */
  readonly share: number;
  readonly paused: boolean;
}

/** Where a pacer's time comes from. */
export interface PaceClock {
  now(): number;
  /** Calls back after that many milliseconds; gives what calls that off. */
  setTimeout(callback: () => void, ms: number): () => void;
}

/**
 * Keeps training to a pace: it waits before each batch, after a slow one for as long as the share asks. A rest ends with a new
 * pace, and with the work that it holds up. `turn` may be in use for one job at a time, as a trainer's jobs are.
 */
export class Pacer {
  readonly #clock: PaceClock;
  #pace: Pace = { share: 1, paused: false };
  #workSince: number | undefined;
  /** Calls of `turn` that wait, each to be told of a new pace. */
  readonly #waiting = new Set<() => void>();

  constructor(clock: PaceClock) {
    this.#clock = clock;
  }

  set(pace: Pace): void {
    this.#pace = pace;
    for (const look of this.#waiting) look();
  }

  /** Resolves when the next batch may begin. Rejects with the signal's reason. */
  async turn(signal: AbortSignal): Promise<void> {
    const now = this.#clock.now();
    const workedMs = this.#workSince === undefined ? 0 : now - this.#workSince;
    await new Promise<void>((resolve, reject) => {
      let cancel: () => void = () => undefined;
      const end = (settle: () => void) => {
        cancel();
        this.#waiting.delete(look);
        signal.removeEventListener("abort", abort);
        settle();
      };
      const abort = () => end(() => reject(signal.reason));
      const look = () => {
        cancel();
        const { share, paused } = this.#pace;
        const restMs = now + workedMs * (1 / share - 1) - this.#clock.now();
        if (paused) cancel = () => undefined;
        else if (restMs <= 0) end(resolve);
        else cancel = this.#clock.setTimeout(look, restMs);
      };
      if (signal.aborted) return reject(signal.reason);
      this.#waiting.add(look);
      signal.addEventListener("abort", abort);
      look();
    });
    this.#workSince = this.#clock.now();
  }

  /** The same examples, given out at this pace. What is between two jobs is no work. */
  paced(data: Dataset, signal: AbortSignal): Dataset {
    this.#workSince = undefined;
    return {
      ...data,
      batch: async (positions, features, targets) => {
        await this.turn(signal);
        return data.batch(positions, features, targets);
      },
    };
  }
}
