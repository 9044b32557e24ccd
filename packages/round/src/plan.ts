import type { RunSpec } from "@tributary/protocol";
import type { RunPlan, StepPlan } from "./state.ts";

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
    { name: "consistency", limitMs: stepMs },
    { name: "unmask", limitMs: unmaskMs, irrevocable: true },
  ];
  return { spec, steps: { train: steps, evaluate: steps } };
}
