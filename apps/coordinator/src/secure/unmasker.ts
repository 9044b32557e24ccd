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

/** Opens secure sums on a thread of its own, so that the event loop never waits for masks to be expanded. */
export class Unmasker {
  readonly #calls = new WorkerCalls<UnmaskRequest>(workerFiles.unmask);

  open(request: UnmaskRequest): Promise<Opened> {
    return this.#calls.ask(request);
  }

  close(): Promise<void> {
    return this.#calls.close();
  }
}
