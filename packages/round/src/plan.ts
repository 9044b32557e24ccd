import type { RunSpec } from "@tributary/protocol";
import type { RunPlan } from "./state.ts";

/** The steps of a run whose answers are combined in the clear: one question and one answer an attempt. */
export function plainPlan(spec: RunSpec): RunPlan {
  const { trainMs } = spec.deadlines;
  return {
    spec,
    steps: { train: [{ name: "update", limitMs: trainMs }], evaluate: [{ name: "judgement", limitMs: trainMs }] },
  };
}
