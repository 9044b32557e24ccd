import type { Random } from "@tributary/algorithm";
import { ProtocolError, refusals } from "@tributary/protocol";
import { type Clock, sleep } from "./clock.ts";

const firstMs = 1_000;
const longestMs = 30_000;

/**
 * How long to wait after `failures` failures in a row: uniform below 1 s, 2 s, 4 s … 30 s ("full jitter": devices that
 * lost one coordinator at the same moment come back spread out). A wait that the coordinator asked for comes on top.
 */
export function backoffMs(failures: number, jitter: Random, retryAfterMs = 0): number {
  const ceiling = Math.min(longestMs, firstMs * 2 ** Math.min(failures - 1, 16));
  return Math.min(retryAfterMs, 10 * longestMs) + jitter.uniform() * ceiling;
}

/** Whether the same request may succeed later. */
export function isRetryable(error: unknown): error is ProtocolError {
  return error instanceof ProtocolError && refusals[error.code].retryable;
}

export interface Retrying {
  readonly clock: Clock;
  readonly jitter: Random;
  readonly signal: AbortSignal;
  /** No new try begins after this (on `clock`); the first one always does. */
  readonly until?: number;
  readonly onWait?: (error: ProtocolError, ms: number) => void;
}

/** What `attempt` resolves to, tried again while its failure is retryable. Throws its last failure, or the signal's reason. */
export async function retrying<Value>(attempt: () => Promise<Value>, options: Retrying): Promise<Value> {
  const { clock, jitter, signal, until = Number.POSITIVE_INFINITY } = options;
  for (let failures = 1; ; failures++) {
    signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      if (!isRetryable(error)) throw error;
      const ms = backoffMs(failures, jitter, error.retryAfterMs);
      if (clock.now() + ms > until) throw error;
      options.onWait?.(error, ms);
      await sleep(clock, ms, signal);
    }
  }
}
