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

/** Whether a run in this phase is over for good. */
export function isOver(phase: Phase): boolean {
  return phase === "finished" || phase === "stopped" || phase === "failed";
}
