import type { Random, TrainingProgress } from "@tributary/algorithm";
import {
  Accepted,
  decodeFrame,
  type Hint,
  type ProgressReport,
  ProtocolError,
  type RefusalCode,
  type RunPlan,
  routes,
  StepQuestion,
  type Vector,
} from "@tributary/protocol";
import { addressOf, compareAddresses } from "./address.ts";
import type { BlobCache } from "./blob-cache.ts";
import { abortable, type Clock } from "./clock.ts";
import { contribute, type LocalWork } from "./contribute.ts";
import type { ContributionCache } from "./contribution-cache.ts";
import { contentDigest, sha256 } from "./digest.ts";
import type { OnEvent } from "./events.ts";
import type { Credentials } from "./identity.ts";
import type { Protection } from "./ledger.ts";
import type { Outbox } from "./outbox.ts";
import { shareDone, throttled } from "./progress-report.ts";
import { isRetryable, retrying } from "./retry.ts";
import { checkPromise } from "./secure-floors.ts";
import { type SecureDevice, SecureRefusal, type SecureRun } from "./secure-run.ts";
import type { WorkQueue } from "./work-queue.ts";

/** What a device brings to every step it answers. */
export interface Answering extends SecureDevice {
  readonly outbox: Outbox;
  readonly credentials: Credentials;
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
  readonly plan: RunPlan;
  readonly local: LocalWork;
  readonly contributions: ContributionCache;
  /** This device's part in the run's secure sums, if the run promised them. */
  readonly secure: SecureRun | undefined;
  /** The newest hint of the run: work that a later attempt takes over is reported under that attempt. */
  readonly newest: () => Hint;
  readonly signal: AbortSignal;
}

/** What became of a step. */
export type Outcome =
  | { readonly kind: "sent"; readonly bytes: number; readonly duplicate: boolean; readonly protection: Protection }
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

/** What the ledger says of the answer to each step of a secure attempt. */
const secureAnswers: readonly { kind?: string; protection: Protection }[] = [
  { kind: "keys", protection: "keys" },
  { kind: "shares", protection: "shares" },
  { protection: "masked" },
  { kind: "tags", protection: "tags" },
  { kind: "reveal", protection: "shares" },
];

/**
 * Answers one step: question → vectors → work (or the contribution held from an earlier attempt) → upload. In a secure
 * attempt the work goes on from its first step to the third, and messages of the session are what is uploaded. Resolves
 * to what became of it; rejects only with our own bugs and `upgrade_required`.
 */
export async function answerStep(step: Step, device: Answering): Promise<Outcome> {
  try {
    const { question, deadline } = await fetchQuestion(step, device);
    checkPromise(step.plan, question);
    const { secure, signal } = step;
    const bytes =
      secure === undefined
        ? await abortable(frameFor(question, step, { device, deadline }), signal)
        : await secure.answer({
            question,
            signal,
            // The masks are due two steps later, and the step that waits for them is the one that waits for training.
            contribute: async ({ deadlines: { stepMs, trainMs } }) =>
              decodeFrame(
                await frameFor(question, step, { device, deadline: deadline + stepMs + trainMs }),
                question.answer,
              ),
          });
    const about = secure === undefined ? { protection: "none" as const } : secureAnswers[question.step]!;
    const { duplicate } = await upload(bytes, step, { device, deadline, about });
    return { kind: "sent", bytes: bytes.byteLength, duplicate, protection: about.protection };
  } catch (error) {
    if (step.signal.aborted) return { kind: "dropped", reason: (step.signal.reason as Error).message };
    if (!(error instanceof ProtocolError) || error.code === "upgrade_required") throw error;
    const passing = wentOn.has(error.code) || (isRetryable(error) && error.code !== "model_hash_mismatch");
    if (passing && !(error instanceof SecureRefusal)) return { kind: "dropped", reason: error.message };
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

/** The encoded contribution that a question asks for: held, in progress, or begun now. */
async function frameFor(
  question: StepQuestion,
  step: Step,
  { device, deadline }: { device: Answering; deadline: number },
): Promise<Uint8Array> {
  const { frame, fresh } = step.contributions.obtain(question, (signal) =>
    work(question, step, { device, deadline, signal }),
  );
  if (fresh) return frame;
  device.onEvent({ type: "reused", hint: step.hint });
  const bytes = await frame;
  if (!step.signal.aborted) device.report({ ...addressOf(step.newest()), state: "trained", done: 1 });
  return bytes;
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
  {
    device,
    deadline,
    about: { kind, protection },
  }: {
    device: Answering;
    deadline: number;
    about: { kind?: string; protection: Protection };
  },
): Promise<Accepted> {
  const { outbox, credentials, clock, jitter, onEvent } = device;
  const headers = { "content-digest": contentDigest(await sha256(bytes)) };
  const contribution = hint.kind === "train" ? "update" : "judgement";
  const about = { kind: kind ?? contribution, run: hint.run, round: hint.round, protection };
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
