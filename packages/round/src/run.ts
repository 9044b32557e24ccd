import type { AttemptKind, ClientId, Metrics } from "@tributary/protocol";
import { wantedPresent } from "./cohort.ts";
import { evaluationDue, noProgress, type Progress, recordMetrics, settleClock, stopReason } from "./progress.ts";
import { askStep, closeStep, count, isIrrevocable, isOpen, lose, openAttempt, verdict } from "./round.ts";
import type {
  Aggregating,
  Attempt,
  Collecting,
  Gathering,
  Intent,
  RunEffect,
  RunEvent,
  RunPlan,
  RunState,
  Transition,
  World,
} from "./state.ts";

/*
 * A run, as a pure machine: (state, event, world) → {state, effects}.
 *
 *   created ──start──▶ gathering ──cohort full, or window over with enough──▶ collecting(step 1) ─▶ … ─▶ collecting(step k)
 *                        ▲   ▲                                                   │ too few answers        │ goal or quorum
 *                        │   └────────────── abandoned, next attempt ◀───────────┘                        ▼
 *                        └── next round, or the evaluation of this one ◀── committed / judged ◀──── aggregating
 *
 *   evaluating: the coordinator judges the model itself.   paused ⇄ any of these.   finished, stopped, failed: ends.
 *
 * Time and who is present come in as arguments; asking, summing, storing and waiting go out as effects.
 */

export const newRun: RunState = { phase: "created", progress: noProgress };

/** What a restart finds of a run. `unfinished`: the attempt whose irrevocable step was open, and who is asked in it. */
export interface SavedRun {
  readonly progress: Progress;
  readonly phase: RunState["phase"];
  readonly reason?: string;
  readonly unfinished?: { readonly attempt: Attempt; readonly step: number; readonly asked: readonly ClientId[] };
}

/**
 * The state in which a run goes on after a restart: where it stood, the attempt at hand void, unless it is one that can
 * only be finished.
 */
export function restoreRun(plan: RunPlan, saved: SavedRun, world: World): Transition {
  const progress = { ...saved.progress, runningSince: null };
  switch (saved.phase) {
    case "created":
    case "paused":
      return { state: { phase: saved.phase, progress }, effects: [] };
    case "finished":
    case "stopped":
    case "failed":
      return { state: { phase: saved.phase, progress, reason: saved.reason ?? "" }, effects: [] };
    case "gathering":
    case "collecting":
    case "aggregating":
    case "evaluating": {
      const running = { ...progress, runningSince: world.now };
      return saved.unfinished === undefined
        ? proceed(plan, running, world)
        : askStep(plan, running, saved.unfinished, world);
    }
  }
}

/** What happens next. An event that means nothing in this state changes nothing. */
export function advance(plan: RunPlan, state: RunState, event: RunEvent, world: World): Transition {
  switch (event.type) {
    case "start":
      return state.phase === "created" ? begin(plan, state.progress, world) : unchanged(state);
    case "resume":
      return state.phase === "paused" ? begin(plan, state.progress, world) : unchanged(state);
    case "pause":
    case "stop":
      return interrupt(plan, state, event.type, world);
    case "broken":
      return isEnd(state) ? unchanged(state) : leaveOff(state, world, { outcome: "failed", reason: event.reason });
    case "tick":
      if (state.phase === "gathering") return gather(plan, state, world);
      return state.phase === "collecting" ? ring(plan, state, world) : unchanged(state);
    case "present":
      return state.phase === "gathering" ? gather(plan, state, world) : unchanged(state);
    case "departed":
      return state.phase === "collecting" ? settle(plan, lose(plan, state, event), world) : unchanged(state);
    case "declined":
      return isOpen(state, event.address) ? settle(plan, lose(plan, state, event), world) : unchanged(state);
    case "answered":
      return isOpen(state, event.address) ? settle(plan, count(state, event.client), world) : unchanged(state);
    case "aggregated":
      return state.phase === "aggregating" ? aggregated(plan, state, event.metrics, world) : unchanged(state);
    case "evaluated":
      return state.phase === "evaluating"
        ? goOn(plan, judged(state.progress, event.metrics, plan), state.intent, world)
        : unchanged(state);
    case "enough":
      return isOpen(state, event.address) ? closeStep(plan, state, world) : unchanged(state);
    case "void":
      return state.phase === "aggregating" || state.phase === "collecting"
        ? abandon(plan, state, event.reason, world)
        : unchanged(state);
  }
}

