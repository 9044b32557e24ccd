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
import { contribute, type LocalWork, type Worked } from "./contribute.ts";
import type { ContributionCache } from "./contribution-cache.ts";
import { contentDigest, sha256 } from "./digest.ts";
import type { OnEvent } from "./events.ts";
import type { Credentials } from "./identity.ts";
import type { KeptRun, Settled } from "./kept.ts";
import type { Protection } from "./ledger.ts";
import type { Outbox } from "./outbox.ts";
import { paceOf, shareDone, throttled } from "./progress-report.ts";
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

/** A question, and when its step closes by this device's clock. */
export interface ToldQuestion {
  readonly question: StepQuestion;
  readonly deadline: number;
}

/** One step, and the run that it belongs to. */
export interface Step {
  readonly hint: Hint;
  /** The question, if it came with the hint. */
  readonly told: ToldQuestion | undefined;
  readonly plan: RunPlan;
  readonly local: LocalWork;
  readonly contributions: ContributionCache;
  /** What this device keeps of the run from round to round, if its algorithm keeps anything. */
  readonly kept: KeptRun | undefined;
  /** This device's part in the run's secure sums, if the run promised them. */
  readonly secure: SecureRun | undefined;
  /** Hears that this device has worked out what the step's attempt is for. */
  readonly onWorked: () => void;
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
 * Answers one step: question (told with the hint, or fetched) → vectors → work (or the contribution held from an earlier attempt) → upload. In a secure
 * attempt the work goes on from its first step to the third, and messages of the session are what is uploaded. Resolves
 * to what became of it; rejects only with our own bugs and `upgrade_required`.
 */
export async function answerStep(step: Step, device: Answering): Promise<Outcome> {
  let offered: Extract<Outcome, { kind: "sent" }> | undefined;
  try {
    const { question, deadline } = step.told ?? (await fetchQuestion(step, device));
    checkAddress(question, step.hint);
    checkPromise(step.plan, question);
    device.onEvent({ type: "due", hint: step.hint, remainingMs: deadline - device.clock.now() });
    const { secure, signal } = step;
    // The model travels while keys are made; whoever needs it finds it here or on its way.
    if (secure !== undefined && question.step === 0) {
      fetchVectors(question, { device, deadline, signal }).catch(() => undefined);
    }
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
    offered = { kind: "sent", bytes: bytes.byteLength, duplicate: false, protection: about.protection };
    const { duplicate } = await upload(bytes, step, { device, deadline, about });
    return { ...offered, duplicate };
  } catch (error) {
    // The attempt's next question, which may overtake the acknowledgement, says that this answer was accepted.
    if (offered !== undefined && hasMovedOn(step)) return offered;
    if (step.signal.aborted) return { kind: "dropped", reason: (step.signal.reason as Error).message };
    if (!(error instanceof ProtocolError) || error.code === "upgrade_required") throw error;
    const passing = wentOn.has(error.code) || (isRetryable(error) && error.code !== "model_hash_mismatch");
    if (passing && !(error instanceof SecureRefusal)) return { kind: "dropped", reason: error.message };
    return { kind: "declined", code: error.code, detail: error.message };
  }
}

function hasMovedOn({ hint, newest }: Step): boolean {
  const { round, attempt, step } = newest();
  return round === hint.round && attempt === hint.attempt && step > hint.step;
}

async function fetchQuestion(
  { hint, signal }: Step,
  { outbox, credentials, clock, jitter, onEvent }: Answering,
): Promise<ToldQuestion> {
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
  return { question, deadline: clock.now() + question.remainingMs };
}

function checkAddress(question: StepQuestion, hint: Hint): void {
  if (question.run === hint.run && compareAddresses(question, hint) === 0 && question.kind === hint.kind) return;
  const found = `${question.kind} of ${routes.question(question, "…")}`;
  throw new ProtocolError(
    "bad_request",
    `question: asked for ${hint.kind} of ${routes.question(hint, "…")}, got ${found}`,
  );
}

/** The encoded contribution that a question asks for: held, in progress, or begun now. */
async function frameFor(
  question: StepQuestion,
  step: Step,
  { device, deadline }: { device: Answering; deadline: number },
): Promise<Uint8Array> {
  const settled = await settle(question, step, device);
  const { worked, fresh } = step.contributions.obtain(question, (signal) =>
    work(question, step, { device, deadline, settled, signal }),
  );
  if (!fresh) device.onEvent({ type: "reused", hint: step.hint });
  const { frame, next } = await worked;
  if (next !== undefined) await step.kept?.hold(question, next);
  step.onWorked();
  if (!fresh && !step.signal.aborted) device.report({ ...addressOf(step.newest()), state: "trained", done: 1 });
  return frame;
}

/** What of earlier rounds this device begins with: the question says which of them was committed with its part. */
async function settle(question: StepQuestion, { kept }: Step, { onEvent }: Answering): Promise<Settled> {
  if (kept === undefined || question.kind !== "train") return { kept: undefined, lost: false };
  const settled = await kept.settle(question);
  if (settled.lost) {
    const { run, included } = question;
    const text = `what this device kept of ${run} since round ${included?.round} is gone; it says so and begins anew`;
    onEvent({ type: "notice", text });
  }
  return settled;
}

async function work(
  question: StepQuestion,
  step: Step,
  options: { device: Answering; deadline: number; settled: Settled; signal: AbortSignal },
): Promise<Worked> {
  const { device, deadline, settled, signal } = options;
  const vectors = await fetchVectors(question, { device, deadline, signal });
  return device.queue.run(async () => {
    const { clock, onEvent, report, random } = device;
    const begin = step.newest();
    onEvent({ type: "training", hint: begin, done: 0 });
    report({ ...addressOf(begin), state: "training", done: 0 });
    const startedAt = clock.now();
    const { examples } = step.local.data;
    const tell = throttled(clock, (progress: TrainingProgress) => {
      const hint = step.newest();
      const done = shareDone(progress);
      const pace = paceOf(progress, { examples, elapsedMs: clock.now() - startedAt });
      onEvent({ type: "training", hint, done, progress, ...(pace === undefined ? {} : { pace }) });
      // That everything is done is told below.
      if (done < 1) report({ ...addressOf(hint), state: "training", done });
    });
    const worked = await contribute(question, step.local, { vectors, settled, random, signal, onProgress: tell });
    const end = step.newest();
    onEvent({ type: "trained", hint: end, startedAt, endedAt: clock.now() });
    report({ ...addressOf(end), state: "trained", done: 1 });
    return worked;
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
