import { setTimeout as sleep } from "node:timers/promises";
import { ProtocolError } from "@tributary/protocol";

const retryMs = 5_000;

export interface WorkLineListener {
  /** The disk is full: the piece is tried again until there is space. */
  readonly onWaiting: (why: string) => void;
  /** A piece failed for good; the pieces after it still come. */
  readonly onFault: (what: string, error: unknown) => void;
}

/** Pieces of work, one at a time, in the order they were asked for. A full disk holds the line up; it never breaks it. */
export class WorkLine {
  readonly #listener: WorkLineListener;
  readonly #over = new AbortController();
  #last: Promise<void> = Promise.resolve();

  constructor(listener: WorkLineListener) {
    this.#listener = listener;
  }

  /** Resolves once everything asked for so far is done. */
  get done(): Promise<void> {
    return this.#last;
  }

  add(what: string, work: () => Promise<void>): void {
    this.#last = this.#last.then(() => this.#carryOut(what, work));
  }

  /** Lets the piece under way finish, waits for no space and reports no more faults. */
  async close(): Promise<void> {
    this.#over.abort();
    await this.#last;
  }

  async #carryOut(what: string, work: () => Promise<void>): Promise<void> {
    const { signal } = this.#over;
    for (;;) {
      try {
        await work();
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof ProtocolError && error.code === "storage_full")) {
          this.#listener.onFault(what, error);
          return;
        }
        this.#listener.onWaiting(`${what}: ${error.message}; trying again every ${retryMs / 1000} seconds`);
        await sleep(retryMs, undefined, { signal, ref: false }).catch(() => undefined);
      }
    }
  }
}
