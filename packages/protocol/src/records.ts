import Type, { type Static } from "typebox";
import { Capabilities } from "./capabilities.ts";
import { ClientId, RunId, Sha256 } from "./ids.ts";
import { Phase } from "./phase.ts";

/** Figures by name: `loss`, `accuracy`, `examples`, whatever the algorithm reports. Every value is finite. */
export const Metrics = Type.Record(Type.String(), Type.Number());
export type Metrics = Static<typeof Metrics>;

/** Milliseconds since the Unix epoch. */
const Instant = Type.Integer();

/** All committed rounds of a run together, their judging with them: bytes over all clients, seconds of wall time. */
export const RunTotals = Type.Object({ bytesUp: Type.Integer(), bytesDown: Type.Integer(), seconds: Type.Number() });
export type RunTotals = Static<typeof RunTotals>;

/** What went wrong with a run, when: an attempt that was abandoned, a device that declined or was refused, a full disk. */
export const RunProblem = Type.Object({ at: Instant, text: Type.String() });
export type RunProblem = Static<typeof RunProblem>;

/** What a run is, as REST shows it. `spec` is the RunSpec with every default filled in. */
export const RunRecord = Type.Object({
  run: RunId,
  name: Type.String(),
  phase: Phase,
  /** The last committed round; 0 before the first. */
  round: Type.Integer(),
  modelVersion: Type.Integer(),
  /** Why the run is where it is: the stop rule that ended it, what it waits for, the last problem. */
  reason: Type.Optional(Type.String()),
  /** The latest problem; gone with the next round that is committed, or judged, and with the run's end. */
  problem: Type.Optional(RunProblem),
  metrics: Metrics,
  /** REST always says. */
  totals: Type.Optional(RunTotals),
  createdAt: Instant,
  startedAt: Type.Optional(Instant),
  endedAt: Type.Optional(Instant),
  /** Devices that offer themselves for the run now. */
  devices: Type.Optional(Type.Integer()),
  /** `not secure`: updates are combined in the clear, and the coordinator sees each device's own. REST always says. */
  protection: Type.Optional(Type.Union([Type.Literal("secure aggregation"), Type.Literal("not secure")])),
  spec: Type.Unknown(),
});
export type RunRecord = Static<typeof RunRecord>;

/** A run without its specification, which never changes and may be long: what `?spec=false` asks for. */
export const RunStanding = Type.Omit(RunRecord, ["spec"]);
export type RunStanding = Static<typeof RunStanding>;

/** A specification of which a run could be created, every default filled in. */
export const RunCheck = Type.Object({ spec: Type.Unknown() });
export type RunCheck = Static<typeof RunCheck>;

/** A client that was asked and is not in the sum, and why. */
export const Dropped = Type.Object({ client: ClientId, step: Type.String(), reason: Type.String() });
export type Dropped = Static<typeof Dropped>;

/** How many clients a round lost at one step for one reason. */
export const Loss = Type.Object({ step: Type.String(), reason: Type.String(), clients: Type.Integer() });
export type Loss = Static<typeof Loss>;

/** How long one step of the round's attempt took, and how many of those asked had answered when it closed. */
export const StepRecord = Type.Object({
  name: Type.String(),
  seconds: Type.Number(),
  asked: Type.Integer(),
  answered: Type.Integer(),
});
export type StepRecord = Static<typeof StepRecord>;

/** What clients sent and were sent to judge a model, in bytes. */
export const Judging = Type.Object({ bytesUp: Type.Integer(), bytesDown: Type.Integer() });
export type Judging = Static<typeof Judging>;

