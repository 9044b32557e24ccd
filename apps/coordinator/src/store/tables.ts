import type { Generated } from "kysely";

/** Columns hold text, integers (instants are `bigint`), 0/1 flags, and JSON as text, so that any SQL database will do. */
export interface Tables {
  meta: { key: string; value: string };
  runs: {
    run: string;
    name: string;
    spec: string;
    phase: string;
    reason: string | null;
    /** A RunProblem. */
    problem: Generated<string | null>;
    progress: string;
    round: number;
    model_version: number;
    metrics: string;
    totals: string;
    created_at: number;
    started_at: number | null;
    ended_at: number | null;
  };
  attempts: { run: string; round: number; attempt: number };
  models: {
    run: string;
    version: number;
    round: number;
    sha256: string;
    bytes: number;
    parameters: number;
    metrics: string;
    checkpoint: string;
    created_at: number;
    restored_from: Generated<number | null>;
  };
  /** `body` is the FederationEvent without `id` and `run`. */
  events: { id: number; run: string; body: string };
  /** `record` and `summary` are the RoundRecord and RoundSummary without evaluation, which is `{ metrics, seconds, judging }`. */
  rounds: {
    run: string;
    round: number;
    record: string;
    evaluation: string | null;
    /** Null in rounds from before there was this column. */
    summary: string | null;
  };
  /** `body` is an AttemptTimeline. */
  timelines: { run: string; round: number; attempt: number; body: string };
  clients: {
    client: string;
    name: string;
    tags: string;
    engine: string;
    capabilities: Generated<string | null>;
    token_hash: string;
    public_key: Generated<string>;
    token_expires_at: Generated<number>;
    created_at: number;
    last_seen_at: number;
    contributions: Generated<number>;
    asked: Generated<number>;
    answered: Generated<number>;
    revoked: Generated<number>;
  };
}
