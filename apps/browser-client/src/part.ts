import { type Signal, signal } from "@preact/signals";
import type { TrainingProgress } from "@tributary/algorithm";
import { type IdentityStore, type Participant, type ParticipantEvent, participate } from "@tributary/participant";
import type { Hint, Phase } from "@tributary/protocol";
import type { OpenRun } from "./open-runs.ts";
import { remoteAbilities } from "./remote-work.ts";
import type { TrainingWorker } from "./training-worker.ts";
import { bytesText, words } from "./words.ts";
import type { DataFound } from "./worker/messages.ts";

export type Connection =
  | { readonly kind: "connecting" }
  | { readonly kind: "connected" }
  | { readonly kind: "lost"; readonly reason: string; readonly retryAt: number };

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
  | { readonly kind: "sent" };

export type Ending = { readonly kind: "finished" | "left" } | { readonly kind: "failed"; readonly detail: string };

/** Where this device's part in a run stands, as the page shows it. */
export interface PartState {
  readonly run: OpenRun;
  readonly connection: Connection;
  readonly phase: Phase;
  readonly round: number;
  /** The newest question. */
  readonly hint: Hint | undefined;
  readonly doing: Doing;
  /** Of the round under way, at most the last 240. */
  readonly losses: readonly number[];
  readonly updates: number;
  readonly bytes: number;
  /** The newest first, at most 30. */
  readonly log: readonly { readonly id: number; readonly at: number; readonly text: string }[];
  readonly ending: Ending | undefined;
}

/** One device's part in one run: the participant that every client shares, and what the page shows of it. */
export class Part {
  readonly state: Signal<PartState>;
  readonly #participant: Participant;

  constructor(options: {
    coordinator: string;
    run: OpenRun;
    engine: string;
    found: DataFound;
    worker: TrainingWorker;
    joinToken: string | undefined;
    identity: IdentityStore;
  }) {
    const { coordinator, run, engine, found, worker, joinToken, identity } = options;
    this.state = signal({
      run,
      connection: { kind: "connecting" },
      phase: run.phase,
      round: 0,
      hint: undefined,
      doing: { kind: "idle" },
      losses: [],
      updates: 0,
      bytes: 0,
      log: [],
      ending: undefined,
    });
    this.#participant = participate({
      coordinator,
      name: deviceName(),
      engine,
      run: run.run,
      identity,
      ...(joinToken === undefined ? {} : { joinToken }),
      fetch: (url, init) => fetch(url, init),
      ...remoteAbilities(worker, found),
      onEvent: (event) => {
        this.state.value = after(this.state.value, event);
      },
    });
    this.#participant.done.then(
      () => this.#end({ kind: this.#participant.state.kind === "left" ? "left" : "finished" }),
      (error: Error) => this.#end({ kind: "failed", detail: error.message }),
    );
  }

  /** Resolves when the coordinator was told, or could not be. */
  leave(): Promise<void> {
    return this.#participant.leave().catch(() => undefined);
  }

  #end(ending: Ending): void {
    this.state.value = { ...this.state.value, ending, doing: { kind: "idle" } };
  }
}

/** What the operator sees: the kind of browser, no more. */
export function deviceName(): string {
  const { userAgent } = navigator;
  const browser = ["Edg", "Firefox", "Chrome", "Safari"].find((name) => userAgent.includes(name)) ?? "other";
  return `browser (${browser === "Edg" ? "Edge" : browser})`;
}

function after(state: PartState, event: ParticipantEvent): PartState {
  const { events } = words.part;
  switch (event.type) {
    case "waiting":
      return {
        ...state,
        connection: { kind: "lost", reason: event.reason, retryAt: performance.now() + event.retryInMs },
      };
    case "connected":
      return logged({ ...state, connection: { kind: "connected" } }, events.connected);
    case "disconnected":
      return logged(
        { ...state, connection: { kind: "lost", reason: event.reason, retryAt: performance.now() } },
        events.disconnected,
      );
    case "offered":
      return logged(state, events.joined);
    case "phase":
      return { ...state, phase: event.phase };
    case "asked":
      return { ...state, round: event.hint.round, hint: event.hint, doing: { kind: "asked" }, losses: [] };
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
      const { hint, bytes } = event;
      const updates = state.updates + (hint.kind === "train" ? 1 : 0);
      const doing = hint === state.hint ? ({ kind: "sent" } as const) : state.doing;
      const sent = { ...state, updates, bytes: state.bytes + bytes, doing };
      return logged(sent, events.sent(hint.round, bytesText(bytes)));
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
      return logged({ ...state, doing: { kind: "idle" } }, events.declined(event.detail));
    case "runEnded":
      return event.phase === "gone" ? state : { ...state, phase: event.phase };
    case "enrolled":
    case "ignored":
    case "left":
    case "failed":
      return state;
  }
}

function logged(state: PartState, text: string): PartState {
  const id = (state.log[0]?.id ?? 0) + 1;
  return { ...state, log: [{ id, at: Date.now(), text }, ...state.log].slice(0, 30) };
}
