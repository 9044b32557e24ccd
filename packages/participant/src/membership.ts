import type { Decline, Dismissal, Hint, RunPlan } from "@tributary/protocol";
import { addressOf, compareAddresses, type Place } from "./address.ts";
import { type Answering, answerStep, type Outcome } from "./answer.ts";
import type { LocalWork } from "./contribute.ts";
import { ContributionCache } from "./contribution-cache.ts";

type State =
  | { readonly kind: "idle" }
  | { readonly kind: "answering"; readonly hint: Hint; readonly flow: AbortController }
  | { readonly kind: "over" };

/** The device, as its memberships see it. */
export interface MemberDevice extends Answering {
  readonly decline: (decline: Decline) => void;
  /** Takes what is no refusal: a mistake of ours, or a coordinator too different to talk to. */
  readonly onFailure: (error: unknown) => void;
}

const before: Place = { round: -1, attempt: 0, step: 0 };

/**
 * One device's part in one run.
 *
 *            newer hint                       newer hint
 *   idle ────────────────▶ answering ────────────────────────▶ answering
 *    ▲                        │   (the older step is given up; its work goes on if the new one asks for the same)
 *    └─ sent, dropped, ───────┘
 *       declined, dismissed            run ended, device left: over
 */
export class Membership {
  readonly plan: RunPlan;
  readonly #local: LocalWork;
  readonly #device: MemberDevice;
  readonly #contributions = new ContributionCache();
  #state: State = { kind: "idle" };
  #newest: Place = before;
  #answered: Place = before;

  constructor(plan: RunPlan, local: LocalWork, device: MemberDevice) {
    this.plan = plan;
    this.#local = local;
    this.#device = device;
  }

  /** Acts on a hint that is newer than every one before it; ignores repeats and stragglers. */
  ask(hint: Hint): void {
    if (this.#state.kind === "over" || compareAddresses(hint, this.#newest) <= 0) return;
    this.#newest = addressOf(hint);
    this.#stop("a newer question came");
    const flow = new AbortController();
    this.#state = { kind: "answering", hint, flow };
    this.#device.onEvent({ type: "asked", hint });
    this.#answer(hint, flow.signal).catch(this.#device.onFailure);
  }

  /** Gives up the step and unfinished work for it; finished work is held for another attempt on the same model. */
  dismiss(dismissal: Dismissal): void {
    if (this.#state.kind === "over" || compareAddresses(dismissal, this.#newest) < 0) return;
    // Also when the hint itself is still on its way.
    this.#newest = addressOf(dismissal);
    this.#device.onEvent({ type: "dismissed", dismissal });
    this.#stop(`dismissed: ${dismissal.reason}`);
    this.#contributions.abandon("dismissed");
  }

  /** The device has a new identity: what was asked of the old one may be asked again, unless it was answered. */
  startAnew(): void {
    if (this.#state.kind === "over") return;
    this.#stop("the coordinator no longer knows this device");
    this.#newest = this.#answered;
  }

  end(reason: string): void {
    this.#stop(reason);
    this.#contributions.clear(reason);
    this.#state = { kind: "over" };
  }

  #stop(reason: string): void {
    if (this.#state.kind !== "answering") return;
    const { flow } = this.#state;
    this.#state = { kind: "idle" };
    flow.abort(new Error(reason));
  }

  async #answer(hint: Hint, signal: AbortSignal): Promise<void> {
    const newest = () => ({ ...hint, ...this.#newest });
    const step = { hint, local: this.#local, contributions: this.#contributions, newest, signal };
    const outcome = await answerStep(step, this.#device);
    if (this.#state.kind === "answering" && this.#state.hint === hint) this.#state = { kind: "idle" };
    this.#settle(hint, outcome);
  }

  #settle(hint: Hint, outcome: Outcome): void {
    const { onEvent, decline } = this.#device;
    switch (outcome.kind) {
      case "sent":
        if (compareAddresses(hint, this.#answered) > 0) this.#answered = addressOf(hint);
        onEvent({ type: "sent", hint, bytes: outcome.bytes, duplicate: outcome.duplicate });
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
