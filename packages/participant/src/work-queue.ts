import { abortable } from "./clock.ts";

/** One piece of work at a time, in order of arrival: what devices that share an engine share. */
export class WorkQueue {
  #last: Promise<unknown> = Promise.resolve();

  /** What `work` resolves to, begun once all earlier work is over. Work whose signal comes while it waits is not begun. */
  run<Value>(work: () => Promise<Value>, signal: AbortSignal): Promise<Value> {
    const begun = this.#last.then(() => {
      signal.throwIfAborted();
      return work();
    });
    this.#last = begun.catch(() => undefined);
    return abortable(begun, signal);
  }
}
