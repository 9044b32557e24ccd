import Type, { type Static, type TProperties } from "typebox";
import { ClientId, RunId } from "./ids.ts";
import { AttemptKind } from "./messages.ts";
import { Phase } from "./phase.ts";
import { Judging, Metrics, RoundRecord } from "./records.ts";

/** Every event has a number, greater than that of all events before it on this coordinator, and an instant. */
const numbered = { id: Type.Integer({ minimum: 1 }), at: Type.Integer(), run: RunId };
const eventOf = <Name extends string, Properties extends TProperties>(type: Name, properties: Properties) =>
  Type.Object({ type: Type.Literal(type), ...numbered, ...properties });
const atAttempt = { kind: AttemptKind, round: Type.Integer(), attempt: Type.Integer() };

/**
 * A client and what its owner calls it. Only operators read events; everyone else who may see a round sees ids. `name` is
 * added as an event is read, so it is the newest one, and absent for a client that the coordinator does not know any more.
 */
const named = { client: ClientId, name: Type.Optional(Type.String()) };

/** What can be watched of a federation, in the order in which it came about. `type` is the name of the sent event. */
export const FederationEvent = Type.Union([
  eventOf("created", { name: Type.String() }),
  eventOf("phase", {
    phase: Phase,
    reason: Type.Optional(Type.String()),
    round: Type.Integer(),
    modelVersion: Type.Integer(),
  }),
  eventOf("step-opened", { ...atAttempt, step: Type.String(), clients: Type.Integer() }),
  /** `seconds` since the step was opened. */
  eventOf("step-closed", { ...atAttempt, step: Type.String(), answered: Type.Integer(), seconds: Type.Number() }),
  eventOf("abandoned", { ...atAttempt, reason: Type.String() }),
  /** Committed: durable together with this event. */
  eventOf("round", { record: RoundRecord }),
  /** Judged: durable together with this event. */
  eventOf("evaluation", {
    round: Type.Integer(),
    modelVersion: Type.Integer(),
    metrics: Metrics,
    judging: Type.Optional(Judging),
    /** Wall time of the judgement: the round's `seconds.evaluating`. Absent from events before there was this member. */
    seconds: Type.Optional(Type.Number()),
  }),
  /** A figure of the run, for whoever draws curves: what training itself reported, or an evaluation found. */
  eventOf("metric", {
    round: Type.Integer(),
    from: Type.Union([Type.Literal("training"), Type.Literal("evaluation")]),
    name: Type.String(),
    value: Type.Number(),
  }),
  eventOf("rollback", { version: Type.Integer(), restoredFrom: Type.Integer() }),
  /** A device offers itself for the run. */
  eventOf("join", { client: ClientId, name: Type.String() }),
  eventOf("leave", { ...named, reason: Type.String() }),
  eventOf("decline", { ...named, round: Type.Integer(), attempt: Type.Integer(), reason: Type.String() }),
  /** A client that was asked and is not in the sum. */
  eventOf("dropped", { ...atAttempt, step: Type.String(), ...named, reason: Type.String() }),
]);
export type FederationEvent = Static<typeof FederationEvent>;

type Unnumbered<Event> = Event extends unknown ? Omit<Event, "id"> : never;
/** An event that has no number yet. */
export type UnnumberedEvent = Unnumbered<FederationEvent>;

/**
 * Sent in place of events that are no longer kept: those after number `after` and before `before`. Whoever reads it
 * asks REST where things stand.
 */
export const EventGap = Type.Object({
  type: Type.Literal("gap"),
  after: Type.Integer(),
  before: Type.Integer(),
});
export type EventGap = Static<typeof EventGap>;
