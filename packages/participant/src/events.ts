import type { TrainingProgress } from "@tributary/algorithm";
import type { ClientId, Dismissal, Hint, Phase, RunId, RunPlan } from "@tributary/protocol";
import type { Protection } from "./ledger.ts";
import type { Pace } from "./progress-report.ts";

/** What a device tells whoever watches it. Nothing here is sent anywhere. */
export type ParticipantEvent =
  /** The coordinator cannot be reached just now, or asked to wait. */
  | { readonly type: "waiting"; readonly reason: string; readonly retryInMs: number }
  | { readonly type: "enrolled"; readonly client: ClientId }
  | { readonly type: "connected"; readonly client: ClientId }
  /** What the person at this device should know of the guarantees here. */
  | { readonly type: "notice"; readonly text: string }
  | { readonly type: "disconnected"; readonly reason: string }
  /** The device takes part in these runs from now on. */
  | { readonly type: "offered"; readonly runs: readonly RunPlan[] }
  /** Paused, and until it offers itself again this run asks it nothing. */
  | { readonly type: "withdrawn"; readonly run: RunId }
  | { readonly type: "phase"; readonly run: RunId; readonly phase: Phase; readonly reason: string | undefined }
  | { readonly type: "asked"; readonly hint: Hint }
  /** How long the step stays open from now on. */
  | { readonly type: "due"; readonly hint: Hint; readonly remainingMs: number }
  /** `done` is the share of the work that is behind. */
  | {
      readonly type: "training";
      readonly hint: Hint;
      readonly done: number;
      readonly progress?: TrainingProgress;
      readonly pace?: Pace;
    }
  /** Milliseconds on the device's clock: the work alone, without downloads and queueing. */
  | { readonly type: "trained"; readonly hint: Hint; readonly startedAt: number; readonly endedAt: number }
  /** An earlier attempt's contribution on the same model answers this one too. */
  | { readonly type: "reused"; readonly hint: Hint }
  | {
      readonly type: "sent";
      readonly hint: Hint;
      readonly bytes: number;
      readonly duplicate: boolean;
      readonly protection: Protection;
    }
  /** A secure attempt began whose parameters this device accepts. `small`: the others together could work its part out. */
  | {
      readonly type: "secured";
      readonly hint: Hint;
      readonly clients: number;
      readonly minimumSurvivors: number;
      readonly threshold: number;
      readonly rule: "strict" | "curious";
      readonly small: boolean;
    }
  /** Members of a secure attempt, by place on its roster, whose envelope did not open or whose tag was wrong or missing. */
  | {
      readonly type: "suspected";
      readonly hint: Hint;
      readonly what: "unopened" | "unconfirmed";
      readonly members: readonly number[];
    }
  /** The step went on without this device; nothing is wrong with it. */
  | { readonly type: "dropped"; readonly hint: Hint; readonly reason: string }
  | { readonly type: "dismissed"; readonly dismissal: Dismissal }
  /** This device does not take part in a run (no hint), or cannot answer one step of it. */
  | {
      readonly type: "declined";
      readonly run: RunId;
      readonly hint?: Hint;
      readonly code: string;
      readonly detail: string;
    }
  /** Paused while it was at work for a round, which goes on without it. */
  | { readonly type: "stoodDown"; readonly run: RunId; readonly round: number }
  | { readonly type: "runEnded"; readonly run: RunId; readonly phase: Phase | "gone"; readonly reason?: string }
  /** The coordinator sent something malformed, or refused a message; the device carries on. */
  | { readonly type: "ignored"; readonly what: string; readonly detail: string }
  | { readonly type: "left" }
  | { readonly type: "failed"; readonly error: Error };

export type OnEvent = (event: ParticipantEvent) => void;
