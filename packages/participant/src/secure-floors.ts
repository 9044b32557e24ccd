import { ProtocolError, type RunPlan, type StepQuestion } from "@tributary/protocol";
import { defaultFloors, type Floors } from "@tributary/secure-agg";
import type { AnswerStore } from "./secure-answers.ts";

/** What a device's owner insists on, whatever a coordinator or a run proposes. */
export interface DeviceFloors {
  /** The fewest devices that any sum with this one's part may have; `--min-cohort`. Rules out answers in the clear. */
  readonly minimumSurvivors?: number;
  /** Never answer in the clear; `--require-secure`. */
  readonly requireSecure?: boolean;
  /** `strict` (the default) refuses sums that only withstand an honest but curious coordinator. */
  readonly rule?: "strict" | "curious";
}

/** The floors that a secure session is held against. */
export function sessionFloors({ minimumSurvivors, rule }: DeviceFloors): Floors {
  return {
    ...defaultFloors,
    ...(minimumSurvivors === undefined ? {} : { minimumSurvivors }),
    ...(rule === undefined ? {} : { rule }),
  };
}

/** Throws `ProtocolError("secure_floor")` for a run in the clear that this device's owner does not allow. */
export function checkRun({ name, secureAggregation }: RunPlan, floors: DeviceFloors): void {
  if (secureAggregation === "required") return;
  const { minimumSurvivors = 1, requireSecure = false } = floors;
  const found = `run "${name}" combines updates in the clear, where the coordinator sees each one`;
  if (requireSecure) below(`${found}; this device only takes part in secure runs (--require-secure)`);
  // Seen by itself, an update is a sum of one: without this a coordinator got around the floor by asking for no secrecy.
  if (minimumSurvivors > 1) below(`${found}; this device only takes part in sums of ${minimumSurvivors} or more`);
}

/**
 * Throws `ProtocolError("secure_aggregation_unavailable")` for a run in the clear in whose secure sums this device was, by
 * what it keeps: a coordinator must not take back its promise while the device is away.
 */
export async function checkPast({ run, name }: RunPlan, answers: AnswerStore): Promise<void> {
  const { revealed } = await answers.load(run);
  if (revealed.size === 0) return;
  const found = `run "${name}" was secure when this device was in its sums, and now combines updates in the clear`;
  throw new ProtocolError("secure_aggregation_unavailable", found);
}

/**
 * Holds a question to what its run promised when this device joined it. Throws
 * `ProtocolError("secure_aggregation_unavailable")` for one that asks in the clear what was to be summed securely.
 */
export function checkPromise({ name, secureAggregation }: RunPlan, { step, message }: StepQuestion): void {
  if (secureAggregation === "required" && message === undefined) {
    const found = `run "${name}" promised secure aggregation, and step ${step} asks for an answer in the clear`;
    throw new ProtocolError("secure_aggregation_unavailable", `${found}: refused, nothing was sent`);
  }
  if (secureAggregation === "none" && (message !== undefined || step > 0)) {
    const found = `run "${name}" combines updates in the clear, and step ${step} belongs to a secure sum`;
    throw new ProtocolError("bad_request", `${found}: create the run with secureAggregation "required"`);
  }
}

function below(detail: string): never {
  throw new ProtocolError("secure_floor", detail);
}
