import Type, { type Static } from "typebox";

/**
 * Every refusal that Tributary knows, on REST, socket and inside a device alike: HTTP status, title, and whether the
 * same request may succeed later. Add a row here (and to docs/protocol.md) before throwing a new code.
 */
export const refusals = {
  bad_request: { status: 400, title: "The request is malformed", retryable: false },
  bad_spec: { status: 400, title: "The run specification is not valid", retryable: false },
  secure_aggregation_unavailable: { status: 422, title: "Secure aggregation is not available", retryable: false },
  unauthorized: { status: 401, title: "Credentials are missing or wrong", retryable: false },
  forbidden: { status: 403, title: "These credentials do not allow this", retryable: false },
  not_found: { status: 404, title: "There is no such resource", retryable: false },
  wrong_state: { status: 409, title: "The run is not in a state that allows this", retryable: false },
  wrong_round: { status: 409, title: "The message belongs to another round or attempt", retryable: false },
  not_asked: { status: 403, title: "This client was not asked in this step", retryable: false },
  conflicting_update: { status: 409, title: "A different answer was already accepted", retryable: false },
  phase_closed: { status: 410, title: "The step is over", retryable: false },
  too_early: { status: 425, title: "The step has not begun", retryable: true },
  length_required: { status: 411, title: "A Content-Length header is required", retryable: false },
  too_large: { status: 413, title: "The body is larger than allowed", retryable: false },
  bad_digest: { status: 422, title: "The body does not match its digest", retryable: true },
  bad_update: { status: 422, title: "The answer is not what the step asks for", retryable: false },
  rate_limited: { status: 429, title: "Too many messages", retryable: true },
  request_timeout: { status: 408, title: "The request took too long to arrive", retryable: true },
  internal: { status: 500, title: "The coordinator failed", retryable: true },
  server_restarting: { status: 503, title: "The coordinator is stopping", retryable: true },
  storage_full: { status: 507, title: "The coordinator's disk is full", retryable: true },
  bad_data: { status: 422, title: "The data cannot be used", retryable: false },
  data_mismatch: { status: 422, title: "The data does not fit the run", retryable: false },
  training_diverged: { status: 422, title: "Training produced a value that is not finite", retryable: false },
  model_hash_mismatch: { status: 502, title: "The model's bytes do not match its hash", retryable: true },
  topology_not_approved: {
    status: 422,
    title: "The model contains something a device does not build",
    retryable: false,
  },
  coordinator_unreachable: { status: 503, title: "The coordinator does not answer", retryable: true },
  coordinator_changed: { status: 502, title: "This is not the coordinator that the device knows", retryable: false },
  roster_refused: { status: 502, title: "The operator did not sign this roster", retryable: false },
  secure_parameters: { status: 422, title: "The secure session's parameters are not acceptable", retryable: false },
  secure_floor: { status: 422, title: "The secure session is below this device's own floor", retryable: false },
  secure_message: { status: 422, title: "A message of the secure session is malformed", retryable: false },
  secure_key: { status: 422, title: "A public key or signature is not acceptable", retryable: false },
  secure_roster: { status: 422, title: "The secure session's roster is not acceptable", retryable: false },
  secure_survivors: { status: 422, title: "The secure session's set of clients is not acceptable", retryable: false },
  secure_inconsistent: { status: 409, title: "Other clients were told something else", retryable: false },
  secure_already_answered: { status: 409, title: "This question was answered for another set", retryable: false },
  secure_already_revealed: { status: 409, title: "This model version was already revealed once", retryable: false },
  secure_too_few: { status: 409, title: "Too few clients are left for a secure sum", retryable: true },
  secure_bad_share: { status: 422, title: "A client's secret could not be recovered", retryable: true },
  secure_sum: { status: 422, title: "The secure sum is not a sum of valid contributions", retryable: true },
  upgrade_required: { status: 426, title: "The two sides speak different protocol versions", retryable: false },
} as const;

export type RefusalCode = keyof typeof refusals;

/** What is wrong with one part of a document; `path` says which (`cohort.size`) and is empty where it is all of it. */
export const Fault = Type.Object({ path: Type.String(), detail: Type.String() });
export type Fault = Static<typeof Fault>;

/** A fault as one phrase: `cohort.size: must be >= 1, found 0`. */
export const faultText = ({ path, detail }: Fault) => (path === "" ? detail : `${path}: ${detail}`);

/** An RFC 9457 problem document with Tributary's extension members; `faults` is what `detail` says, part by part. */
export const Problem = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String(),
  code: Type.String(),
  retryable: Type.Boolean(),
  retryAfterMs: Type.Optional(Type.Integer()),
  faults: Type.Optional(Type.Array(Fault)),
});
export type Problem = Static<typeof Problem>;

/**
 * The peer's fault: refuse, log, carry on. `detail` says what was found and what was expected. Anything else that is
 * thrown is our own bug and must surface.
 */
export class ProtocolError extends Error {
  readonly code: RefusalCode;
  readonly retryAfterMs: number | undefined;
  /** Empty where the refusal is not for parts of a document. */
  readonly faults: readonly Fault[];

  constructor(
    code: RefusalCode,
    detail: string,
    options: { retryAfterMs?: number | undefined; faults?: readonly Fault[] | undefined; cause?: unknown } = {},
  ) {
    super(detail, { cause: options.cause });
    this.name = "ProtocolError";
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
    this.faults = options.faults ?? [];
  }

  /** The refusal of a document for each of its faults; `what` the document is begins the detail. */
  static naming(
    code: RefusalCode,
    faults: readonly Fault[],
    { what, cause }: { what?: string | undefined; cause?: unknown } = {},
  ): ProtocolError {
    const said = faults.map(faultText).join("; ");
    return new ProtocolError(code, what === undefined ? said : `${what}: ${said}`, { faults, cause });
  }

  /** The wire form of this refusal. */
  problem(): Problem {
    const { status, title, retryable } = refusals[this.code];
    return {
      type: `urn:tributary:problem:${this.code}`,
      title,
      status,
      detail: this.message,
      code: this.code,
      retryable,
      ...(this.retryAfterMs === undefined ? {} : { retryAfterMs: this.retryAfterMs }),
      ...(this.faults.length === 0 ? {} : { faults: [...this.faults] }),
    };
  }

  /** The refusal that a problem document tells of; an unknown code becomes `internal`. */
  static from(problem: Problem): ProtocolError {
    const code = problem.code in refusals ? (problem.code as RefusalCode) : "internal";
    const { detail, retryAfterMs, faults } = problem;
    return new ProtocolError(code, detail, { retryAfterMs, faults });
  }
}