/** One committed round. Bytes are totals over the clients asked; seconds are wall time. */
export const RoundRecord = Type.Object({
  run: RunId,
  round: Type.Integer(),
  attempt: Type.Integer(),
  modelVersion: Type.Integer(),
  modelSha256: Sha256,
  openedAt: Instant,
  committedAt: Instant,
  cohort: Type.Array(ClientId),
  survivors: Type.Array(ClientId),
  dropped: Type.Array(Dropped),
  weight: Type.Number(),
  /** What the training itself reported over the survivors, and, once it is known, the new model's evaluation. */
  metrics: Metrics,
  evaluation: Type.Optional(Metrics),
  /** Of the training attempt, over all clients. */
  bytesUp: Type.Integer(),
  bytesDown: Type.Integer(),
  /** Of the attempt in which clients judged the new model; absent where they did not. */
  judging: Type.Optional(Judging),
  seconds: Type.Object({
    gathering: Type.Number(),
    collecting: Type.Number(),
    aggregating: Type.Number(),
    evaluating: Type.Number(),
  }),
  /** The steps that make up `seconds.collecting`; absent from rounds before there was this member. */
  steps: Type.Optional(Type.Array(StepRecord)),
});
export type RoundRecord = Static<typeof RoundRecord>;

const { cohort: _cohort, survivors: _survivors, dropped: _dropped, ...figures } = RoundRecord.properties;

/** A round's figures without its members: what curves are drawn of, small whatever the cohort's size. */
export const RoundSummary = Type.Object({
  ...figures,
  asked: Type.Integer(),
  survived: Type.Integer(),
  /** Where and why clients were lost, the most first, at most five; absent from rounds before there was this member. */
  lost: Type.Optional(Type.Array(Loss)),
});
export type RoundSummary = Static<typeof RoundSummary>;

/** Bytes that a round moved over all clients, its judging with it. */
export function trafficOf({ bytesUp, bytesDown, judging }: Pick<RoundRecord, "bytesUp" | "bytesDown" | "judging">): {
  readonly up: number;
  readonly down: number;
} {
  return { up: bytesUp + (judging?.bytesUp ?? 0), down: bytesDown + (judging?.bytesDown ?? 0) };
}

/** Wall seconds of a round, from gathering to the end of its judging. */
export function wallSecondsOf({ seconds }: Pick<RoundRecord, "seconds">): number {
  return Object.values(seconds).reduce((sum, part) => sum + part, 0);
}

/** What is left of a round's record without its members. */
export function summaryOf({ cohort, survivors, dropped, ...rest }: RoundRecord): RoundSummary {
  return { ...rest, asked: cohort.length, survived: survivors.length, lost: lossesOf(dropped) };
}

const mostLosses = 5;

function lossesOf(dropped: readonly Dropped[]): Loss[] {
  const losses = new Map<string, Loss>();
  for (const { step, reason } of dropped) {
    const key = JSON.stringify([step, reason]);
    const before = losses.get(key)?.clients ?? 0;
    losses.set(key, { step, reason, clients: before + 1 });
  }
  return [...losses.values()].sort((a, b) => b.clients - a.clients).slice(0, mostLosses);
}

export const ModelRecord = Type.Object({
  run: RunId,
  version: Type.Integer(),
  round: Type.Integer(),
  sha256: Sha256,
  bytes: Type.Integer(),
  parameters: Type.Integer(),
  metrics: Metrics,
  createdAt: Instant,
  /** A version that serves an earlier one again (roll-back) names it; its bytes are the same. */
  restoredFrom: Type.Optional(Type.Integer()),
});
export type ModelRecord = Static<typeof ModelRecord>;

/** A device, as the operator sees it. */
export const ClientRecord = Type.Object({
  client: ClientId,
  name: Type.String(),
  tags: Type.Array(Type.String()),
  engine: Type.String(),
  /** Absent for a device that said nothing of them. */
  capabilities: Type.Optional(Capabilities),
  /** The device's Ed25519 key in base64; empty for one that enrolled before devices had keys. */
  publicKey: Type.String(),
  createdAt: Instant,
  lastSeenAt: Instant,
  connected: Type.Boolean(),
  /** Committed contributions. */
  contributions: Type.Integer(),
  /** Attempts, committed or not, in which it was asked, and those in which it gave every answer it was asked for. */
  asked: Type.Integer(),
  answered: Type.Integer(),
  revoked: Type.Boolean(),
});
export type ClientRecord = Static<typeof ClientRecord>;
