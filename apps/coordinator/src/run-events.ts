import type { Judging, Metrics, RoundRecord, RunId, UnnumberedEvent } from "@tributary/protocol";
import type { Attempt, RunPlan, RunState, Transition } from "@tributary/round";

/** What watchers are told of one transition of a run's machine, but for changes of phase and what is committed. */
export function eventsOf(
  run: RunId,
  plan: RunPlan,
  change: { readonly before: RunState; readonly transition: Transition; readonly at: number },
): UnnumberedEvent[] {
  const { before, transition } = change;
  const at = Math.round(change.at);
  const events: UnnumberedEvent[] = [];
  for (const effect of transition.effects) {
    if (effect.type !== "ask" && effect.type !== "aggregate" && effect.type !== "abandon") continue;
    const { kind, round, attempt } = effect.attempt;
    const place = { at, run, kind, round, attempt };
    const stepName = (step: number) => plan.steps[kind][step]!.name;
    const closes = before.phase === "collecting" && effect.type !== "abandon" && isSame(before.attempt, effect.attempt);
    if (closes) {
      const seconds = (change.at - (before.deadline - plan.steps[kind][before.step]!.limitMs)) / 1000;
      const step = stepName(before.step);
      events.push({ type: "step-closed", ...place, step, answered: before.answered.length, seconds });
      for (const dropped of effect.attempt.dropped.slice(before.attempt.dropped.length)) {
        events.push({ type: "dropped", ...place, ...dropped });
      }
    }
    if (effect.type === "ask") {
      events.push({ type: "step-opened", ...place, step: stepName(effect.step), clients: effect.clients.length });
    }
    if (effect.type === "abandon") events.push({ type: "abandoned", ...place, reason: effect.reason });
  }
  return events;
}

/** What watchers are told of a committed round. */
export function roundEvents(record: RoundRecord): UnnumberedEvent[] {
  const { run, round, committedAt: at } = record;
  return [
    { type: "round", at, run, record },
    ...metricEvents({ run, round, at, from: "training", metrics: record.metrics }),
  ];
}

/** What watchers are told of a judged model version. */
export function evaluationEvents(judged: {
  run: RunId;
  round: number;
  modelVersion: number;
  at: number;
  metrics: Metrics;
  seconds: number;
  judging?: Judging;
}): UnnumberedEvent[] {
  const { run, round, at, metrics } = judged;
  return [{ type: "evaluation", ...judged }, ...metricEvents({ run, round, at, from: "evaluation", metrics })];
}

/** What watchers are told of a run's phase, with why it is there. */
export function phaseEvent(run: RunId, state: RunState, at: number): UnnumberedEvent {
  const { round, modelVersion } = state.progress;
  const reason = "reason" in state ? { reason: state.reason } : {};
  return { type: "phase", at: Math.round(at), run, phase: state.phase, ...reason, round, modelVersion };
}

function metricEvents(figures: {
  run: RunId;
  round: number;
  at: number;
  from: "training" | "evaluation";
  metrics: Metrics;
}): UnnumberedEvent[] {
  const { metrics, ...place } = figures;
  return Object.entries(metrics).map(([name, value]) => ({ type: "metric", ...place, name, value }));
}

function isSame(a: Attempt, b: Attempt): boolean {
  return a.kind === b.kind && a.round === b.round && a.attempt === b.attempt;
}
