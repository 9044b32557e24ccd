/** Work that yields the share that is done after each part of it, for others to have their turn meanwhile. */
export type Steps<Result> = Generator<number, Result, undefined>;

/** Characters that are read in one step: some milliseconds. */
const stepLength = 1 << 18;

/**
 * Visits parts of a text, each of which says at which character it ends, ascending. The shares go over half of the work:
 * the first pass of two, or the second.
 */
export function* visitInSteps<Part extends { readonly end: number }>(
  parts: Iterable<Part>,
  { pass, length }: { readonly pass: 1 | 2; readonly length: number },
  visit: (part: Part) => void,
): Steps<void> {
  let told = 0;
  for (const part of parts) {
    visit(part);
    if (part.end - told < stepLength) continue;
    told = part.end;
    yield (pass - 1 + told / length) / 2;
  }
}

/** All steps, one after the other. */
export function inOneGo<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}
