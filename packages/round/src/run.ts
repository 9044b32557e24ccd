import type { AttemptKind, ClientId, Dropped, Metrics, RefusalCode, RunSpec, StepAddress } from "@tributary/protocol";
import { cohortSize, sampleCohort, wantedPresent } from "./cohort.ts";
import { evaluationDue, noProgress, type Progress, recordMetrics, settleClock, stopReason } from "./progress.ts";

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

/** What a run does, fixed when it is created. `steps` are the questions of one attempt of each kind, in order. */
export interface RunPlan {
  readonly spec: RunSpec;
  readonly steps: Readonly<Record<AttemptKind, readonly StepPlan[]>>;
}

export interface StepPlan {
  readonly name: string;
  readonly limitMs: number;
}

/** One try at one round's train or evaluate question. */
export interface Attempt {
  readonly kind: AttemptKind;
  readonly round: number;
  readonly attempt: number;
  readonly gatheredSince: number;
  readonly openedAt: number;
  readonly cohort: readonly ClientId[];
  readonly dropped: readonly Dropped[];
  readonly goal: number;
}

export type RunState =
  | { readonly phase: "created"; readonly progress: Progress }
  | {
      readonly phase: "gathering";
      readonly progress: Progress;
      readonly kind: AttemptKind;
      readonly since: number;
      readonly until: number;
    }
  | {
      readonly phase: "collecting";
      readonly progress: Progress;
      readonly attempt: Attempt;
      readonly step: number;
      readonly asked: readonly ClientId[];
      readonly answered: readonly ClientId[];
      /** Clients that left or declined in this step; one that answers after all counts. */
      readonly lost: readonly Dropped[];
      readonly deadline: number;
    }
  | {
      readonly phase: "aggregating";
      readonly progress: Progress;
      readonly attempt: Attempt;
      readonly survivors: readonly ClientId[];
      readonly intent: Intent;
    }
  | { readonly phase: "evaluating"; readonly progress: Progress; readonly intent: Intent }
  | { readonly phase: "paused"; readonly progress: Progress }
  | { readonly phase: "finished" | "stopped" | "failed"; readonly progress: Progress; readonly reason: string };

/** What the operator wants once the work at hand is done. */
type Intent = "go on" | "pause" | "stop";

export type RunEvent =
  | { readonly type: "start" | "pause" | "resume" | "stop" | "tick" | "present" }
  | { readonly type: "departed"; readonly client: ClientId; readonly reason: string }
  | { readonly type: "answered"; readonly client: ClientId; readonly address: StepAddress }
  | { readonly type: "declined"; readonly client: ClientId; readonly address: StepAddress; readonly reason: string }
  /** The attempt's sum is committed (train) or judged (evaluate). */
  | { readonly type: "aggregated"; readonly metrics: Metrics }
  | { readonly type: "evaluated"; readonly metrics: Metrics }
  /** The attempt's answers cannot be combined (not a fault of ours); try again. */
  | { readonly type: "void"; readonly reason: string }
  | { readonly type: "broken"; readonly reason: string };

export type RunEffect =
  | { readonly type: "ask"; readonly attempt: Attempt; readonly step: number; readonly clients: readonly ClientId[] }
  | {
      readonly type: "dismiss";
      readonly attempt: Attempt;
      readonly step: number;
      readonly clients: readonly ClientId[];
      readonly reason: string;
    }
  | { readonly type: "aggregate"; readonly attempt: Attempt; readonly survivors: readonly ClientId[] }
  | { readonly type: "abandon"; readonly attempt: Attempt; readonly reason: string }
  | { readonly type: "evaluate"; readonly round: number; readonly modelVersion: number }
  /** Send a `tick` at this time; the newest wake replaces the one before. */
  | { readonly type: "wake"; readonly at: number }
  | { readonly type: "ended"; readonly outcome: "finished" | "stopped" | "failed"; readonly reason: string };

/** What the machine may look at: the time, and the clients that could be asked now, in a stable order. */
export interface World {
  readonly now: number;
  readonly present: readonly ClientId[];
}

export interface Transition {
  readonly state: RunState;
  readonly effects: readonly RunEffect[];
}

export const newRun: RunState = { phase: "created", progress: noProgress };

