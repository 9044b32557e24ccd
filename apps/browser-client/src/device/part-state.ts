import type { TrainingProgress } from "@tributary/algorithm";
import type { LedgerEntry, ParticipantEvent } from "@tributary/participant";
import type { Hint, Phase, PhaseOver } from "@tributary/protocol";
import type { OpenRun } from "../open-runs.ts";
import { bytesText, words } from "../words.ts";
import type { Pin } from "./pins.ts";

export type Connection =
  | { readonly kind: "connecting" }
  | { readonly kind: "connected" }
  | { readonly kind: "lost"; readonly reason: string };

/** What this device does for the round just now. */
export type Doing =
  | { readonly kind: "idle" }
  | { readonly kind: "asked" }
  | {
      readonly kind: "training" | "evaluating";
      readonly done: number;
      readonly progress: TrainingProgress | undefined;
    }
  | { readonly kind: "sending" }
  | { readonly kind: "sent" }
  /** This device does not do what it was asked for. */
  | { readonly kind: "declined"; readonly detail: string };

/** A secure attempt's parameters, as this device checked them. `small`: the others together could work its part out. */
interface Secured {
  readonly clients: number;
  readonly minimumSurvivors: number;
  readonly small: boolean;
}

export type Ending =
  /** `gone`: the run has ended, and the device has not heard how. */
  { readonly kind: "left" | "gone" | PhaseOver } | { readonly kind: "broken" | "changed"; readonly detail: string };

/** Where this device's part in a run stands, as the page shows it; plain data, for it crosses between workers. */
export interface PartState {
  readonly run: OpenRun;
  readonly connection: Connection;
  /** Whether the run may ask this device; not while it is paused. */
  readonly isOffered: boolean;
  /** Whether something that this device sent did not get through and is tried again. */
  readonly isRetrying: boolean;
  /** What this browser knows the coordinator by, once it is connected. */
  readonly known: Pin | undefined;
  readonly phase: Phase;
  readonly round: number;
  /** The newest question. */
  readonly hint: Hint | undefined;
  /** When the newest question's step closes (ms since the epoch, this device's clock). */
  readonly dueAt: number | undefined;
  readonly doing: Doing;
  /** Of batches, over the rounds, at most the last 240. */
  readonly losses: readonly number[];
  /** How the round's secure sum protects this device's part, once it has begun. */
  readonly secured: Secured | undefined;
  /** The newest rounds whose update and whose judgement have left. */
  readonly sent: { readonly update: number; readonly judgement: number };
  /** The newest first, at most 30. */
  readonly log: readonly { readonly id: number; readonly at: number; readonly text: string }[];
  readonly ending: Ending | undefined;
}

/** The part before anything has happened. */
export function partBefore(run: OpenRun): PartState {
  return {
    run,
    connection: { kind: "connecting" },
    isOffered: false,
    isRetrying: false,
    known: undefined,
    phase: run.phase,
    round: 0,
    hint: undefined,
    dueAt: undefined,
    doing: { kind: "idle" },
    losses: [],
    secured: undefined,
    sent: { update: 0, judgement: 0 },
    log: [],
    ending: undefined,
  };
}

/** The step of a secure attempt that carries the update; what follows it are tags and shares. */
const maskingStep = 2;

/**
 * The part after something has left this device. A round's update is told of once, however often it is tried: that it has
 * arrived may never be heard, where the next question is faster than the acknowledgement.
 */
export function afterSending(state: PartState, entry: LedgerEntry, now: number): PartState {
  const { kind, round = 0, bytes, protection } = entry;
  const { sentUpdate, sentJudgement } = words.part.events;
  const size = bytesText(bytes);
  const masked = protection === "masked";
  if (kind === "update" && round > state.sent.update) {
    return withLog({ ...state, sent: { ...state.sent, update: round } }, sentUpdate(round, size, masked), now);
  }
  if (kind === "judgement" && round > state.sent.judgement) {
    return withLog({ ...state, sent: { ...state.sent, judgement: round } }, sentJudgement(round, size, masked), now);
  }
  return state;
}

