import type { AttemptTimeline, ClientId, Lane, LaneStep, StepRecord, TimelineStep } from "@tributary/protocol";
import type { Attempt, RunPlan, RunState, Transition } from "@tributary/round";

/** A cohort up to this size is kept client by client. */
const wholeCohort = 100;
/** Of a larger one this many clients are kept: those that were lost, then the slowest. */
const lanesKept = 24;
const spreadParts = 40;

/** An attempt that is over: its timeline, and whom it asked and who gave every answer. */
export interface FinishedAttempt {
  readonly round: number;
  readonly timeline: AttemptTimeline;
  readonly asked: readonly ClientId[];
  readonly answered: readonly ClientId[];
}

interface Step {
  readonly name: string;
  readonly openedAt: number;
  readonly limitAt: number;
  readonly asked: number;
  closedAt: number | undefined;
  readonly fetched: Map<ClientId, number>;
  readonly answered: Map<ClientId, number>;
}

type Dropped = Attempt["dropped"];

/** When which client did what in the attempt at hand, read off the machine's transitions. One object per run. */
export class Timeline {
  readonly #plan: RunPlan;
  #attempt: Attempt | undefined;
  #steps: Step[] = [];
  #dropped: () => Dropped = () => [];

  constructor(plan: RunPlan) {
    this.#plan = plan;
  }

  /** Takes in a transition at instant `at`; gives the attempts that ended with it. */
  observe(before: RunState, { state, effects }: Transition, at: number): FinishedAttempt[] {
    const finished: FinishedAttempt[] = [];
    const finish = (outcome: "done" | "abandoned", reason?: string) => {
      const ended = this.#end(at, outcome, reason);
      if (ended !== undefined) finished.push(ended);
    };
    const isSummed = before.phase === "aggregating" && state.phase !== "aggregating";
    if (isSummed && !effects.some(({ type }) => type === "abandon")) {
      if (state.phase === "failed") finish("abandoned", state.reason);
      else finish("done");
    }
    for (const effect of effects) {
      if (effect.type === "abandon") {
        this.#dropped = () => effect.attempt.dropped;
        finish("abandoned", effect.reason);
      }
      if (effect.type === "ask") {
        if (effect.step > 0) this.#closeStep(effect.clients, at);
        this.#openStep(effect.attempt, { step: effect.step, asked: effect.clients.length }, at);
      }
      if (effect.type === "aggregate") {
        this.#closeStep(effect.survivors, at);
        this.#dropped = () => effect.attempt.dropped;
      }
    }
    if (state.phase === "collecting") this.#count(state, at);
    return finished;
  }

  /** A client was told, or fetched, its question in the step at hand. */
  fetched(client: ClientId, at: number): void {
    const fetched = this.#steps.at(-1)?.fetched;
    if (fetched?.has(client) === false) fetched.set(client, at);
  }

