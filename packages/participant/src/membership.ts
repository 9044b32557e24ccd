import {
  type Ask,
  type Decline,
  type Dismissal,
  type Hint,
  ownerPaused,
  type RunId,
  type RunPlan,
} from "@tributary/protocol";
import { addressOf, compareAddresses, type Place } from "./address.ts";
import { type Answering, answerStep, type Outcome, type ToldQuestion } from "./answer.ts";
import type { LocalWork } from "./contribute.ts";
import { ContributionCache } from "./contribution-cache.ts";
import { KeptRun, type KeptStore } from "./kept.ts";
import { SecureRun } from "./secure-run.ts";

type State =
  | { readonly kind: "idle" }
  | { readonly kind: "answering"; readonly hint: Hint; readonly flow: AbortController }
  | { readonly kind: "over" };

/** The device, as its memberships see it. */
export interface MemberDevice extends Answering {
  readonly decline: (decline: Decline) => void;
  /** Has a run ask this device no more. */
  readonly withdraw: (run: RunId) => void;
  readonly kept: KeptStore;
  /** Takes what is no refusal: a mistake of ours, or a coordinator too different to talk to. */
  readonly onFailure: (error: unknown) => void;
}

const before: Place = { round: -1, attempt: 0, step: 0 };
/** The steps of a secure attempt after the masked contribution: nothing is worked out for them, and the last one ends it. */
const [confirmStep, revealStep] = [3, 4];
const whyPaused = "its owner paused this device";

/**
 * One device's part in one run.
 *
 *            newer hint                       newer hint
 *   idle ────────────────▶ answering ────────────────────────▶ answering
 *    ▲                        │   (the older step is given up; its work goes on if the new one asks for the same)
 *    └─ sent, dropped, ───────┘
 *       declined, dismissed            run ended, device left: over
 *
 * A paused device goes on with an attempt only if its contribution is worked out; whatever else it is asked it declines.
 */
export class Membership {
  readonly plan: RunPlan;
  readonly #local: LocalWork;
  readonly #device: MemberDevice;
  readonly #contributions = new ContributionCache();
  /** There if the run promised secure sums when this device joined it; what comes later changes nothing. */
  readonly #secure: SecureRun | undefined;
  readonly #kept: KeptRun | undefined;
  #state: State = { kind: "idle" };
  #newest: Place = before;
  #answered: Place = before;
  /** The attempt that this device has worked out its contribution for. */
  #worked: Place = before;
  #isPaused = false;
  /** What it declined for being paused. */
  #stoodDown: Place | undefined;
  /** A secure step that may be asked again, by a coordinator that lost the answer. */
  #repeatable: Place | undefined;

  constructor(plan: RunPlan, local: LocalWork, device: MemberDevice) {
    this.plan = plan;
    this.#local = local;
    this.#device = device;
    this.#kept = local.half.keeps ? new KeptRun(plan.run, device.kept) : undefined;
    this.#secure = plan.secureAggregation === "required" ? new SecureRun(plan, device) : undefined;
  }

