import { type Frame, ProtocolError, type RunPlan, type StepQuestion } from "@tributary/protocol";
import {
  type Answered,
  type ClientSession,
  type CryptoBackend,
  encodeContribution,
  type Floors,
  type MaskKernel,
  openClientSession,
  repeatAnswer,
  type SessionParameters,
  type Signer,
  smallCohort,
} from "@tributary/secure-agg";
import { addressOf, type Place } from "./address.ts";
import { abortable } from "./clock.ts";
import type { OnEvent } from "./events.ts";
import type { Credentials } from "./identity.ts";
import type { AnswerStore, KeptAnswers } from "./secure-answers.ts";
import { SecureAttempt } from "./secure-attempt.ts";
import { checkOpening, messageOf, modelHashOf } from "./secure-opening.ts";

/** What a device brings to its secure sums. */
export interface SecureDevice {
  readonly credentials: Pick<Credentials, "current">;
  readonly signer: Signer;
  admits(client: string, identityKey: Uint8Array): boolean;
  readonly crypto: CryptoBackend;
  readonly kernel: () => Promise<MaskKernel>;
  readonly floors: Floors;
  readonly answers: AnswerStore;
  readonly onEvent: OnEvent;
}

/** One question of a secure attempt. */
export interface SecureStep {
  readonly question: StepQuestion;
  /** Begins this device's work for the sum, or finds what it worked out for an earlier attempt. */
  readonly contribute: (parameters: SessionParameters) => Promise<Frame>;
  /** Ends when the question is no longer to be answered. */
  readonly signal: AbortSignal;
}

/** This device refuses to go on with a secure attempt. The coordinator is told at once, whatever the code. */
export class SecureRefusal extends ProtocolError {
  constructor(refusal: ProtocolError) {
    super(refusal.code, refusal.message, { cause: refusal });
    this.name = "SecureRefusal";
  }
}

/**
 * This device's part in the secure sums of one run: one attempt at a time, with keys of its own. What was revealed is
 * remembered also when the run is over, so that a coordinator which opens it again gets no second sum of a model version.
 */
export class SecureRun {
  readonly #plan: RunPlan;
  readonly #device: SecureDevice;
  #attempt: SecureAttempt | undefined;
  #kept: Promise<KeptAnswers> | undefined;

  /** `plan` is the one that this device joined. */
  constructor(plan: RunPlan, device: SecureDevice) {
    this.#plan = plan;
    this.#device = device;
  }

  /** Whether this device has a part in an attempt: keys of it. */
  get isUnderWay(): boolean {
    return this.#attempt !== undefined;
  }

  /** A question of this place came: whatever belongs to another attempt is over. */
  turnTo(place: Place): void {
    if (this.#attempt?.holds(place) === false) this.drop("a newer attempt began");
  }

  /** Gives up the attempt and wipes its keys. */
  drop(reason: string): void {
    this.#attempt?.drop(reason);
    this.#attempt = undefined;
  }

  /** The run is over: no share will be asked for again. */
  async close(reason: string): Promise<void> {
    this.drop(reason);
    await this.#forgetShares();
  }

  /** The message that answers a step. Throws `SecureRefusal` when this device will not go on with the attempt. */
  async answer(step: SecureStep): Promise<Uint8Array> {
    const { question, signal } = step;
    try {
      const message = messageOf(question);
      const answer = await (question.step === 0 ? this.#advertise(step, message) : this.#goOn(question, message));
      signal.throwIfAborted();
      return answer;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ProtocolError)) throw error;
      this.drop(error.message);
      throw new SecureRefusal(error);
    }
  }

  async #advertise(step: SecureStep, message: Uint8Array): Promise<Uint8Array> {
    const { question } = step;
    if (this.#attempt?.holds(question)) return this.#attempt.advertise(message);
    const open = (signal: AbortSignal) => this.#open(step, { message, signal });
    const attempt = new SecureAttempt(addressOf(question), { message, open });
    this.#attempt = attempt;
    return attempt.advertise(message);
  }

  async #open(
    { question, contribute }: SecureStep,
    { message, signal }: { message: Uint8Array; signal: AbortSignal },
  ): Promise<{ session: ClientSession; work: Promise<Frame> }> {
    const { credentials, signer, crypto, floors, onEvent } = this.#device;
    const parameters = checkOpening(this.#plan, question, message);
    const modelHash = modelHashOf(question);
    const { client } = await credentials.current();
    const { revealed } = await this.#load();
    const kernel = await this.#device.kernel();
    let work: Promise<Frame> | undefined;
    const words = async (agreed: SessionParameters) => {
      const contribution = await abortable(work!, signal);
      // A fresh seed for each attempt: two roundings of one contribution must not tell the attempts' sums apart.
      return encodeContribution(agreed, contribution, { kernel, seed: crypto.randomBytes(32) });
    };
    const persist = (answered: Answered) => this.#remember(answered);
    const report = (what: "unopened" | "unconfirmed", members: readonly number[]) =>
      onEvent({ type: "suspected", hint: hintOf(question), what, members });
    const admits = (name: string, key: Uint8Array) => this.#device.admits(name, key);
    const session = await openClientSession(
      { crypto, kernel, floors, admits },
      { client, signer, revealed, modelHash },
      { question: message, hooks: { words, persist, report } },
    );
    try {
      signal.throwIfAborted();
      // No other attempt begins before the answered one has committed.
      await this.#forgetShares();
      signal.throwIfAborted();
    } catch (error) {
      session.drop();
      throw error;
    }
    work = contribute(parameters);
    const { clients, minimumSurvivors, threshold, rule } = parameters;
    const small = clients < smallCohort;
    onEvent({ type: "secured", hint: hintOf(question), clients, minimumSurvivors, threshold, rule, small });
    return { session, work };
  }

  async #goOn(question: StepQuestion, message: Uint8Array): Promise<Uint8Array> {
    if (this.#attempt?.holds(question)) return this.#attempt.answer(message);
    const { last } = await this.#load();
    // Repeats outlive this process; no step before it does, for its keys are kept nowhere.
    if (question.step === 4 && last !== undefined) return repeatAnswer(last, message);
    const found = `step ${question.step} of attempt ${question.attempt}: this device has no keys for it`;
    throw new ProtocolError("wrong_state", `${found}: it refused the attempt, or began anew since it sent them`);
  }

  #load(): Promise<KeptAnswers> {
    this.#kept ??= this.#device.answers.load(this.#plan.run);
    return this.#kept;
  }

  async #save(kept: KeptAnswers): Promise<void> {
    await this.#device.answers.save(this.#plan.run, kept);
    this.#kept = Promise.resolve(kept);
  }

  async #remember(answered: Answered): Promise<void> {
    const { revealed } = await this.#load();
    // A copy, for the session's own is wiped with it.
    const last = { ...answered, answer: answered.answer.slice() };
    await this.#save({ revealed: new Set([...revealed, answered.revealKey]), last });
  }

  async #forgetShares(): Promise<void> {
    const { revealed, last } = await this.#load();
    if (last === undefined) return;
    await this.#save({ revealed, last: undefined });
    last.answer.fill(0);
  }
}

function hintOf({ run, round, attempt, step, kind }: StepQuestion) {
  return { run, round, attempt, step, kind };
}
