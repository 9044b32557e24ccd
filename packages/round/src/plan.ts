import type { ClientId, Dropped, RunSpec } from "@tributary/protocol";
import type { RunPlan, StepPlan } from "./state.ts";

/** Steps of a secure attempt whose members are in its sum already. */
const afterTheSum = ["consistency", "unmask"] as const;

/** The steps that a run's specification asks for. */
export function planOf(spec: RunSpec): RunPlan {
  return spec.secureAggregation === "none" ? plainPlan(spec) : securePlan(spec);
}

/** Answers combined in the clear: one question and one answer an attempt. */
function plainPlan(spec: RunSpec): RunPlan {
  const { trainMs } = spec.deadlines;
  return {
    spec,
    steps: { train: [{ name: "update", limitMs: trainMs }], evaluate: [{ name: "judgement", limitMs: trainMs }] },
  };
}

/**
 * The five messages of a secure sum (docs/secure-aggregation.md). The first question tells what to train too, so that
 * keys and shares travel while devices work.
 */
function securePlan(spec: RunSpec): RunPlan {
  const { trainMs, stepMs, unmaskMs } = spec.deadlines;
  const steps: StepPlan[] = [
    { name: "keys", limitMs: stepMs },
    { name: "shares", limitMs: stepMs },
    { name: "masked", limitMs: trainMs },
    { name: afterTheSum[0], limitMs: stepMs },
    { name: afterTheSum[1], limitMs: unmaskMs, irrevocable: true },
  ];
  return { spec, steps: { train: steps, evaluate: steps } };
}

/** The clients whose contributions a committed round's sum holds: also those that left once theirs was in it. */
export function contributorsTo(round: {
  readonly survivors: readonly ClientId[];
  readonly dropped: readonly Dropped[];
}): ClientId[] {
  const { survivors, dropped } = round;
  const late = dropped.filter(({ step }) => (afterTheSum as readonly string[]).includes(step));
  return [...survivors, ...late.map(({ client }) => client)];
}
