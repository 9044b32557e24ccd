import { seededRandom } from "@tributary/algorithm";
import type { ClientId, CohortSpec } from "@tributary/protocol";

/** How many clients a round wants, given how many are present. */
export interface CohortSize {
  /** Clients to ask. */
  readonly asked: number;
  /** Answers at which the step closes early. */
  readonly goal: number;
  /** Fewest answers at the deadline. */
  readonly minimum: number;
}

/** The sizes of a round's cohort when `present` clients are there. Bonawitz et al. 2019, §2.2 (goal count, over-selection). */
export function cohortSize(cohort: CohortSpec, present: number): CohortSize {
  const size = cohort.size ?? Math.max(cohort.minimum, Math.round((cohort.fraction ?? 1) * present));
  // 1e-9: 10 × 1.3 is 13.000000000000002 in binary
  const asked = Math.min(present, Math.ceil(size * (cohort.overSelect ?? 1) - 1e-9));
  return { asked, goal: Math.min(cohort.goal ?? size, Math.max(asked, 1)), minimum: cohort.minimum };
}

/** How many clients must be present for gathering to end before its window does. Over-selection waits for nobody. */
export function wantedPresent(cohort: CohortSpec, populationMet: boolean): number {
  const size = cohort.size ?? cohort.minimum;
  return populationMet ? size : Math.max(size, cohort.population ?? 0);
}

/** `count` of the clients present, each equally likely; the order of `present` and the seed fix who. */
export function sampleCohort(present: readonly ClientId[], count: number, seed: number, name: string): ClientId[] {
  const order = seededRandom(seed, name).permutation(present.length);
  return Array.from(order.subarray(0, count), (index) => present[index]!).sort();
}