/** The state in which a run goes on after a restart: where it stood, the attempt at hand void. */
export function restoreRun(
  plan: RunPlan,
  saved: { progress: Progress; phase: RunState["phase"]; reason?: string },
  world: World,
): Transition {
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
    case "evaluating":
      return proceed(plan, { ...progress, runningSince: world.now }, world);
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
      return interrupt(state, event.type, world);
    case "broken":
      return isEnd(state) ? unchanged(state) : leaveOff(state, world, { outcome: "failed", reason: event.reason });
    case "tick":
    case "present":
      if (state.phase === "gathering") return gather(plan, state, world);
      if (state.phase === "collecting") return closeIfDone(plan, state, world);
      return unchanged(state);
    case "departed":
      return state.phase === "collecting" ? lose(plan, state, event, world) : unchanged(state);
    case "declined":
      return isOpen(state, event.address) ? lose(plan, state, event, world) : unchanged(state);
    case "answered":
      return isOpen(state, event.address) ? count(plan, state, event.client, world) : unchanged(state);
    case "aggregated":
      return state.phase === "aggregating" ? aggregated(plan, state, event.metrics, world) : unchanged(state);
    case "evaluated":
      return state.phase === "evaluating"
        ? goOn(plan, judged(state.progress, event.metrics, plan), state.intent, world)
        : unchanged(state);
    case "void":
      return state.phase === "aggregating" ? abandon(plan, state, event.reason, world) : unchanged(state);
  }
}

/** Whether this client's answer to this step is wanted now: undefined, or why not. */
export function refusalOf(state: RunState, address: StepAddress, client: ClientId): RefusalCode | undefined {
  if (state.phase !== "collecting") {
    const { progress } = state;
    return address.round > progress.round + 1 ? "wrong_round" : "phase_closed";
  }
  const { attempt, step } = state;
  if (address.round !== attempt.round) return address.round < attempt.round ? "phase_closed" : "wrong_round";
  if (address.attempt !== attempt.attempt) return address.attempt < attempt.attempt ? "phase_closed" : "wrong_round";
  if (!attempt.cohort.includes(client)) return "not_asked";
  if (address.step > step) return "too_early";
  if (address.step < step) return "phase_closed";
  return state.asked.includes(client) ? undefined : "not_asked";
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

type Collecting = Extract<RunState, { phase: "collecting" }>;
type Gathering = Extract<RunState, { phase: "gathering" }>;
type Aggregating = Extract<RunState, { phase: "aggregating" }>;

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
  const { spec } = plan;
  const { cohort } = spec;
  const reason = stopReason(state.progress, spec, world.now);
  if (reason !== undefined && state.kind === "train") {
    return end(settleClock(state.progress, world.now, false), "finished", reason);
  }
  const present = world.present.length;
  const full = present >= wantedPresent(cohort, state.progress.populationMet);
  if (!full && world.now < state.until) return { state, effects: [{ type: "wake", at: state.until }] };
  if (present < cohort.minimum) {
    // Nobody was asked, so no attempt is spent: the window simply begins anew.
    const until = world.now + spec.deadlines.joinMs;
    return { state: { ...state, until }, effects: [{ type: "wake", at: until }] };
  }
  const { current, next } = state.progress.attempts;
  const training = state.kind === "train";
  const attempts = training ? { current, next: next + 1 } : { current: current + 1, next };
  const progress = { ...state.progress, populationMet: true, attempts };
  const round = training ? progress.round + 1 : progress.round;
  const number = training ? attempts.next : attempts.current;
  const { asked, goal } = cohortSize(cohort, present);
  const name = `cohort/${state.kind}/${round}/${number}`;
  const clients = sampleCohort(world.present, asked, spec.seed, name);
  const attempt: Attempt = {
    kind: state.kind,
    round,
    attempt: number,
    gatheredSince: state.since,
    openedAt: world.now,
    cohort: clients,
    dropped: [],
    goal,
  };
  return askStep(plan, progress, attempt, 0, clients, world);
}

function askStep(
  plan: RunPlan,
  progress: Progress,
  attempt: Attempt,
  step: number,
  asked: readonly ClientId[],
  world: World,
): Transition {
  const deadline = world.now + plan.steps[attempt.kind][step]!.limitMs;
  return {
    state: { phase: "collecting", progress, attempt, step, asked, answered: [], lost: [], deadline },
    effects: [
      { type: "ask", attempt, step, clients: asked },
      { type: "wake", at: deadline },
    ],
  };
}

function count(plan: RunPlan, state: Collecting, client: ClientId, world: World): Transition {
  if (!state.asked.includes(client) || state.answered.includes(client)) return unchanged(state);
  const lost = state.lost.filter((entry) => entry.client !== client);
  return closeIfDone(plan, { ...state, answered: [...state.answered, client], lost }, world);
}

