import type { Random, TrainingProgress } from "@tributary/algorithm";
import {
  Accepted,
  type Hint,
  type ProgressReport,
  ProtocolError,
  type RefusalCode,
  routes,
  StepQuestion,
  type Vector,
} from "@tributary/protocol";
import type { Signer } from "@tributary/secure-agg";
import { addressOf, compareAddresses } from "./address.ts";
import type { BlobCache } from "./blob-cache.ts";
import { abortable, type Clock } from "./clock.ts";
import { contribute, type LocalWork } from "./contribute.ts";
import type { ContributionCache } from "./contribution-cache.ts";
import { contentDigest, sha256 } from "./digest.ts";
import type { OnEvent } from "./events.ts";
import type { Credentials } from "./identity.ts";
import type { Outbox } from "./outbox.ts";
import { shareDone, throttled } from "./progress-report.ts";
import { isRetryable, retrying } from "./retry.ts";
import type { WorkQueue } from "./work-queue.ts";

/** What a device brings to every step it answers. */
export interface Answering {
  readonly outbox: Outbox;
  readonly credentials: Credentials;
  /** This device's long-term key; there once the device is enrolled, so before any step is. */
  readonly signer: Signer;
  /** Whether this client id belongs to this key, and the key to the federation as far as this device can tell. */
  admits(client: string, identityKey: Uint8Array): boolean;
  readonly blobs: BlobCache;
  readonly queue: WorkQueue;
  readonly clock: Clock;
  readonly random: Random;
  readonly jitter: Random;
  readonly onEvent: OnEvent;
  /** Tells the coordinator how the work goes, if it can be told just now. */
  readonly report: (report: ProgressReport) => void;
}

/** One step, and the run that it belongs to. */
export interface Step {
  readonly hint: Hint;
  readonly local: LocalWork;
  readonly contributions: ContributionCache;
  /** The newest hint of the run: work that a later attempt takes over is reported under that attempt. */
  readonly newest: () => Hint;
  readonly signal: AbortSignal;
}

/** What became of a step. */
export type Outcome =
  | { readonly kind: "sent"; readonly bytes: number; readonly duplicate: boolean }
  | { readonly kind: "dropped"; readonly reason: string }
  | { readonly kind: "declined"; readonly code: RefusalCode; readonly detail: string };

/** Refusals that say no more than that the round went on, or that this identity is not the one that was asked. */
const wentOn: ReadonlySet<RefusalCode> = new Set<RefusalCode>([
  "wrong_round",
  "phase_closed",
  "wrong_state",
  "not_found",
  "not_asked",
  "unauthorized",
  "conflicting_update",
]);

/**
 * Answers one step: question → vectors → work (or the contribution held from an earlier attempt) → upload. Resolves to
 * what became of it; rejects only with our own bugs and `upgrade_required`.
 */
export async function answerStep(step: Step, device: Answering): Promise<Outcome> {
  try {
    const { question, deadline } = await fetchQuestion(step, device);
    const { frame, fresh } = step.contributions.obtain(question, (signal) =>
      work(question, step, { device, deadline, signal }),
    );
    if (!fresh) device.onEvent({ type: "reused", hint: step.hint });
    const bytes = await abortable(frame, step.signal);
    if (!fresh) device.report({ ...addressOf(step.hint), state: "trained", done: 1 });
    const { duplicate } = await upload(bytes, step, { device, deadline });
    return { kind: "sent", bytes: bytes.byteLength, duplicate };
  } catch (error) {
    if (step.signal.aborted) return { kind: "dropped", reason: (step.signal.reason as Error).message };
    if (!(error instanceof ProtocolError) || error.code === "upgrade_required") throw error;
    const passing = wentOn.has(error.code) || (isRetryable(error) && error.code !== "model_hash_mismatch");
    if (passing) return { kind: "dropped", reason: error.message };
    return { kind: "declined", code: error.code, detail: error.message };
  }
}

async function fetchQuestion({ hint, signal }: Step, { outbox, credentials, clock, jitter, onEvent }: Answering) {
  const question = await retrying(
    () =>
      credentials.use(({ client, token }) =>
        outbox.json({ method: "GET", path: routes.question(hint, client), token, signal }, StepQuestion, "question"),
      ),
    {
      clock,
      jitter,
      signal,
      onWait: (error, retryInMs) => onEvent({ type: "waiting", reason: error.message, retryInMs }),
    },
  );
  if (question.run !== hint.run || compareAddresses(question, hint) !== 0 || question.kind !== hint.kind) {
    const found = `${question.kind} of ${routes.question(question, "…")}`;
    throw new ProtocolError(
      "bad_request",
      `question: asked for ${hint.kind} of ${routes.question(hint, "…")}, got ${found}`,
    );
  }
  return { question, deadline: clock.now() + question.remainingMs };
}

async function work(
  question: StepQuestion,
  step: Step,
  { device, deadline, signal }: { device: Answering; deadline: number; signal: AbortSignal },
): Promise<Uint8Array> {
  const vectors = await fetchVectors(question, { device, deadline, signal });
  return device.queue.run(async () => {
    const { clock, onEvent, report, random } = device;
    const begin = step.newest();
    onEvent({ type: "training", hint: begin, done: 0 });
    report({ ...addressOf(begin), state: "training", done: 0 });
    const tell = throttled(clock, (progress: TrainingProgress) => {
      const hint = step.newest();
      const done = shareDone(progress);
      onEvent({ type: "training", hint, done, progress });
      report({ ...addressOf(hint), state: "training", done });
    });
    const startedAt = clock.now();
    const frame = await contribute(question, step.local, { vectors, random, signal, onProgress: tell });
    const end = step.newest();
    onEvent({ type: "trained", hint: end, startedAt, endedAt: clock.now() });
    report({ ...addressOf(end), state: "trained", done: 1 });
    return frame;
  }, signal);
}

async function fetchVectors(
  question: StepQuestion,
  { device, deadline, signal }: { device: Answering; deadline: number; signal: AbortSignal },
): Promise<Record<string, Vector>> {
  const { outbox, credentials, blobs, clock, jitter } = device;
  const named = Object.entries(question.vectors).map(async ([name, reference]) => {
    const download = () =>
      retrying(
        () =>
          credentials.use(({ token }) =>
            outbox.bytes({ method: "GET", path: routes.blob(reference.sha256), token, signal }, reference.bytes),
          ),
        { clock, jitter, signal, until: deadline },
      );
    return [name, await blobs.vector(reference, download, signal)] as const;
  });
  return Object.fromEntries(await Promise.all(named));
}

/** Sends the same bytes until the coordinator has them, refuses them, or the step's deadline is over. */
async function upload(
  bytes: Uint8Array,
  { hint, signal }: Step,
  { device, deadline }: { device: Answering; deadline: number },
): Promise<Accepted> {
  const { outbox, credentials, clock, jitter, onEvent } = device;
  const headers = { "content-digest": contentDigest(await sha256(bytes)) };
  const about = { kind: hint.kind === "train" ? "update" : "judgement", run: hint.run, round: hint.round };
  return retrying(
    () =>
      credentials.use(({ client, token }) =>
        outbox.json(
          { method: "PUT", path: routes.answer(hint, client), token, bytes, headers, signal, about },
          Accepted,
          "acceptance",
        ),
      ),
    {
      clock,
      jitter,
      signal,
      until: deadline,
      onWait: (error, retryInMs) => onEvent({ type: "waiting", reason: error.message, retryInMs }),
    },
  );
}
