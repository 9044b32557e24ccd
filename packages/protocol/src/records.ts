import Type, { type Static } from "typebox";
import { ClientId, RunId, Sha256 } from "./ids.ts";
import { Phase } from "./phase.ts";

/** Figures by name: `loss`, `accuracy`, `examples`, whatever the algorithm reports. Every value is finite. */
export const Metrics = Type.Record(Type.String(), Type.Number());
export type Metrics = Static<typeof Metrics>;

/** Milliseconds since the Unix epoch. */
const Instant = Type.Integer();

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
  metrics: Metrics,
  createdAt: Instant,
  startedAt: Type.Optional(Instant),
  endedAt: Type.Optional(Instant),
  spec: Type.Unknown(),
});
export type RunRecord = Static<typeof RunRecord>;

/** A client that was asked and is not in the sum, and why. */
export const Dropped = Type.Object({ client: ClientId, step: Type.String(), reason: Type.String() });
export type Dropped = Static<typeof Dropped>;

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
  bytesUp: Type.Integer(),
  bytesDown: Type.Integer(),
  seconds: Type.Object({
    gathering: Type.Number(),
    collecting: Type.Number(),
    aggregating: Type.Number(),
    evaluating: Type.Number(),
  }),
});
export type RoundRecord = Static<typeof RoundRecord>;

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
  /** The device's Ed25519 key in base64; empty for one that enrolled before devices had keys. */
  publicKey: Type.String(),
  createdAt: Instant,
  lastSeenAt: Instant,
  connected: Type.Boolean(),
  /** Committed contributions. */
  contributions: Type.Integer(),
  revoked: Type.Boolean(),
});
export type ClientRecord = Static<typeof ClientRecord>;
