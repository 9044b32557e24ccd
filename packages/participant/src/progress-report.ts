import type { TrainingProgress } from "@tributary/algorithm";
import type { Clock } from "./clock.ts";

/** Reports on a socket are at least this far apart, the first and the last aside. */
const spacingMs = 250;

/** The share of a training job that is behind: `epoch` and `batch` count from 1 and name what was just done. */
export function shareDone({ epoch, epochs, batch, batches }: TrainingProgress): number {
  const share = ((epoch - 1) * batches + batch) / (epochs * batches);
  return Number.isFinite(share) ? Math.min(1, Math.max(0, share)) : 0;
}

/** How fast a training job goes, and how long it will take at that rate. */
export interface Pace {
  readonly examplesPerSecond: number;
  readonly remainingMs: number;
}

/** The pace of a job of `examples` each epoch, `elapsedMs` after it began; nothing while none of it is behind. */
export function paceOf(
  progress: TrainingProgress,
  { examples, elapsedMs }: { examples: number; elapsedMs: number },
): Pace | undefined {
  const done = shareDone(progress);
  if (done === 0 || elapsedMs <= 0) return undefined;
  return {
    examplesPerSecond: (1000 * done * progress.epochs * examples) / elapsedMs,
    remainingMs: (elapsedMs * (1 - done)) / done,
  };
}

/** `report`, called at most once per 250 ms and for the last batch; what comes in between is left out. */
export function throttled(
  clock: Clock,
  report: (progress: TrainingProgress) => void,
): (progress: TrainingProgress) => void {
  let lastAt = clock.now();
  return (progress) => {
    const now = clock.now();
    if (now - lastAt < spacingMs && shareDone(progress) < 1) return;
    lastAt = now;
    report(progress);
  };
}
