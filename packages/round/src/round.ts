import type { ClientId, RefusalCode, StepAddress } from "@tributary/protocol";
import { cohortSize, sampleCohort } from "./cohort.ts";
import type { Progress } from "./progress.ts";
import type { Attempt, Collecting, Gathering, RunEffect, RunPlan, RunState, Transition, World } from "./state.ts";

/*
 * One attempt at a round: who is asked, whose answers count, and when a step is over.
 *
 *   openAttempt ─▶ collecting(step 1) ── verdict: wait | abandon | close ──▶ collecting(step 2) ─▶ … ─▶ aggregating
 */

/** Samples a cohort from the clients present and asks it the first question. At least the minimum are present. */
export function openAttempt(plan: RunPlan, state: Gathering, world: World): Transition {
  const { cohort, seed } = plan.spec;
  const { current, next } = state.progress.attempts;
  const training = state.kind === "train";
  const attempts = training ? { current, next: next + 1 } : { current: current + 1, next };
  const progress = { ...state.progress, populationMet: true, attempts };
  const round = training ? progress.round + 1 : progress.round;
  const number = training ? attempts.next : attempts.current;
  const { asked, goal } = cohortSize(cohort, world.present.length);
  const clients = sampleCohort(world.present, asked, seed, `cohort/${state.kind}/${round}/${number}`);
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
  return askStep(plan, progress, { attempt, step: 0, asked: clients }, world);
}

/** Opens a step of an attempt: its question goes to `asked`. */
export function askStep(
  plan: RunPlan,
  progress: Progress,
  question: { attempt: Attempt; step: number; asked: readonly ClientId[] },
  world: World,
): Transition {
  const { attempt, step, asked } = question;
  const deadline = world.now + plan.steps[attempt.kind][step]!.limitMs;
  return {
    state: { phase: "collecting", progress, attempt, step, asked, answered: [], lost: [], deadline },
    effects: [
      { type: "ask", attempt, step, clients: asked },
      { type: "wake", at: deadline },
    ],
  };
}

/** The state with this client's answer counted, once; one that was given up for lost counts after all. */
export function count(state: Collecting, client: ClientId): Collecting {
  if (!state.asked.includes(client) || state.answered.includes(client)) return state;
  const lost = state.lost.filter((entry) => entry.client !== client);
  return { ...state, answered: [...state.answered, client], lost };
}

/** The state with this client given up, unless it has answered. */
export function lose(plan: RunPlan, state: Collecting, event: { client: ClientId; reason: string }): Collecting {
  const { client, reason } = event;
  if (!state.asked.includes(client) || state.answered.includes(client)) return state;
  if (state.lost.some((entry) => entry.client === client)) return state;
  const step = plan.steps[state.attempt.kind][state.step]!.name;
  return { ...state, lost: [...state.lost, { client, step, reason }] };
}

/** Whether the step at hand can only be finished, never tried again. */
export function isIrrevocable(plan: RunPlan, { attempt, step }: Collecting): boolean {
  return plan.steps[attempt.kind][step]!.irrevocable === true;
}

/** Clients that were asked and neither answered nor are lost. */
function awaited({ asked, answered, lost }: Collecting): ClientId[] {
  const gone = new Set([...answered, ...lost.map(({ client }) => client)]);
  return asked.filter((client) => !gone.has(client));
}

/**
 * Whether a step goes on, has failed, or is over: at its goal, when nobody is left to wait for, or at its deadline with
 * a quorum. It has failed as soon as it cannot reach the quorum any more.
 */
export function verdict(
  plan: RunPlan,
  state: Collecting,
  world: World,
): { readonly type: "wait" | "close" } | { readonly type: "abandon" | "fail"; readonly reason: string } {
  const { attempt, asked, answered, deadline } = state;
  if (isIrrevocable(plan, state)) {
    if (world.now < deadline) return { type: "wait" };
    const found = `${answered.length} of ${asked.length} devices revealed their shares, which is too few`;
    return {
      type: "fail",
      reason: `round ${attempt.round} can never be finished: ${found}; go on from its model in a new run`,
    };
  }
  const { minimum } = plan.spec.cohort;
  const waiting = awaited(state).length;
  if (answered.length + waiting < minimum) {
    const found = `${answered.length} of ${asked.length} clients answered and too few are left`;
    return { type: "abandon", reason: `${found}; ${minimum} are needed` };
  }
  if (answered.length < attempt.goal && waiting > 0 && world.now < deadline) return { type: "wait" };
  if (answered.length >= minimum) return { type: "close" };
  return { type: "abandon", reason: `the deadline passed with ${answered.length} of ${minimum} answers` };
}

/** Ends a step: tells the stragglers, and asks the next question or hands the answers over to be combined. */
export function closeStep(plan: RunPlan, state: Collecting, world: World): Transition {
  const { attempt, step, answered, progress } = state;
  const steps = plan.steps[attempt.kind];
  const stragglers = awaited(state);
  const late = stragglers.map((client) => {
    return { client, step: steps[step]!.name, reason: "the step closed before it answered" };
  });
  const closed: Attempt = { ...attempt, dropped: [...attempt.dropped, ...state.lost, ...late] };
  const reason = "the step closed at its goal or deadline";
  const dismissal: RunEffect[] =
    stragglers.length === 0 ? [] : [{ type: "dismiss", attempt: closed, step, clients: stragglers, reason }];
  const survivors = [...answered].sort();
  if (step + 1 < steps.length) {
    const next = askStep(plan, progress, { attempt: closed, step: step + 1, asked: survivors }, world);
    return { state: next.state, effects: [...dismissal, ...next.effects] };
  }
  return {
    state: { phase: "aggregating", progress, attempt: closed, survivors, intent: "go on" },
    effects: [...dismissal, { type: "aggregate", attempt: closed, survivors }],
  };
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

/** Whether this is the step that the run is collecting now. */
export function isOpen(state: RunState, address: StepAddress): state is Collecting {
  return (
    state.phase === "collecting" &&
    state.attempt.round === address.round &&
    state.attempt.attempt === address.attempt &&
    state.step === address.step
  );
}