  /**
   * Acts on a hint that is newer than every one before it; ignores stragglers and repeats. A secure step is answered
   * again when it is asked again, with the same bytes: they cannot be worked out anew.
   */
  ask({ question, ...hint }: Ask): void {
    if (this.#state.kind === "over") return;
    const repeated = this.#repeatable !== undefined && compareAddresses(hint, this.#repeatable) === 0;
    if (!repeated && compareAddresses(hint, this.#newest) <= 0) return;
    this.#newest = addressOf(hint);
    this.#repeatable = undefined;
    this.#stop("a newer question came");
    this.#secure?.turnTo(hint);
    if (this.#isPaused && !this.#needsNoWork(hint)) {
      this.#standDown(hint);
      this.#withdrawIfFree();
      return;
    }
    const flow = new AbortController();
    this.#state = { kind: "answering", hint, flow };
    this.#device.onEvent({ type: "asked", hint });
    const told = question && { question, deadline: this.#device.clock.now() + question.remainingMs };
    this.#answer(hint, told, flow.signal).catch(this.#device.onFailure);
  }

  /**
   * Gives up the step; finished work is held for another attempt on the same model. Unfinished work is given up too, but
   * not in a secure run: its attempts may end while keys travel and devices still train, and the next asks for the same.
   */
  dismiss(dismissal: Dismissal): void {
    if (this.#state.kind === "over" || compareAddresses(dismissal, this.#newest) < 0) return;
    // Also when the hint itself is still on its way.
    this.#newest = addressOf(dismissal);
    this.#device.onEvent({ type: "dismissed", dismissal });
    this.#repeatable = undefined;
    this.#stop(`dismissed: ${dismissal.reason}`);
    if (this.#secure === undefined) this.#contributions.abandon("dismissed");
    else this.#secure.drop(`dismissed: ${dismissal.reason}`);
    this.#withdrawIfFree();
  }

  /** Works on nothing until `resume`. */
  pause(): void {
    if (this.#state.kind === "over" || this.#isPaused) return;
    this.#isPaused = true;
    if (this.#isUnderWay && !sameAttempt(this.#worked, this.#newest)) this.#standDown(this.#newest);
    this.#withdrawIfFree();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    // What it stood down from may be open yet, and an answer count after all; not in a secure attempt, whose keys are gone.
    const mayAnswer = this.#secure === undefined && this.#stoodDown !== undefined;
    if (mayAnswer && compareAddresses(this.#newest, this.#stoodDown!) === 0) this.#newest = this.#answered;
    this.#stoodDown = undefined;
  }

  /** The device has a new identity: what was asked of the old one may be asked again, unless it was answered. */
  startAnew(): void {
    if (this.#state.kind === "over") return;
    this.#stop("the coordinator no longer knows this device");
    // Its keys are those of a client that is no more.
    this.#secure?.drop("the coordinator no longer knows this device");
    this.#repeatable = undefined;
    this.#newest = this.#answered;
  }

  /**
   * This device's part is over, and `fate` says whether the run is, too, or whether all that was kept of it for a later part
   * is to go. Resolves once that is gone. Which sums were opened is never forgotten: see `SecureRun`.
   */
  async end(reason: string, fate: "left" | "left for good" | "run over"): Promise<void> {
    this.#stop(reason);
    this.#contributions.clear(reason);
    this.#secure?.drop(reason);
    this.#state = { kind: "over" };
    if (fate === "left") return;
    await Promise.all([fate === "run over" ? this.#secure?.close(reason) : undefined, this.#kept?.forget()]);
  }

  /** Whether this device has a part in an attempt that goes on. */
  get #isUnderWay(): boolean {
    if (this.#state.kind === "answering") return true;
    const hasEnded = sameAttempt(this.#answered, this.#newest) && this.#answered.step === revealStep;
    return this.#secure?.isUnderWay === true && !hasEnded;
  }

  #needsNoWork(hint: Hint): boolean {
    return this.#secure !== undefined && (hint.step >= confirmStep || sameAttempt(this.#worked, hint));
  }

  /** Gives up the attempt at hand, for being paused, and has the coordinator not wait. */
  #standDown(place: Place): void {
    const address = addressOf({ ...place, run: this.plan.run });
    this.#stop(whyPaused);
    this.#contributions.abandon(whyPaused);
    this.#secure?.drop(whyPaused);
    this.#repeatable = undefined;
    this.#stoodDown = address;
    this.#device.decline({ ...address, code: ownerPaused, detail: whyPaused });
    this.#device.onEvent({ type: "stoodDown", run: address.run, round: address.round });
  }

  #withdrawIfFree(): void {
    if (this.#isPaused && !this.#isUnderWay) this.#device.withdraw(this.plan.run);
  }

  #stop(reason: string): void {
    if (this.#state.kind !== "answering") return;
    const { flow } = this.#state;
    this.#state = { kind: "idle" };
    flow.abort(new Error(reason));
  }

  async #answer(hint: Hint, told: ToldQuestion | undefined, signal: AbortSignal): Promise<void> {
    // A device with a new identity starts over from what it answered, while work goes on for what it was asked.
    const newest = () => (compareAddresses(this.#newest, hint) > 0 ? { ...hint, ...this.#newest } : hint);
    const step = {
      hint,
      told,
      plan: this.plan,
      local: this.#local,
      contributions: this.#contributions,
      kept: this.#kept,
      secure: this.#secure,
      newest,
      signal,
      onWorked: () => {
        if (sameAttempt(this.#newest, hint)) this.#worked = hint;
      },
    };
    const outcome = await answerStep(step, this.#device);
    if (this.#state.kind === "answering" && this.#state.hint === hint) {
      this.#state = { kind: "idle" };
      if (this.#secure !== undefined && outcome.kind !== "declined") this.#repeatable = addressOf(hint);
    }
    this.#settle(hint, outcome);
    this.#withdrawIfFree();
  }

  #settle(hint: Hint, outcome: Outcome): void {
    const { onEvent, decline } = this.#device;
    switch (outcome.kind) {
      case "sent":
        if (compareAddresses(hint, this.#answered) > 0) this.#answered = addressOf(hint);
        onEvent({
          type: "sent",
          hint,
          bytes: outcome.bytes,
          duplicate: outcome.duplicate,
          protection: outcome.protection,
        });
        break;
      case "dropped":
        onEvent({ type: "dropped", hint, reason: outcome.reason });
        break;
      case "declined": {
        const { code, detail } = outcome;
        onEvent({ type: "declined", run: hint.run, hint, code, detail });
        decline({ ...addressOf(hint), code, detail: detail.slice(0, 500) });
      }
    }
  }
}

const sameAttempt = (a: Place, b: Place) => a.round === b.round && a.attempt === b.attempt;
