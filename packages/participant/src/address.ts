import type { StepAddress } from "@tributary/protocol";

/** Where in a run a step is. */
export type Place = Pick<StepAddress, "round" | "attempt" | "step">;

/** Below 0 when `a` is older than `b` within one run, above 0 when newer: by round, then attempt, then step. */
export function compareAddresses(a: Place, b: Place): number {
  return a.round - b.round || a.attempt - b.attempt || a.step - b.step;
}

/** The address of anything that bears one. */
export function addressOf({ run, round, attempt, step }: StepAddress): StepAddress {
  return { run, round, attempt, step };
}
