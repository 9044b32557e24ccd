import type { AttemptKind, ClientId, Dropped, Metrics, RunSpec, StepAddress } from "@tributary/protocol";
import type { Progress } from "./progress.ts";

/** What a run does, fixed when it is created. `steps` are the questions of one attempt of each kind, in order. */
export interface RunPlan {
  readonly spec: RunSpec;
  readonly steps: Readonly<Record<AttemptKind, readonly StepPlan[]>>;
}

export interface StepPlan {
  readonly name: string;
  readonly limitMs: number;
  /**
   * A step after which there is no way back: devices reveal shares for one set of survivors, once. It closes when the
   * shell says that there are enough; the attempt is finished or the run has failed.
   */
  readonly irrevocable?: boolean;
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
export type Intent = "go on" | "pause" | "stop";

export type RunEvent =
  | { readonly type: "start" | "pause" | "resume" | "stop" | "tick" | "present" }
  | { readonly type: "departed"; readonly client: ClientId; readonly reason: string }
  | { readonly type: "answered"; readonly client: ClientId; readonly address: StepAddress }
  | { readonly type: "declined"; readonly client: ClientId; readonly address: StepAddress; readonly reason: string }
  /** The attempt's sum is committed (train) or judged (evaluate). */
  | { readonly type: "aggregated"; readonly metrics: Metrics }
  | { readonly type: "evaluated"; readonly metrics: Metrics }
  /** What an irrevocable step has collected is enough. */
  | { readonly type: "enough"; readonly address: StepAddress }
  /** The attempt cannot go on, or its answers cannot be combined (not a fault of ours); try again. */
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

export type Gathering = Extract<RunState, { phase: "gathering" }>;
export type Collecting = Extract<RunState, { phase: "collecting" }>;
export type Aggregating = Extract<RunState, { phase: "aggregating" }>;
