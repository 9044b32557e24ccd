import { availableParallelism } from "node:os";
import type { Total } from "@tributary/algorithm";
import type { ClientId } from "@tributary/protocol";
import { WorkerCalls, workerFiles } from "../worker-calls.ts";

/** A session whose shares are in, as plain data. `sum` may be shared memory. */
export interface UnmaskRequest {
  readonly checkpoint: Uint8Array;
  readonly sum: Uint32Array;
  readonly reveals: readonly (readonly [number, Uint8Array])[];
}

/** What a session came to: its total, and the clients whose shares were wrong (the total is right all the same). */
export interface Opened {
  readonly total: Total;
  readonly culprits: readonly ClientId[];
  readonly transcript: Uint8Array;
}

/** One core stays with the event loop. */
const threads = Math.max(1, Math.min(8, availableParallelism() - 1));

/** Opens secure sums on threads of their own, so that the event loop never waits for masks to be expanded. */
export class Unmasker {
  readonly #threads = Array.from({ length: threads }, () => new WorkerCalls<UnmaskRequest>(workerFiles.unmask));
  #next = 0;

  /** Sessions take the threads in turn: a cohort's shards, and runs that end a round together, are opened side by side. */
  open(request: UnmaskRequest): Promise<Opened> {
    const thread = this.#threads[this.#next++ % threads]!;
    return thread.ask(request);
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }
}