/** The part after one of the participant's events, `now` (ms since the epoch, this device's clock). */
export function after(before: PartState, event: ParticipantEvent, now: number): PartState {
  const { events } = words.part;
  const logged = (state: PartState, text: string) => withLog(state, text, now);
  const state = goesOn.has(event.type) ? { ...before, isRetrying: false } : before;
  switch (event.type) {
    case "waiting":
      // The line may be up all the same: then it was one request that failed.
      if (state.connection.kind === "connected") return { ...state, isRetrying: true };
      return { ...state, connection: { kind: "lost", reason: event.reason } };
    case "connected":
      return logged({ ...state, connection: { kind: "connected" } }, events.connected);
    case "disconnected":
      return logged(
        { ...state, connection: { kind: "lost", reason: event.reason }, isOffered: false },
        events.disconnected,
      );
    case "offered":
      return logged({ ...state, isOffered: true }, events.joined);
    case "withdrawn":
      return logged({ ...state, isOffered: false }, events.withdrawn);
    // What it was asked is nothing to it any more.
    case "stoodDown":
      return logged({ ...state, hint: undefined, doing: { kind: "idle" } }, events.stoodDown(event.round));
    case "phase":
      return { ...state, phase: event.phase };
    case "asked": {
      const { hint } = event;
      // A secure attempt asks five times; this device trains while it is asked.
      if (state.hint !== undefined && sameAttempt(state.hint, hint)) {
        const arrived = state.doing.kind === "sending" && hint.step > maskingStep;
        return { ...state, hint, doing: arrived ? { kind: "sent" } : state.doing };
      }
      return { ...state, round: hint.round, hint, doing: { kind: "asked" }, secured: undefined };
    }
    case "due":
      return { ...state, dueAt: now + event.remainingMs };
    case "secured": {
      const { clients, minimumSurvivors, small } = event;
      const secured = { clients, minimumSurvivors, small };
      return { ...state, secured };
    }
    case "suspected":
      return logged(state, events.suspected(event.hint.round, event.members.length));
    case "training": {
      const { hint, done, progress } = event;
      const losses = progress === undefined ? state.losses : [...state.losses, progress.loss].slice(-240);
      const kind = hint.kind === "train" ? "training" : "evaluating";
      return { ...state, round: hint.round, losses, doing: { kind, done, progress } };
    }
    case "trained":
      return { ...state, doing: { kind: "sending" } };
    case "reused":
      return logged(state, events.reused(event.hint.round));
    case "sent": {
      const whole = event.protection === "none" || event.protection === "masked";
      return whole && event.hint === state.hint ? { ...state, doing: { kind: "sent" } } : state;
    }
    case "dropped":
      // Given up for a newer question, perhaps after its answer had arrived: nothing that a person should wonder about.
      if (event.hint !== state.hint) return state;
      return logged({ ...state, doing: { kind: "idle" } }, events.dropped(event.hint.round, event.reason));
    case "dismissed":
      return logged(
        { ...state, doing: { kind: "idle" } },
        events.dismissed(event.dismissal.round, event.dismissal.reason),
      );
    case "declined":
      return logged({ ...state, doing: { kind: "declined", detail: event.detail } }, events.declined(event.detail));
    case "runEnded":
      return event.phase === "gone" ? state : { ...state, phase: event.phase };
    // What the notice says, the page says beside the run, and in plain words.
    case "notice":
    case "enrolled":
    case "ignored":
    case "left":
    case "failed":
      return state;
  }
}

/** Events after which nothing is being tried again. */
const goesOn: ReadonlySet<ParticipantEvent["type"]> = new Set<ParticipantEvent["type"]>([
  ...(["connected", "asked", "due", "training", "trained", "sent"] as const),
]);

const sameAttempt = (a: Hint, b: Hint) => a.round === b.round && a.attempt === b.attempt && a.kind === b.kind;

function withLog(state: PartState, text: string, at: number): PartState {
  // What is declined anew each second is said once.
  if (state.log[0]?.text === text) return state;
  const id = (state.log[0]?.id ?? 0) + 1;
  return { ...state, log: [{ id, at, text }, ...state.log].slice(0, 30) };
}
