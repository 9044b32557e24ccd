/** Work that yields the share that is done after each part of it, for others to have their turn meanwhile. */
export type Steps<Result> = Generator<number, Result, undefined>;

/** Characters that are read in one step: some milliseconds. */
export const stepLength = 1 << 18;

/** All steps, one after the other. */
export function inOneGo<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}
