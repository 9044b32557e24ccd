import type {
  AttemptTimeline,
  Capabilities,
  ClientId,
  ClientRecord,
  FederationEvent,
  Judging,
  Metrics,
  ModelRecord,
  Phase,
  RoundRecord,
  RoundSummary,
  RunId,
  RunProblem,
  RunRecord,
  RunTotals,
  Sha256,
  UnnumberedEvent,
} from "@tributary/protocol";

/** A run as first written: phase `created`, round 0, model version 0, no metrics, nothing in its totals. Instants are epoch milliseconds. */
export interface NewRun {
  readonly run: RunId;
  readonly name: string;
  /** The RunSpec with every default filled in; kept as JSON. */
  readonly spec: unknown;
  readonly createdAt: number;
}

/**
 * Where the run machine is. Each save replaces `phase`, `reason`, `problem` and `progress`; `metrics`, `totals`, `startedAt` and
 * `endedAt` stay as they were where they are left out.
 */
export interface RunState {
  readonly phase: Phase;
  readonly reason?: string;
  readonly problem?: RunProblem;
  /** Any JSON value; belongs to the run machine and is given back as it was. */
  readonly progress: unknown;
  readonly metrics?: Metrics;
  readonly totals?: RunTotals;
  readonly startedAt?: number;
  readonly endedAt?: number;
  /** The attempt that this state is about to ask: as if `beginAttempt` had written it, unless it has. */
  readonly begins?: { readonly round: number; readonly attempt: number };
  /** What to tell watchers of this change: written in its transaction, after whatever was noted before. */
  readonly events?: readonly UnnumberedEvent[];
}

/** A run, and what its machine last saved (`null` before the first save). */
export interface StoredRun {
  readonly record: RunRecord;
  readonly progress: unknown;
}

/** Version 0 of a run's model: `model.version` and `model.round` are 0. The blobs it names are on disk already. */
export interface InitialModel {
  readonly model: ModelRecord;
  readonly checkpoint: Sha256;
  readonly state: RunState;
}

/** One round's outcome. The blobs it names are on disk already. `record.evaluation` must be absent. */
export interface RoundCommit {
  readonly record: RoundRecord;
  readonly model: ModelRecord;
  /** The blob with the server's state (model and optimizer) after this round. */
  readonly checkpoint: Sha256;
  readonly state: RunState;
}

export interface RoundEvaluation {
  readonly run: RunId;
  readonly round: number;
  readonly metrics: Metrics;
  /** Wall time of the evaluation, added to the record's `seconds.evaluating`. */
  readonly seconds: number;
  /** Where clients judged. */
  readonly judging?: Judging;
  readonly state: RunState;
}

/** An attempt that is over: when which client did what, whom it asked, and who gave every answer it was asked for. */
export interface AttemptEnd {
  readonly run: RunId;
  readonly round: number;
  readonly timeline: AttemptTimeline;
  readonly asked: readonly ClientId[];
  readonly answered: readonly ClientId[];
}

/** An earlier version served again as a new one: `model` has the next version, its bytes and checkpoint the old one's. */
interface Rollback {
  readonly model: ModelRecord;
  readonly checkpoint: Sha256;
  readonly state: RunState;
}

/** What is kept of a session: the SHA-256 of its bearer token in lower-case hexadecimal, and when it ends. */
export interface SessionToken {
  readonly tokenHash: string;
  readonly tokenExpiresAt: number;
}

/** Whose session a token is. Look at `revoked` before letting it in. */
export type Session = Pick<StoredClient, "client" | "revoked">;

/** A device at enrolment, with its first session. */
export interface Enrolment extends SessionToken {
  readonly client: ClientId;
  readonly name: string;
  readonly tags: readonly string[];
  readonly engine: string;
  readonly capabilities: Capabilities | undefined;
  /** Ed25519, in base64. */
  readonly publicKey: string;
  readonly createdAt: number;
}

/** A device as the store knows it; who is connected is known only to the sockets. */
export type StoredClient = Omit<ClientRecord, "connected">;

/**
 * What the coordinator remembers. A promise that resolved is a write that survives any crash (`touch` alone may lose
 * its last instants). Every method that changes something does so in one transaction, wholly or not at all.
 */
export interface Store {
  /** Throws `wrong_state` if the run exists. */
  createRun(run: NewRun): Promise<void>;
  run(run: RunId): Promise<StoredRun | undefined>;
  /** Every run, oldest first. */
  runs(): Promise<StoredRun[]>;
  /** Throws `not_found` for an unknown run. */
  saveRunState(run: RunId, state: RunState): Promise<void>;

  /**
   * Writes that attempt `attempt` of `round` is about to ask clients. Throws `wrong_round` unless the round is the last
   * committed one (to evaluate it) or the one after it, and `attempt` is greater than every attempt of it before.
   */
  beginAttempt(run: RunId, round: number, attempt: number): Promise<void>;
  /** The greatest attempt begun for this round; 0 if there was none (attempts count from 1). */
  lastAttempt(run: RunId, round: number): Promise<number>;

