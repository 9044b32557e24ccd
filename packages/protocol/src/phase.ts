import Type from "typebox";

/** Where a run can be; the last three are ends. */
export const phases = [
  "created",
  "gathering",
  "collecting",
  "aggregating",
  "evaluating",
  "paused",
  "finished",
  "stopped",
  "failed",
] as const;
export type Phase = (typeof phases)[number];
export const Phase = Type.Unsafe<Phase>(Type.Enum([...phases]));

/** The phases that a run ends in. */
export type PhaseOver = Extract<Phase, "finished" | "stopped" | "failed">;

/** Whether a run in this phase is over for good. */
export function isOver(phase: Phase): phase is PhaseOver {
  return phase === "finished" || phase === "stopped" || phase === "failed";
}