  /** The steps of the attempt at hand that are closed. */
  get records(): StepRecord[] {
    return this.#steps.flatMap(({ name, openedAt, closedAt, asked, answered }) => {
      if (closedAt === undefined) return [];
      return [{ name, seconds: (closedAt - openedAt) / 1000, asked, answered: answered.size }];
    });
  }

  /** The attempt at hand at a round, as it stands. */
  open(round: number, at: number): AttemptTimeline | undefined {
    return this.#attempt?.round === round ? this.#view(this.#attempt, at) : undefined;
  }

  #openStep(attempt: Attempt, { step, asked }: { step: number; asked: number }, at: number): void {
    const known = this.#attempt;
    const same = known?.round === attempt.round && known.attempt === attempt.attempt && known.kind === attempt.kind;
    if (!same) this.#steps = [];
    this.#attempt = attempt;
    const { name, limitMs } = this.#plan.steps[attempt.kind][step]!;
    const times = { openedAt: at, limitAt: at + limitMs, closedAt: undefined };
    this.#steps.push({ name, asked, ...times, fetched: new Map(), answered: new Map() });
  }

  /** Those who go on answered, the last of them just now. */
  #closeStep(answered: readonly ClientId[], at: number): void {
    const step = this.#steps.at(-1);
    if (step === undefined) return;
    step.closedAt = at;
    for (const client of answered) if (!step.answered.has(client)) step.answered.set(client, at);
  }

  #count(state: Extract<RunState, { phase: "collecting" }>, at: number): void {
    this.#dropped = () => [...state.attempt.dropped, ...state.lost];
    const answered = this.#steps.at(-1)?.answered;
    if (answered === undefined) return;
    for (const client of state.answered.slice(answered.size)) answered.set(client, at);
  }

  #end(at: number, outcome: "done" | "abandoned", reason: string | undefined): FinishedAttempt | undefined {
    const attempt = this.#attempt;
    if (attempt === undefined) return undefined;
    const step = this.#steps.at(-1);
    if (step !== undefined) step.closedAt ??= at;
    const open = this.#view(attempt, at);
    const timeline: AttemptTimeline = { ...open, outcome, endedMs: since(attempt, at) };
    const given = new Set(this.#dropped().map(({ client }) => client));
    const answered = attempt.cohort.filter((client) => !given.has(client) && step?.answered.has(client) === true);
    this.#attempt = undefined;
    this.#steps = [];
    this.#dropped = () => [];
    const told = reason === undefined ? timeline : { ...timeline, reason };
    return { round: attempt.round, timeline: told, asked: attempt.cohort, answered };
  }

  #view(attempt: Attempt, at: number): AttemptTimeline {
    const dropped = this.#dropped();
    const lanes = lanesOf(attempt.cohort, this.#steps, dropped, attempt);
    return {
      kind: attempt.kind,
      attempt: attempt.attempt,
      openedAt: Math.round(attempt.openedAt),
      outcome: "open",
      cohort: attempt.cohort.length,
      dropped: dropped.length,
      steps: this.#steps.map((step) => stepView(step, attempt, at)),
      lanes: attempt.cohort.length <= wholeCohort ? lanes : slowest(lanes),
    };
  }
}

function since({ openedAt }: Attempt, at: number): number {
  return Math.max(0, Math.round(at - openedAt));
}

function stepView(step: Step, attempt: Attempt, now: number): TimelineStep {
  const end = step.closedAt ?? now;
  const spread = new Array<number>(spreadParts).fill(0);
  const partMs = Math.max(end - step.openedAt, 1) / spreadParts;
  for (const at of step.answered.values()) {
    const part = Math.min(spreadParts - 1, Math.floor((at - step.openedAt) / partMs));
    spread[part] = spread[part]! + 1;
  }
  return {
    name: step.name,
    openedMs: since(attempt, step.openedAt),
    ...(step.closedAt === undefined ? {} : { closedMs: since(attempt, step.closedAt) }),
    limitMs: since(attempt, step.limitAt),
    asked: step.asked,
    answered: step.answered.size,
    spread,
  };
}

function lanesOf(cohort: readonly ClientId[], steps: readonly Step[], dropped: Dropped, attempt: Attempt): Lane[] {
  const lost = new Map(dropped.map(({ client, step, reason }) => [client, { step, reason }]));
  const instant = (name: keyof LaneStep, at: number | undefined) =>
    at === undefined ? {} : { [name]: since(attempt, at) };
  return cohort.map((client) => {
    const reason = lost.get(client);
    return {
      client,
      steps: steps.map(({ fetched, answered }) => {
        return { ...instant("fetchedMs", fetched.get(client)), ...instant("answeredMs", answered.get(client)) };
      }),
      ...(reason === undefined ? {} : { dropped: reason }),
    };
  });
}

/** Those that were lost, at most half of what is kept, then those whose last answer came last. */
function slowest(lanes: readonly Lane[]): Lane[] {
  const last = ({ steps }: Lane) => steps.reduce((latest, { answeredMs = 0 }) => Math.max(latest, answeredMs), 0);
  const lost = lanes.filter(({ dropped }) => dropped !== undefined).slice(0, lanesKept / 2);
  const others = lanes.filter(({ dropped }) => dropped === undefined).sort((a, b) => last(b) - last(a));
  return [...lost, ...others.slice(0, lanesKept - lost.length)];
}