  /** Writes model version 0, its checkpoint and the run's state. Throws `wrong_state` if there is a version already. */
  initModel(initial: InitialModel): Promise<void>;
  /**
   * Writes model version, round record, checkpoint reference, run state and one contribution more for every survivor.
   * Sets the run's `round` and `modelVersion`. Throws `wrong_round` if the round is committed already, is not the next
   * one, or if its attempt is not the last one begun.
   */
  commitRound(commit: RoundCommit): Promise<void>;
  /**
   * Writes the restored version and the run's state, and makes it the run's current one. Throws `wrong_state` unless the
   * version is the one after the run's current one.
   */
  rollBack(rollback: Rollback): Promise<void>;
  /** Adds an evaluation to a committed round's record and its metrics to the model of that round. */
  saveEvaluation(evaluation: RoundEvaluation): Promise<void>;

  /** Committed rounds in ascending order: those after round `after` (default 0), at most `limit`. */
  rounds(run: RunId, page?: { readonly after?: number; readonly limit?: number }): Promise<RoundRecord[]>;
  round(run: RunId, round: number): Promise<RoundRecord | undefined>;
  /**
   * Figures of the committed rounds after `after` and before `before`, in ascending order; of more than `points` as many
   * as these: the first, the newest, and judged rounds before others.
   */
  history(
    run: RunId,
    page: { readonly after: number; readonly before?: number; readonly points: number },
  ): Promise<RoundSummary[]>;
  /** Remembers an attempt that ended, to be written as events are; a crash before that loses it. */
  noteAttempt(end: AttemptEnd): void;
  /** Remembers a run's latest problem, to be written as events are; a change of the run's state goes before it. */
  noteProblem(run: RunId, problem: RunProblem): void;
  /**
   * Of the attempts at a round that ended, the newest `limit` before attempt `before` (default: of all), in their order,
   * and how many there are in all. Kept are the newest thousand rounds', and of each its newest thousand.
   */
  timelines(
    run: RunId,
    round: number,
    page: { readonly before?: number; readonly limit: number },
  ): Promise<{ readonly known: number; readonly attempts: readonly AttemptTimeline[] }>;
  /** Every model version in ascending order. */
  models(run: RunId): Promise<ModelRecord[]>;
  model(run: RunId, version: number): Promise<ModelRecord | undefined>;
  /** The blob with the server's state that belongs to this model version. */
  checkpoint(run: RunId, version: number): Promise<Sha256 | undefined>;

  /**
   * Adds a device. One that is there already keeps its contributions, and takes on its new description and session;
   * throws `forbidden` if it was revoked or has another key.
   */
  enrol(enrolment: Enrolment): Promise<void>;
  /** Puts a new session in the place of the one before. Throws `not_found`, or `forbidden` for a revoked device. */
  startSession(client: ClientId, session: SessionToken): Promise<void>;
  /**
   * The device whose session has this token and goes on after instant `at`, revoked or not: look at `revoked` before
   * letting it in.
   */
  clientByTokenHash(tokenHash: string, at: number): Promise<StoredClient | undefined>;
  /** Whose session has this token and goes on after instant `at`; the ones asked for lately are answered from memory. */
  session(tokenHash: string, at: number): Promise<Session | undefined>;
  client(client: ClientId): Promise<StoredClient | undefined>;
  /** Every device, revoked ones too, oldest first. */
  clients(): Promise<StoredClient[]>;
  /** What those of these devices are called that are known. */
  clientNames(clients: readonly ClientId[]): Promise<ReadonlyMap<ClientId, string>>;
  /** Remembers when a device was last seen. Written with the next change or at close, so it costs no disk sync. */
  touch(client: ClientId, at: number): Promise<void>;
  /** Revokes a device for good; repeating it changes nothing. Throws `not_found` for an unknown one. */
  revoke(client: ClientId): Promise<void>;

  /**
   * Remembers an event, to be written by the next change of anything, in the order of the calls, or by `writeEvents`.
   */
  noteEvent(event: UnnumberedEvent): void;
  /** Writes the events, attempts and problems noted so far. */
  writeEvents(): Promise<void>;
  /**
   * Durable events after number `after`, in order, at most `limit`, and fewer where they are large, but never none while
   * there are any: of one run, or of all.
   */
  events(page: { readonly after: number; readonly limit: number; readonly run?: RunId }): Promise<FederationEvent[]>;
  /** The numbers of the oldest and the newest event kept; 1 and 0 where there is none. */
  eventRange(): Promise<{ readonly oldest: number; readonly newest: number }>;
  /** Calls `listener` with the events of each transaction once it is durable; the function returned ends that. */
  onEvents(listener: (events: readonly FederationEvent[]) => void): () => void;

  /** Writes what is pending and folds the write-ahead log into the database. */
  close(): Promise<void>;
}