function lose(plan: RunPlan, state: Collecting, event: { client: ClientId; reason: string }, world: World): Transition {
  const { client, reason } = event;
  if (!state.asked.includes(client) || state.answered.includes(client)) return unchanged(state);
  if (state.lost.some((entry) => entry.client === client)) return unchanged(state);
  const step = plan.steps[state.attempt.kind][state.step]!.name;
  return closeIfDone(plan, { ...state, lost: [...state.lost, { client, step, reason }] }, world);
}

/** Ends the step at its goal, when nobody is left to wait for, at its deadline, or as soon as it cannot succeed. */
function closeIfDone(plan: RunPlan, state: Collecting, world: World): Transition {
  const { attempt, asked, answered, lost, deadline } = state;
  const { minimum } = plan.spec.cohort;
  const waiting = asked.length - answered.length - lost.length;
  const late = world.now >= deadline;
  if (answered.length + waiting < minimum) {
    return abandon(
      plan,
      state,
      `${answered.length} of ${asked.length} clients answered and too few are left; ${minimum} are needed`,
      world,
    );
  }
  if (answered.length < attempt.goal && waiting > 0 && !late) return { state, effects: [] };
  if (answered.length < minimum) {
    return abandon(plan, state, `the deadline passed with ${answered.length} of ${minimum} answers`, world);
  }
  return close(plan, state, world);
}

function close(plan: RunPlan, state: Collecting, world: World): Transition {
  const { attempt, step, answered } = state;
  const steps = plan.steps[attempt.kind];
  const stragglers = without(state.asked, [...answered, ...state.lost.map(({ client }) => client)]);
  const late = stragglers.map((client) => ({
    client,
    step: steps[step]!.name,
    reason: "the step closed before it answered",
  }));
  const dropped = [...attempt.dropped, ...state.lost, ...late];
  const closed: Attempt = { ...attempt, dropped };
  const dismissal: RunEffect[] =
    stragglers.length === 0
      ? []
      : [
          {
            type: "dismiss",
            attempt: closed,
            step,
            clients: stragglers,
            reason: "the step closed at its goal or deadline",
          },
        ];
  const survivors = [...answered].sort();
  if (step + 1 < steps.length) {
    const next = askStep(plan, state.progress, closed, step + 1, survivors, world);
    return { state: next.state, effects: [...dismissal, ...next.effects] };
  }
  return {
    state: { phase: "aggregating", progress: state.progress, attempt: closed, survivors, intent: "go on" },
    effects: [...dismissal, { type: "aggregate", attempt: closed, survivors }],
  };
}

/** Gives an attempt up. Training is tried again with the same model; an evaluation twice, then it is left out. */
function abandon(plan: RunPlan, state: Collecting | Aggregating, reason: string, world: World): Transition {
  const { attempt } = state;
  const effects: RunEffect[] = [{ type: "abandon", attempt, reason }];
  if (state.phase === "collecting") {
    const waiting = without(state.asked, [...state.answered, ...state.lost.map(({ client }) => client)]);
    if (waiting.length > 0) effects.push({ type: "dismiss", attempt, step: state.step, clients: waiting, reason });
  }
  if (state.phase === "aggregating" && state.intent !== "go on") {
    return prepend(effects, goOn(plan, state.progress, state.intent, world));
  }
  if (attempt.kind === "train") return prepend(effects, retry(plan, state.progress, world));
  const failedEvaluations = state.progress.failedEvaluations + 1;
  const judged = failedEvaluations >= 2 ? attempt.round : state.progress.judged;
  return prepend(effects, proceed(plan, { ...state.progress, failedEvaluations, judged }, world));
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
  const noted = spec.evaluation.on === "nowhere" ? recordMetrics(advanced, metrics, spec) : advanced;
  return goOn(plan, noted, intent, world);
}

function judged(progress: Progress, metrics: Metrics, plan: RunPlan): Progress {
  return { ...recordMetrics(progress, metrics, plan.spec), judged: progress.round };
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

function interrupt(state: RunState, wish: "pause" | "stop", world: World): Transition {
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
      { type: "abandon", attempt, reason },
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

function isOpen(state: RunState, address: StepAddress): state is Collecting {
  return (
    state.phase === "collecting" &&
    state.attempt.round === address.round &&
    state.attempt.attempt === address.attempt &&
    state.step === address.step
  );
}

function unchanged(state: RunState): Transition {
  return { state, effects: [] };
}

function prepend(effects: readonly RunEffect[], transition: Transition): Transition {
  return { state: transition.state, effects: [...effects, ...transition.effects] };
}

function without(clients: readonly ClientId[], excluded: readonly ClientId[]): ClientId[] {
  const gone = new Set(excluded);
  return clients.filter((client) => !gone.has(client));
}
