import { type Clock, sleep } from "@tributary/participant";

/** Names the cap on a process's memory, and what it would take to stay. */
export class MemoryCapReached extends Error {
  override readonly name = "MemoryCapReached";
}

const lookMs = 1000;
/** Weights, their running gradient, the model that came, the update, and its encodings: copies of the model, by count. */
const copies = 10;

/** The memory that this process may use. `usedBytes` is what it uses now. */
export class MemoryCap {
  readonly #capBytes: number;
  readonly #usedBytes: () => number;

  constructor(capBytes: number, usedBytes: () => number) {
    this.#capBytes = capBytes;
    this.#usedBytes = usedBytes;
  }

  /** Throws `MemoryCapReached` where more is used than may be. */
  check(): void {
    const used = this.#usedBytes();
    if (used <= this.#capBytes) return;
    throw new MemoryCapReached(
      `this process holds ${megabytes(used)} of memory, its cap is ${megabytes(this.#capBytes)}; raise the cap, or give ` +
        "the process fewer devices, fewer threads or a part of the data",
    );
  }

  /** Why a model of so many weights has no room here, by estimate; undefined where it has. */
  refusal(weights: number): string | undefined {
    const [used, needed] = [this.#usedBytes(), 4 * copies * weights];
    if (used + needed <= this.#capBytes) return undefined;
    return (
      `training ${weights} weights takes about ${megabytes(needed)}; this process holds ${megabytes(used)}, ` +
      `and its cap is ${megabytes(this.#capBytes)}`
    );
  }

  /** Does `work`, and looks each second: past the cap its signal comes and, once it has ended, this rejects. */
  async during(
    work: (signal: AbortSignal) => Promise<void>,
    options: { clock: Clock; signal: AbortSignal },
  ): Promise<void> {
    this.check();
    const { clock, signal } = options;
    const over = new AbortController();
    const full = new AbortController();
    const watch = async () => {
      while (!over.signal.aborted) {
        await sleep(clock, lookMs, over.signal).catch(() => undefined);
        try {
          if (!over.signal.aborted) this.check();
        } catch (reached) {
          full.abort(reached);
          return;
        }
      }
    };
    const watching = watch();
    try {
      await work(AbortSignal.any([signal, full.signal]));
    } finally {
      over.abort();
      await watching;
    }
    full.signal.throwIfAborted();
  }
}

const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;
