import type { Fault } from "@tributary/protocol";

/** Whether a run can be created of a specification, as far as it is known. */
export type Verdict =
  | { readonly kind: "faulty"; readonly faults: readonly Fault[] }
  /** Nothing is wrong here; the coordinator is being asked. */
  | { readonly kind: "asked" }
  /** Nothing is wrong here, and the coordinator could not be asked. */
  | { readonly kind: "unanswered"; readonly reason: string }
  | { readonly kind: "valid" };

/** What the coordinator said, and of which specification. */
export interface Answer {
  readonly spec: unknown;
  readonly verdict: Verdict;
}

/** The page's own faults come first; an answer counts for the specification that it was given to. */
export function verdictOf(spec: unknown, own: readonly Fault[], answer: Answer | undefined): Verdict {
  if (own.length > 0) return { kind: "faulty", faults: own };
  return answer !== undefined && answer.spec === spec ? answer.verdict : { kind: "asked" };
}
