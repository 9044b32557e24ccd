import type { Algorithm } from "@tributary/algorithm";
import { ProtocolError, type RunId, type RunSpec } from "@tributary/protocol";
import { defaultAim, planSessions, smallestCohort } from "@tributary/secure-agg";
import { faultOf } from "./consistency.ts";

/** Refuses what cannot be honoured, rather than running it in the clear. */
export function checkSecure(spec: RunSpec, algorithm: Algorithm): void {
  const { cohort } = spec;
  const refuse = (detail: string) => {
    const mend = 'or combine updates in the clear by name with secureAggregation: "none"';
    throw ProtocolError.naming("secure_aggregation_unavailable", [faultOf(`${detail}; ${mend}`)]);
  };
  if (!algorithm.linear) refuse(`${algorithm.name} needs each update by itself, which secure aggregation hides`);
  if (cohort.minimum < smallestCohort) {
    refuse(`cohort.minimum: ${cohort.minimum} devices hide nothing from one another; take at least ${smallestCohort}`);
  }
  const overSelect = cohort.overSelect ?? 1;
  const most = 1 / (1 - defaultAim.dropout);
  if (overSelect > most + 1e-9) {
    refuse(`cohort.overSelect: ${overSelect} is more than ${most.toFixed(2)}, what the masks' graph withstands`);
  }
  const clients = cohortOf(spec);
  try {
    const later = algorithm.laterLanes?.(spec);
    const sessions = [
      { kind: "train", lanes: algorithm.lanes(spec, 1) },
      { kind: "evaluate", lanes: algorithm.evaluationLanes(spec) },
      ...(later === undefined ? [] : [{ kind: "train", lanes: later } as const]),
    ] as const;
    for (const session of sessions) planSessions(spec, clients, { ...anySession, ...session });
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    refuse(error.message);
  }
}

/** How many clients a round asks, as far as the specification says: where it takes a share of all present, at least so many. */
export function cohortOf({ cohort }: RunSpec): number {
  return Math.ceil((cohort.size ?? cohort.minimum) * (cohort.overSelect ?? 1) - 1e-9);
}

/** A session of no run, to see whether there can be one. */
export const anySession = {
  run: "run-00000000" as RunId,
  round: 1,
  attempt: 1,
  modelVersion: 0,
  modelHash: "00".repeat(32),
  taskHash: "00".repeat(32),
};
