import { type ModelRecord, type Phase, ProtocolError } from "@tributary/protocol";
import type { Progress } from "@tributary/round";

/** Phases in which nobody is at work on the current version, so that it can be replaced. */
const quiet: ReadonlySet<Phase> = new Set<Phase>(["created", "paused", "finished", "stopped", "failed"]);

/** Throws `wrong_state` unless a run in this phase, at this version, can serve `version` again. */
export function checkRollback(run: { readonly phase: Phase; readonly modelVersion: number }, version: number): void {
  if (!quiet.has(run.phase)) {
    throw new ProtocolError("wrong_state", `A run that is ${run.phase} cannot roll back; pause it first.`);
  }
  if (version === run.modelVersion) {
    throw new ProtocolError("wrong_state", `Version ${version} is the one being served already.`);
  }
}

/**
 * The record of `old` served again, and where the run then is: the next version, the same round. Rounds go on counting,
 * the round's pending evaluation is given up (it would judge another model), and patience begins anew.
 */
export function restored(
  old: ModelRecord,
  progress: Progress,
  createdAt: number,
): { model: ModelRecord; progress: Progress } {
  const version = progress.modelVersion + 1;
  const { round } = progress;
  return {
    model: { ...old, version, round, createdAt, restoredFrom: old.version },
    progress: {
      ...progress,
      modelVersion: version,
      judged: round,
      failedEvaluations: 0,
      latest: old.metrics,
      best: null,
    },
  };
}
