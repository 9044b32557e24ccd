import type { Metrics, RunSpec } from "@tributary/protocol";

/** What a run has come to: everything that must survive a restart besides the model and its round records. */
export interface Progress {
  /** The last committed round; 0 before the first. */
  readonly round: number;
  readonly modelVersion: number;
  /** Attempts opened for the committed round (its training and its evaluation), and for the round after it. */
  readonly attempts: { readonly current: number; readonly next: number };
  /** Attempts at evaluating the committed round that failed. */
  readonly failedEvaluations: number;
  /** The last round whose evaluation is done or was given up. */
  readonly judged: number;
  /** What the newest training reported and, beside it, the newest evaluation. */
  readonly latest: Metrics;
  /** Best value so far of the metric that patience watches. */
  readonly best: { readonly value: number; readonly round: number } | null;
  /** Whether the first round's wait for `cohort.population` is over. */
  readonly populationMet: boolean;
  /** Milliseconds spent running, pauses and downtime apart, up to `runningSince`. */
  readonly activeMs: number;
  readonly runningSince: number | null;
}

export const noProgress: Progress = {
  round: 0,
  modelVersion: 0,
  attempts: { current: 0, next: 0 },
  failedEvaluations: 0,
  judged: 0,
  latest: {},
  best: null,
  populationMet: false,
  activeMs: 0,
  runningSince: null,
};

/** Milliseconds a run has been running at `now`. */
export function activeMs(progress: Progress, now: number): number {
  return progress.activeMs + (progress.runningSince === null ? 0 : now - progress.runningSince);
}

/** The same progress with its running time settled at `now`; the clock goes on where `running`. */
export function settleClock(progress: Progress, now: number, running: boolean): Progress {
  return { ...progress, activeMs: activeMs(progress, now), runningSince: running ? now : null };
}

/** Takes in what the newest round's judgement (or, without evaluation, its training) reported. */
export function recordMetrics(progress: Progress, metrics: Metrics, spec: RunSpec): Progress {
  const watched = watchedMetric(spec, metrics);
  const value = metrics[watched.metric];
  const best = progress.best;
  const better = value !== undefined && (best === null || (watched.higher ? value > best.value : value < best.value));
  return { ...progress, latest: metrics, best: better ? { value, round: progress.round } : best };
}

/** Whether the newest committed round is to be evaluated and has not been. */
export function evaluationDue(progress: Progress, spec: RunSpec): boolean {
  const { evaluation, stop } = spec;
  if (evaluation.on === "nowhere" || progress.round === 0 || progress.judged >= progress.round) return false;
  return progress.round % evaluation.everyRounds === 0 || progress.round >= stop.rounds;
}

/** Why the run is over, if a stop rule says so. */
export function stopReason(progress: Progress, spec: RunSpec, now: number): string | undefined {
  const { target, rounds, patienceRounds, maxMinutes } = spec.stop;
  const reached = target === undefined ? undefined : progress.latest[target.metric];
  if (target !== undefined && reached !== undefined && progress.round > 0) {
    if (target.atLeast !== undefined && reached >= target.atLeast) {
      return `target reached: ${target.metric} ${reached} ≥ ${target.atLeast}`;
    }
    if (target.atMost !== undefined && reached <= target.atMost) {
      return `target reached: ${target.metric} ${reached} ≤ ${target.atMost}`;
    }
  }
  if (progress.round >= rounds) return `all ${rounds} rounds done`;
  if (
    patienceRounds !== undefined &&
    progress.best !== null &&
    progress.round - progress.best.round >= patienceRounds
  ) {
    return `no better ${watchedMetric(spec, progress.latest).metric} for ${patienceRounds} rounds`;
  }
  if (maxMinutes !== undefined && activeMs(progress, now) >= maxMinutes * 60_000)
    return `${maxMinutes} minutes are over`;
  return undefined;
}

/** The metric that patience watches: the target's, else accuracy, loss or training loss, the first there is. */
function watchedMetric(spec: RunSpec, metrics: Metrics): { metric: string; higher: boolean } {
  const { target } = spec.stop;
  if (target !== undefined) return { metric: target.metric, higher: target.atLeast !== undefined };
  if ("accuracy" in metrics) return { metric: "accuracy", higher: true };
  return { metric: "loss" in metrics ? "loss" : "trainingLoss", higher: false };
}
