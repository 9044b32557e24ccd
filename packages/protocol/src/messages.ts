import Type, { type Static } from "typebox";
import { Capabilities } from "./capabilities.ts";
import type { Problem } from "./errors.ts";
import { Nonce, PublicKey, Session, Signature } from "./identity.ts";
import { ClientId, RunId, Sha256 } from "./ids.ts";
import { Phase } from "./phase.ts";
import { DataSpec, ModelSpec } from "./run-spec.ts";

const strict = { additionalProperties: false } as const;

/** What kind of answer an attempt collects: model updates, or judgements of the current model. */
export const AttemptKind = Type.Union([Type.Literal("train"), Type.Literal("evaluate")]);
export type AttemptKind = Static<typeof AttemptKind>;

/** Which question of which attempt: the address that every message of a step carries. */
export const StepAddress = Type.Object({
  run: RunId,
  round: Type.Integer({ minimum: 0 }),
  attempt: Type.Integer({ minimum: 1 }),
  step: Type.Integer({ minimum: 0 }),
});
export type StepAddress = Static<typeof StepAddress>;

/** There is a question for this device: what an `ask` and `GET /v1/state` say. */
export const Hint = Type.Object({ ...StepAddress.properties, kind: AttemptKind });
export type Hint = Static<typeof Hint>;

/** Where one named vector of a question lies, and what its bytes must hash to. */
export const VectorReference = Type.Object({
  sha256: Sha256,
  bytes: Type.Integer(),
  element: Type.Union([Type.Literal("f32"), Type.Literal("f64")]),
  length: Type.Integer(),
});
export type VectorReference = Static<typeof VectorReference>;

/** A committed attempt at a round of training. */
export const Inclusion = Type.Object({ round: Type.Integer({ minimum: 1 }), attempt: Type.Integer({ minimum: 1 }) });
export type Inclusion = Static<typeof Inclusion>;

/** What a step asks of one client. Vectors are fetched from `/v1/blobs/:sha256`. */
export const StepQuestion = Type.Object({
  ...Hint.properties,
  modelVersion: Type.Integer(),
  /** The algorithm's own settings for this round. */
  settings: Type.Record(Type.String(), Type.Unknown()),
  vectors: Type.Record(Type.String(), VectorReference),
  /**
   * A secure step's message to this client, base64. The answer is then a message too, and the contribution goes into the
   * masked vector. Settings and vectors come with the first step only.
   */
  message: Type.Optional(Type.String({ maxLength: 16_777_216 })),
  /**
   * Where devices keep something from round to round: the last committed round, of those that this question's model came
   * from, whose sum holds this client's contribution; absent where there is none. Comes with the first step.
   */
  included: Type.Optional(Inclusion),
  /** The contribution: in the clear, the answer's frame. */
  answer: Type.Object({ element: VectorReference.properties.element, length: Type.Integer() }),
  /** Milliseconds left until the deadline when this was sent. */
  remainingMs: Type.Integer(),
});
export type StepQuestion = Static<typeof StepQuestion>;

/**
 * Socket, coordinator → device: a hint, and the question itself where it is small enough for a socket. Who gets none, or
 * learns of the step from `GET /v1/state`, fetches it.
 */
export const Ask = Type.Object({ ...Hint.properties, question: Type.Optional(StepQuestion) });
export type Ask = Static<typeof Ask>;

/** What a run asks of a device that wants to take part: enough to check the data and build the model. */
export const RunPlan = Type.Object({
  run: RunId,
  name: Type.String(),
  phase: Phase,
  round: Type.Integer(),
  algorithm: Type.Object({ name: Type.String() }),
  /** Absent where the algorithm trains no layers. */
  model: Type.Optional(ModelSpec),
  data: DataSpec,
  rounds: Type.Integer(),
  secureAggregation: Type.Union([Type.Literal("required"), Type.Literal("none")]),
  tags: Type.Array(Type.String()),
});
export type RunPlan = Static<typeof RunPlan>;

/** `GET /v1/state`: what a device needs to know after any absence. */
export const DeviceState = Type.Object({
  client: ClientId,
  runs: Type.Array(RunPlan),
  asked: Type.Array(Hint),
});
export type DeviceState = Static<typeof DeviceState>;

/** `POST /v1/clients`: a device introduces itself. */
export const Enrolment = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 128 }),
    engine: Type.String({ minLength: 1, maxLength: 64 }),
    tags: Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { maxItems: 16, default: [] }),
    /** From protocol version 2 on. */
    capabilities: Type.Optional(Capabilities),
    /** The version that this device will speak: one that `GET /v1/identity` named. */
    protocol: Type.Integer(),
    joinToken: Type.Optional(Type.String({ maxLength: 256 })),
    /** This device's key; its id is made of it. */
    publicKey: PublicKey,
    /** From `GET /v1/identity`. */
    nonce: Nonce,
    /** The device's signature over `enrolmentStatement`. */
    proof: Signature,
  },
  strict,
);
export type Enrolment = Static<typeof Enrolment>;

/** The device's id from now on, and its first session. The coordinator keeps only the token's hash. */
export const Enrolled = Type.Object({ client: ClientId, ...Session.properties });
export type Enrolled = Static<typeof Enrolled>;

/** The answer to an upload. A repeat of the same bytes is accepted and changes nothing. */
export const Accepted = Type.Object({ accepted: Type.Literal(true), duplicate: Type.Boolean() });
export type Accepted = Static<typeof Accepted>;

/** Socket, device → coordinator: this device takes part in these runs from now on. */
export const Offer = Type.Object({ runs: Type.Array(RunId, { maxItems: 64 }) }, strict);
export type Offer = Static<typeof Offer>;

/** Socket, device → coordinator: how the work goes. */
export const ProgressReport = Type.Object(
  {
    ...StepAddress.properties,
    state: Type.Union([Type.Literal("training"), Type.Literal("trained")]),
    done: Type.Number({ minimum: 0, maximum: 1 }),
  },
  strict,
);
export type ProgressReport = Static<typeof ProgressReport>;

/** Socket, device → coordinator: this device cannot answer, and why. */
export const Decline = Type.Object(
  { ...StepAddress.properties, code: Type.String({ maxLength: 64 }), detail: Type.String({ maxLength: 500 }) },
  strict,
);
export type Decline = Static<typeof Decline>;

/** A decline's `code` when the device's owner paused it: what a person may do at any time, no fault of the run's. */
export const ownerPaused = "paused";

/** Socket, coordinator → device: no answer to this step is wanted any more. */
export const Dismissal = Type.Object({ ...StepAddress.properties, reason: Type.String() });
export type Dismissal = Static<typeof Dismissal>;

/** Socket, coordinator → device: this run changed its phase. */
export const RunNews = Type.Object({ run: RunId, phase: Phase, reason: Type.Optional(Type.String()) });
export type RunNews = Static<typeof RunNews>;

/** Socket, coordinator → device: it is stopping; the device should come back after this long. */
export const Restarting = Type.Object({ retryAfterMs: Type.Integer({ minimum: 0 }) });

/** Every socket event by name, with the schema of its one payload. Every device event is acknowledged. */
export const socketEvents = {
  fromDevice: {
    offer: Offer,
    progress: ProgressReport,
    decline: Decline,
    leave: Type.Object({ run: Type.Optional(RunId) }, strict),
  },
  fromCoordinator: { ask: Ask, dismiss: Dismissal, run: RunNews, restarting: Restarting },
} as const;

/** The acknowledgement of a device's socket event. */
export type Ack<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly problem: Problem };