/** What the run is waiting for or ended with, in words. */
export function explain(plan: RunPlan, state: RunState, world: World): string | undefined {
  switch (state.phase) {
    case "gathering": {
      const wanted = wantedPresent(plan.spec.cohort, state.progress.populationMet);
      return world.present.length >= wanted
        ? undefined
        : `waiting for clients: ${world.present.length} of ${wanted} present`;
    }
    case "finished":
    case "stopped":
    case "failed":
      return state.reason;
    case "created":
    case "collecting":
    case "aggregating":
    case "evaluating":
    case "paused":
      return undefined;
  }
}

function begin(plan: RunPlan, progress: Progress, world: World): Transition {
  return proceed(plan, { ...progress, runningSince: world.now }, world);
}

/** From a committed model to whatever comes next: its evaluation, an end, or the next round. */
function proceed(plan: RunPlan, progress: Progress, world: World): Transition {
  const { spec } = plan;
  if (evaluationDue(progress, spec)) {
    if (spec.evaluation.on === "clients") return open(plan, progress, "evaluate", world);
    const { round, modelVersion } = progress;
    return {
      state: { phase: "evaluating", progress, intent: "go on" },
      effects: [{ type: "evaluate", round, modelVersion }],
    };
  }
  const reason = stopReason(progress, spec, world.now);
  if (reason !== undefined) return end(settleClock(progress, world.now, false), "finished", reason);
  return open(plan, progress, "train", world);
}

function open(plan: RunPlan, progress: Progress, kind: AttemptKind, world: World): Transition {
  const until = world.now + plan.spec.deadlines.joinMs;
  return gather(plan, { phase: "gathering", progress, kind, since: world.now, until }, world);
}

function gather(plan: RunPlan, state: Gathering, world: World): Transition {
  const { cohort, deadlines } = plan.spec;
  const reason = stopReason(state.progress, plan.spec, world.now);
  if (reason !== undefined && state.kind === "train") {
    return end(settleClock(state.progress, world.now, false), "finished", reason);
  }
  const present = world.present.length;
  const full = present >= wantedPresent(cohort, state.progress.populationMet);
  if (!full && world.now < state.until) return { state, effects: [{ type: "wake", at: state.until }] };
  if (present >= cohort.minimum) return openAttempt(plan, state, world);
  // Nobody was asked, so no attempt is spent: the window simply begins anew.
  const until = world.now + deadlines.joinMs;
  return { state: { ...state, until }, effects: [{ type: "wake", at: until }] };
}

/** What a timer sets off. One that rang before the deadline, as timers do by fractions of a millisecond, is set again. */
function ring(plan: RunPlan, state: Collecting, world: World): Transition {
  if (world.now < state.deadline) return { state, effects: [{ type: "wake", at: state.deadline }] };
  return settle(plan, state, world);
}

/** Closes or abandons the step at hand if it is time to. */
function settle(plan: RunPlan, state: Collecting, world: World): Transition {
  const decided = verdict(plan, state, world);
  switch (decided.type) {
    case "wait":
      return { state, effects: [] };
    case "close":
      return closeStep(plan, state, world);
    case "abandon":
      return abandon(plan, state, decided.reason, world);
    case "fail":
      return leaveOff(state, world, { outcome: "failed", reason: decided.reason });
  }
}

/**
 * Gives an attempt up. Training is tried again with the same model; an evaluation twice, then it is left out. Devices
 * still at work are not told: if the next attempt asks them, what they have done so far counts for it.
 */
function abandon(plan: RunPlan, state: Collecting | Aggregating, reason: string, world: World): Transition {
  const { attempt } = state;
  const effects: RunEffect[] = [{ type: "abandon", attempt: withLost(state), reason }];
  if (state.phase === "aggregating" && state.intent !== "go on") {
    return prepend(effects, goOn(plan, state.progress, state.intent, world));
  }
  if (attempt.kind === "train") return prepend(effects, retry(plan, state.progress, world));
  const failedEvaluations = state.progress.failedEvaluations + 1;
  const judged = failedEvaluations >= 2 ? attempt.round : state.progress.judged;
  return prepend(effects, proceed(plan, { ...state.progress, failedEvaluations, judged }, world));
}

