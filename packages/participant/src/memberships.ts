import {
  type Ask,
  type DeviceState,
  type Dismissal,
  isOver,
  ProtocolError,
  type RunId,
  type RunNews,
} from "@tributary/protocol";
import { type Abilities, admit } from "./admission.ts";
import { type MemberDevice, Membership } from "./membership.ts";
import { checkPast } from "./secure-floors.ts";

const mostRunsPerOffer = 64;

/** The runs that one device knows: those it takes part in, those it declined, those that are over. */
export class Memberships {
  readonly #abilities: Abilities;
  readonly #only: RunId | undefined;
  readonly #device: MemberDevice;
  readonly #onOver: () => void;
  readonly #members = new Map<RunId, Membership>();
  readonly #past = new Set<RunId>();
  /** What is being removed of runs that are over for this device. */
  readonly #goings = new Set<Promise<void>>();
  #offerDue = true;
  #isPaused = false;
  #closed = false;

  /** `only`: the one run this device is for; `onOver` is called when that run is over. */
  constructor(options: { abilities: Abilities; only: RunId | undefined; device: MemberDevice; onOver: () => void }) {
    this.#abilities = options.abilities;
    this.#only = options.only;
    this.#device = options.device;
    this.#onOver = options.onOver;
  }

  /** Takes in where every run stands: joins the new ones that fit, ends those that are gone, acts on open questions. */
  async take({ runs, asked }: DeviceState): Promise<void> {
    const listed = new Set(runs.map(({ run }) => run));
    for (const run of this.#members.keys()) if (!listed.has(run)) this.hear({ run, phase: "gone" });
    for (const hint of asked) this.ask(hint);
    if (this.#only !== undefined && !listed.has(this.#only) && !this.knows(this.#only) && !this.#closed) {
      const open = runs.length === 0 ? "no run is" : `open: ${[...listed].join(", ")}`;
      this.#device.onFailure(
        new ProtocolError("not_found", `run ${this.#only} is not open on this coordinator (${open})`),
      );
    }
    for (const plan of runs) {
      const wanted = this.#only === undefined || plan.run === this.#only;
      if (!wanted || this.knows(plan.run) || isOver(plan.phase)) continue;
      try {
        const local = await admit(plan, this.#abilities);
        if (plan.secureAggregation === "none") await checkPast(plan, this.#device.answers);
        if (this.#closed) return;
        const member = new Membership(plan, local, this.#device);
        if (this.#isPaused) member.pause();
        this.#members.set(plan.run, member);
        this.#offerDue = true;
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
        this.#past.add(plan.run);
        this.#device.onEvent({ type: "declined", run: plan.run, code: error.code, detail: error.message });
        if (plan.run === this.#only) this.#device.onFailure(error);
      }
    }
    for (const hint of asked) this.ask(hint);
  }

  knows(run: RunId): boolean {
    return this.#members.has(run) || this.#past.has(run);
  }

  ask(ask: Ask): void {
    this.#members.get(ask.run)?.ask(ask);
  }

  dismiss(dismissal: Dismissal): void {
    this.#members.get(dismissal.run)?.dismiss(dismissal);
  }

  /** A run changed its phase, or is no longer listed. */
  hear({ run, phase, reason }: RunNews | { run: RunId; phase: "gone"; reason?: string }): void {
    const member = this.#members.get(run);
    if (member === undefined) return;
    if (phase !== "gone" && !isOver(phase)) {
      this.#device.onEvent({ type: "phase", run, phase, reason });
      return;
    }
    this.#members.delete(run);
    this.#past.add(run);
    this.#forgetting(member.end(`the run is ${phase}`, "run over"));
    this.#device.onEvent({ type: "runEnded", run, phase, ...(reason === undefined ? {} : { reason }) });
    if (run === this.#only) this.#onOver();
  }

  /** This device works on nothing until `resume`. */
  pause(): void {
    this.#isPaused = true;
    for (const member of this.#members.values()) member.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#offerDue = true;
    for (const member of this.#members.values()) member.resume();
  }

  /** The runs to offer, if the coordinator has not been told of all of them over this connection. */
  toOffer(): RunId[] | undefined {
    if (this.#isPaused) return undefined;
    return this.#offerDue && this.#members.size > 0 ? [...this.#members.keys()].slice(0, mostRunsPerOffer) : undefined;
  }

  /** The coordinator acknowledged what `toOffer` gave. */
  offered(): void {
    // A pause may have come in between.
    if (this.#isPaused) return;
    this.#offerDue = false;
    this.#device.onEvent({ type: "offered", runs: [...this.#members.values()].map(({ plan }) => plan) });
  }

  /** A new connection: offers do not outlive the one they were made on. */
  offerAgain(): void {
    this.#offerDue = true;
  }

  /** The device has a new identity. */
  startAnew(): void {
    for (const member of this.#members.values()) member.startAnew();
  }

  /** Ends this device's part in every run; `forget`: and removes what it kept of them. */
  end(reason: string, { forget }: { forget: boolean }): void {
    this.#closed = true;
    for (const member of this.#members.values())
      this.#forgetting(member.end(reason, forget ? "left for good" : "left"));
    // An earlier part in the one run may have left something though this one never came to be.
    if (forget && this.#only !== undefined) this.#forgetting(this.#device.kept.remove(this.#only));
    this.#members.clear();
  }

  /** Resolves when what was to be forgotten is. */
  get forgotten(): Promise<unknown> {
    return Promise.all(this.#goings);
  }

  #forgetting(going: Promise<void>): void {
    this.#goings.add(going.catch(this.#device.onFailure));
  }
}
