import type { KeptState } from "@tributary/algorithm";
import type { Inclusion, RunId } from "@tributary/protocol";

/** What the work for one attempt left: adopted if that attempt was committed with it. */
export interface KeptEntry extends Inclusion {
  readonly state: KeptState;
}

/** What a device keeps of one run. */
export interface KeptRecord {
  /** Of the last committed round that is known to include this device. */
  readonly adopted?: KeptEntry;
  /** Of the last contribution whose fate is unknown: no earlier one can be committed any more. */
  readonly pending?: KeptEntry;
}

/**
 * Where a device keeps what its algorithms need from round to round. `save` must be durable when it resolves. A record
 * that cannot be read is no record. A store belongs to one device of one coordinator.
 */
export interface KeptStore {
  load(run: RunId): Promise<KeptRecord | undefined>;
  save(run: RunId, record: KeptRecord): Promise<void>;
  remove(run: RunId): Promise<void>;
}

/** For as long as the process lives. */
export function keptInMemory(): KeptStore {
  const held = new Map<RunId, KeptRecord>();
  return {
    load: async (run) => held.get(run),
    save: async (run, record) => {
      held.set(run, record);
    },
    remove: async (run) => {
      held.delete(run);
    },
  };
}

/** What a device begins a round's work with. */
export interface Settled {
  readonly kept: KeptState | undefined;
  /** A committed round included this device, and what it kept of that round is gone. */
  readonly lost: boolean;
}

/**
 * Which of what a device keeps the coordinator's word makes valid. A device that was away finds it out here too: the
 * question says which committed round included it last.
 */
function settle(
  record: KeptRecord,
  included: Inclusion | undefined,
): Settled & { readonly adopted: KeptEntry | undefined } {
  if (included === undefined) return { adopted: undefined, kept: undefined, lost: false };
  const adopted = [record.pending, record.adopted].find(
    (entry) => entry?.round === included.round && entry.attempt === included.attempt,
  );
  return { adopted, kept: adopted?.state, lost: adopted === undefined };
}

/** What one device keeps of one run, as its questions come in. */
export class KeptRun {
  readonly #run: RunId;
  readonly #store: KeptStore;
  #record: Promise<KeptRecord> | undefined;
  /** The attempt whose question settled what is valid. */
  #current: Inclusion | undefined;
  #isForgotten = false;
  /** Saves go to the store one after the other: of two at once, the older could end last and stay. */
  #saving: Promise<void> = Promise.resolve();

  constructor(run: RunId, store: KeptStore) {
    this.#run = run;
    this.#store = store;
  }

  /** A question to train came: what this device begins with. */
  async settle(question: Inclusion & { readonly included?: Inclusion }): Promise<Settled> {
    this.#record ??= this.#store.load(this.#run).then((record) => record ?? {});
    const { adopted, kept, lost } = settle(await this.#record, question.included);
    // What is on disk may stay as it is: it would be settled alike, and the next save replaces it.
    this.#record = Promise.resolve(adopted === undefined ? {} : { adopted });
    this.#current = { round: question.round, attempt: question.attempt };
    return { kept, lost };
  }

  /** Work for an attempt is done; durable when this resolves, and before the contribution leaves. */
  async hold({ round, attempt }: Inclusion, state: KeptState): Promise<void> {
    const isCurrent = this.#current?.round === round && this.#current.attempt === attempt;
    if (!isCurrent || this.#isForgotten) return;
    const record = { ...(await this.#record), pending: { round, attempt, state } };
    this.#record = Promise.resolve(record);
    await this.#inTurn(async () => {
      if (!this.#isForgotten) await this.#store.save(this.#run, record);
    });
  }

  /** The run is over, or this device's part in it for good: nothing is kept any more, nor will be. */
  async forget(): Promise<void> {
    this.#isForgotten = true;
    await this.#inTurn(() => this.#store.remove(this.#run));
  }

  #inTurn(change: () => Promise<void>): Promise<void> {
    const changed = this.#saving.then(change);
    this.#saving = changed.catch(() => undefined);
    return changed;
  }
}