/** The attempt at hand, and among the dropped those that were lost in the step at hand. */
function withLost(state: Collecting | Aggregating): Attempt {
  const lost = state.phase === "collecting" ? state.lost : [];
  return { ...state.attempt, dropped: [...state.attempt.dropped, ...lost] };
}

/** Gathers again after a second, so that a cohort that always fails does not spin. */
function retry(plan: RunPlan, progress: Progress, world: World): Transition {
  const until = world.now + plan.spec.deadlines.joinMs;
  return {
    state: { phase: "gathering", progress, kind: "train", since: world.now, until },
    effects: [{ type: "wake", at: world.now + Math.min(1000, plan.spec.deadlines.joinMs) }],
  };
}

function aggregated(plan: RunPlan, state: Aggregating, metrics: Metrics, world: World): Transition {
  const { attempt, progress, intent } = state;
  if (attempt.kind === "evaluate") return goOn(plan, judged(progress, metrics, plan), intent, world);
  const { spec } = plan;
  const advanced = {
    ...settleClock(progress, world.now, true),
    round: attempt.round,
    modelVersion: progress.modelVersion + 1,
    attempts: { current: attempt.attempt, next: 0 },
    failedEvaluations: 0,
  };
  const noted =
    spec.evaluation.on === "nowhere" ? recordMetrics(advanced, metrics, spec) : withTraining(advanced, metrics);
  return goOn(plan, noted, intent, world);
}

function judged(progress: Progress, metrics: Metrics, plan: RunPlan): Progress {
  const noted = recordMetrics(progress, { ...progress.latest, ...metrics }, plan.spec);
  return { ...noted, judged: progress.round };
}

/** What the training reported stands beside the newest judgement: a target may be either's. */
function withTraining(progress: Progress, metrics: Metrics): Progress {
  return { ...progress, latest: { ...progress.latest, ...metrics } };
}

function goOn(plan: RunPlan, progress: Progress, intent: Intent, world: World): Transition {
  switch (intent) {
    case "go on":
      return proceed(plan, progress, world);
    case "pause":
      return { state: { phase: "paused", progress: settleClock(progress, world.now, false) }, effects: [] };
    case "stop":
      return end(settleClock(progress, world.now, false), "stopped", "stopped by the operator");
  }
}

function interrupt(plan: RunPlan, state: RunState, wish: "pause" | "stop", world: World): Transition {
  switch (state.phase) {
    case "finished":
    case "stopped":
    case "failed":
      return unchanged(state);
    case "created":
    case "paused":
      return wish === "stop" ? end(state.progress, "stopped", "stopped by the operator") : unchanged(state);
    case "aggregating":
    case "evaluating":
      return { state: { ...state, intent: wish }, effects: [] };
    case "gathering":
    case "collecting":
      // A pause would void an attempt that devices will not repeat: it has to wait for the commit.
      if (wish === "pause" && state.phase === "collecting" && isIrrevocable(plan, state)) return unchanged(state);
      return leaveOff(
        state,
        world,
        wish === "pause" ? undefined : { outcome: "stopped", reason: "stopped by the operator" },
      );
  }
}

/** Drops the attempt at hand, if there is one, and pauses or ends. */
function leaveOff(
  state: RunState,
  world: World,
  ending: { outcome: "stopped" | "failed"; reason: string } | undefined,
): Transition {
  const progress = settleClock(state.progress, world.now, false);
  const reason = ending?.reason ?? "the run is paused";
  const effects: RunEffect[] = [];
  if (state.phase === "collecting") {
    const { attempt, step } = state;
    effects.push(
      { type: "abandon", attempt: withLost(state), reason },
      { type: "dismiss", attempt, step, clients: state.asked, reason },
    );
  }
  if (ending === undefined) return { state: { phase: "paused", progress }, effects };
  return prepend(effects, end(progress, ending.outcome, reason));
}

function end(progress: Progress, outcome: "finished" | "stopped" | "failed", reason: string): Transition {
  return { state: { phase: outcome, progress, reason }, effects: [{ type: "ended", outcome, reason }] };
}

function isEnd(state: RunState): boolean {
  return state.phase === "finished" || state.phase === "stopped" || state.phase === "failed";
}

function unchanged(state: RunState): Transition {
  return { state, effects: [] };
}

function prepend(effects: readonly RunEffect[], transition: Transition): Transition {
  return { state: transition.state, effects: [...effects, ...transition.effects] };
}
