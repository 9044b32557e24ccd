import type { ServerState } from "@tributary/algorithm";
import type { ClientId, Metrics, ModelRecord, RoundRecord, RunId, Sha256, StepRecord } from "@tributary/protocol";
import type { Collection } from "./collection.ts";
import { encodeCheckpoint } from "./store/checkpoint.ts";

/** What a finished attempt has come to, on its way to being committed. Times in milliseconds since the epoch. */
export interface RoundOutcome {
  readonly run: RunId;
  readonly collection: Collection;
  readonly survivors: readonly ClientId[];
  readonly weight: number;
  readonly metrics: Metrics;
  readonly version: number;
  readonly sha256: Sha256;
  readonly server: ServerState;
  /** The steps that the attempt went through. */
  readonly steps: readonly StepRecord[];
  readonly closedAt: number;
  readonly committedAt: number;
}

/** The records of a round and of the model version that it made. */
export function recordsOf(outcome: RoundOutcome): { record: RoundRecord; model: ModelRecord } {
  const { run, collection, survivors, weight, metrics, version, sha256, server, closedAt, committedAt } = outcome;
  const { round, attempt, openedAt, gatheredSince, cohort, dropped } = collection.attempt;
  const record: RoundRecord = {
    run,
    round,
    attempt,
    modelVersion: version,
    modelSha256: sha256,
    openedAt: Math.round(openedAt),
    committedAt: Math.round(committedAt),
    cohort: [...cohort],
    survivors: [...survivors],
    dropped: [...dropped],
    weight,
    metrics,
    bytesUp: collection.bytesUp,
    bytesDown: collection.bytesDown,
    seconds: {
      gathering: (openedAt - gatheredSince) / 1000,
      collecting: (closedAt - openedAt) / 1000,
      aggregating: (committedAt - closedAt) / 1000,
      evaluating: 0,
    },
    steps: [...outcome.steps],
  };
  const { byteLength: bytes, length: parameters } = server.model;
  const createdAt = record.committedAt;
  return { record, model: { run, version, round, sha256, bytes, parameters, metrics, createdAt } };
}

/** The server's state without the model, which the model version's own blob holds; an empty one tells its elements. */
export function checkpointBytes(server: ServerState): Uint8Array {
  return encodeCheckpoint({ ...server, model: server.model.subarray(0, 0) });
}
