import Type, { type Static } from "typebox";
import { ClientId, RunId } from "./ids.ts";
import { AttemptKind } from "./messages.ts";

/** Milliseconds since the attempt was opened. */
const Milliseconds = Type.Integer({ minimum: 0 });

/** One step of an attempt. `closedMs` is absent while it is open. */
export const TimelineStep = Type.Object({
  name: Type.String(),
  openedMs: Milliseconds,
  closedMs: Type.Optional(Milliseconds),
  /** When its deadline was or is. */
  limitMs: Milliseconds,
  asked: Type.Integer(),
  answered: Type.Integer(),
  /** How many answered in each of equally long parts of the step, from its opening to its end (or until now). */
  spread: Type.Array(Type.Integer()),
});
export type TimelineStep = Static<typeof TimelineStep>;

/** One client in one step: when it had its question (told with the hint, or fetched) and when its answer was in. What it did not do is absent. */
export const LaneStep = Type.Object({
  fetchedMs: Type.Optional(Milliseconds),
  answeredMs: Type.Optional(Milliseconds),
});
export type LaneStep = Static<typeof LaneStep>;

/** One client in all of an attempt's steps, in their order, and where it was lost, if it was. */
export const Lane = Type.Object({
  client: ClientId,
  steps: Type.Array(LaneStep),
  dropped: Type.Optional(Type.Object({ step: Type.String(), reason: Type.String() })),
});
export type Lane = Static<typeof Lane>;

/** One try at a round: its steps, and who was how fast in them. */
export const AttemptTimeline = Type.Object({
  kind: AttemptKind,
  attempt: Type.Integer(),
  /** Milliseconds since the Unix epoch. */
  openedAt: Type.Integer(),
  outcome: Type.Union([
    Type.Literal("open"),
    /** A round was committed, or a model judged. */
    Type.Literal("done"),
    Type.Literal("abandoned"),
  ]),
  /** Why it was abandoned. */
  reason: Type.Optional(Type.String()),
  /** When all was over: committed, judged or abandoned. */
  endedMs: Type.Optional(Milliseconds),
  cohort: Type.Integer(),
  dropped: Type.Integer(),
  steps: Type.Array(TimelineStep),
  /** The whole cohort where it is small; of a large one those that were lost and the slowest. */
  lanes: Type.Array(Lane),
});
export type AttemptTimeline = Static<typeof AttemptTimeline>;

/** `GET /v1/runs/:run/rounds/:round/timeline`: tries at a round, in their order; the newest, unless older are asked for. */
export const RoundTimeline = Type.Object({
  run: RunId,
  round: Type.Integer(),
  /** How many tries at the round are known, the open one too. */
  known: Type.Integer(),
  attempts: Type.Array(AttemptTimeline),
});
export type RoundTimeline = Static<typeof RoundTimeline>;
