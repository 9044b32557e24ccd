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

/** The shards' totals as one: means weighted by each shard's weight, sums added. */
export function addTotals(totals: readonly Total[], isMean: (lane: string) => boolean): Total {
  const [first, ...rest] = totals;
  if (first === undefined) throw new Error("no shard has a total");
  if (rest.length === 0) return first;
  const weight = totals.reduce((sum, total) => sum + total.weight, 0);
  const lanes = Object.keys(first.lanes).map((name) => {
    const sum = new Float64Array(first.lanes[name]!.length);
    for (const total of totals) {
      const factor = isMean(name) ? total.weight / weight : 1;
      total.lanes[name]!.forEach((value, i) => {
        sum[i]! += factor * value;
      });
    }
    return [name, sum] as const;
  });
  const contributors = totals.reduce((sum, total) => sum + total.contributors, 0);
  return { lanes: Object.fromEntries(lanes), weight, contributors };
}
