import { abortable } from "./clock.ts";

/** So many pieces of work at a time, begun in order of arrival: what devices that share an engine share. */
export class WorkQueue {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(width = 1) {
    this.#free = width;
  }

  /** What `work` resolves to, begun once its turn comes. Work whose signal comes while it waits is not begun. */
  run<Value>(work: () => Promise<Value>, signal: AbortSignal): Promise<Value> {
    const begun = this.#turn()
      .then(() => {
        signal.throwIfAborted();
        return work();
      })
      .finally(() => this.#release());
    return abortable(begun, signal);
  }

  #turn(): Promise<void> {
    if (this.#free === 0) return new Promise((resolve) => this.#waiting.push(resolve));
    this.#free -= 1;
    return Promise.resolve();
  }

  #release(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}
