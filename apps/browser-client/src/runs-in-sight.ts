import { batch, computed, signal } from "@preact/signals";
import { isOver, ProtocolError, type RunId, refusals } from "@tributary/protocol";
import type { PageLedger } from "./ledger/ledger.ts";
import { type From, fetchOpenRuns, fetchRun, type OpenRun } from "./open-runs.ts";
import { registered } from "./resumption.ts";

export type Runs =
  | { readonly kind: "loading" }
  | { readonly kind: "locked"; readonly refusal: string | undefined; readonly busy: boolean }
  | { readonly kind: "unreachable"; readonly detail: string }
  /** `stale`: why these are not the newest. */
  | { readonly kind: "open"; readonly runs: readonly OpenRun[]; readonly stale: string | undefined };

/** The coordinator's open runs, and which of them is chosen. */
export class RunsInSight {
  readonly state = signal<Runs>({ kind: "loading" });
  readonly chosen = signal<RunId | undefined>(undefined);
  /** The run that was chosen and has ended since. */
  readonly ended = signal<OpenRun | undefined>(undefined);
  readonly run = computed(() => {
    const runs = this.state.value;
    return runs.kind === "open" ? runs.runs.find(({ run }) => run === this.chosen.value) : undefined;
  });
  /** A session's token, once the coordinator knows this tab's device. */
  token: string | undefined;
  /** What lets this browser be known where not everybody may be. */
  joinToken: string | undefined;
  readonly #coordinator: string;
  readonly #ledger: PageLedger;
  readonly #tab: Promise<string>;
  readonly #register: () => Promise<string>;

  /** `register` makes this tab's device known to the coordinator and gives the session's token; rejects with the refusal. */
  constructor(
    coordinator: string,
    { ledger, tab, register }: { ledger: PageLedger; tab: Promise<string>; register: () => Promise<string> },
  ) {
    this.#coordinator = coordinator;
    this.#ledger = ledger;
    this.#tab = tab;
    this.#register = register;
  }

  /** Where this page asks, as whom it is known by now. */
  get from(): From {
    return { coordinator: this.#coordinator, token: this.token, ledger: this.#ledger };
  }

  choose(run: RunId): void {
    this.chosen.value = run;
    this.ended.value = undefined;
  }

  /**
   * Looks which runs there are. Where the chosen one is not among them any more, another is chosen only if `mayChoose`:
   * somebody who has chosen data for a run that is over must not find another one under the button.
   */
  async look({ mayChoose }: { mayChoose: () => boolean }): Promise<void> {
    try {
      const runs = await this.#fetch();
      const before = this.chosen.value;
      const isOpen = runs.some(({ run }) => run === before);
      if (!isOpen && before !== undefined) this.ended.value = await this.#fetchEnded(before);
      batch(() => {
        this.state.value = { kind: "open", runs, stale: undefined };
        if (!isOpen && this.chosen.value === before) {
          this.chosen.value = mayChoose() ? runs.find(isJoinable)?.run : undefined;
        }
      });
    } catch (error) {
      const before = this.state.value;
      if (error instanceof NotKnown) this.state.value = { kind: "locked", refusal: error.message, busy: false };
      else if (isForToken(error)) this.state.value = { kind: "locked", refusal: undefined, busy: false };
      else if (before.kind === "open") this.state.value = { ...before, stale: (error as Error).message };
      else this.state.value = { kind: "unreachable", detail: (error as Error).message };
    }
  }

  /** A run that is no longer among the open ones; undefined where it is gone altogether. */
  async #fetchEnded(run: RunId): Promise<OpenRun | undefined> {
    try {
      return await fetchRun(this.from, run);
    } catch (error) {
      if (error instanceof ProtocolError && error.code === "not_found") return undefined;
      throw error;
    }
  }

  /** Registers this browser with a coordinator that shows its runs to known devices only. */
  async unlock(joinToken: string): Promise<boolean> {
    this.state.value = { kind: "locked", refusal: undefined, busy: true };
    this.joinToken = joinToken;
    try {
      await this.#makeKnown();
      return true;
    } catch (error) {
      this.state.value = { kind: "locked", refusal: (error as Error).message, busy: false };
      return false;
    }
  }

  async #makeKnown(): Promise<void> {
    try {
      this.token = await this.#register();
    } catch (error) {
      if (error instanceof ProtocolError && !refusals[error.code].retryable) throw new NotKnown(error.message);
      throw error;
    }
    registered.write(await this.#tab);
  }

  /** With a new token, or none, where this tab's session ran out or the coordinator is not the one that gave it. */
  async #fetch(): Promise<OpenRun[]> {
    const { token } = this;
    try {
      return await fetchOpenRuns(this.from);
    } catch (error) {
      if (!isForToken(error)) throw error;
      this.token = undefined;
      if (registered.read(await this.#tab)) await this.#makeKnown();
      else if (token === undefined) throw error;
      return fetchOpenRuns(this.from);
    }
  }
}

/** The coordinator will not know this tab's device, whoever asks again. */
class NotKnown extends Error {}

/** Whether another token, or none, may get an answer: of a session that ran out, of a device that was revoked. */
function isForToken(error: unknown): boolean {
  return error instanceof ProtocolError && (error.code === "unauthorized" || error.code === "forbidden");
}

/** Whether this page can take part at all. */
export function isJoinable({ tags, phase, isCurious }: OpenRun): boolean {
  return tags.length === 0 && !isOver(phase) && !isCurious;
}
