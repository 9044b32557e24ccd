import { Enrolled, type Enrolment, ProtocolError, routes } from "@tributary/protocol";
import type { Outbox } from "./outbox.ts";

/** Who this device is to one coordinator. The token is a secret: never in an event, a log line or an error. */
export type Identity = Enrolled;

/** Where a device keeps its identity. `save(undefined)` forgets it. */
export interface IdentityStore {
  load(): Promise<Identity | undefined>;
  save(identity: Identity | undefined): Promise<void>;
}

/** An identity for as long as the process lives. */
export function identityInMemory(): IdentityStore {
  let held: Identity | undefined;
  return {
    load: async () => held,
    save: async (identity) => {
      held = identity;
    },
  };
}

type State =
  | { readonly kind: "unread" }
  | { readonly kind: "none" }
  | { readonly kind: "held"; readonly identity: Identity };

/** The device's identity, obtained when first needed and obtained anew when the coordinator refuses it. */
export class Credentials {
  readonly #outbox: Outbox;
  readonly #store: IdentityStore;
  readonly #enrolment: Enrolment;
  readonly #signal: AbortSignal;
  readonly #onChange: (change: "enrolled" | "refused", identity: Identity) => void;
  #state: State = { kind: "unread" };
  #obtaining: Promise<Identity> | undefined;

  constructor(options: {
    outbox: Outbox;
    store: IdentityStore;
    enrolment: Enrolment;
    /** Ends when the device does; no single request's signal may stop an enrolment that others wait for. */
    signal: AbortSignal;
    onChange: (change: "enrolled" | "refused", identity: Identity) => void;
  }) {
    this.#outbox = options.outbox;
    this.#store = options.store;
    this.#enrolment = options.enrolment;
    this.#signal = options.signal;
    this.#onChange = options.onChange;
  }

  /** The identity, from the store or by enrolling; callers at the same time share one enrolment. */
  current(): Promise<Identity> {
    if (this.#state.kind === "held") return Promise.resolve(this.#state.identity);
    this.#obtaining ??= this.#obtain().finally(() => {
      this.#obtaining = undefined;
    });
    return this.#obtaining;
  }

  /** `action` with the current identity. A token that the coordinator refuses is forgotten before the refusal is thrown. */
  async use<Value>(action: (identity: Identity) => Promise<Value>): Promise<Value> {
    const identity = await this.current();
    try {
      return await action(identity);
    } catch (error) {
      if (error instanceof ProtocolError && error.code === "unauthorized") await this.#forget(identity);
      throw error;
    }
  }

  async #obtain(): Promise<Identity> {
    try {
      const stored = this.#state.kind === "unread" ? await this.#store.load() : undefined;
      const identity = stored ?? (await this.#enrol());
      this.#state = { kind: "held", identity };
      return identity;
    } catch (error) {
      throw error instanceof ProtocolError ? new NoIdentity(error) : error;
    }
  }

  async #enrol(): Promise<Identity> {
    const request = {
      method: "POST",
      path: routes.clients(),
      json: this.#enrolment,
      signal: this.#signal,
      about: { kind: "enrolment" },
    } as const;
    const identity = await this.#outbox.json(request, Enrolled, "enrolment");
    await this.#store.save(identity);
    this.#onChange("enrolled", identity);
    return identity;
  }

  async #forget(refused: Identity): Promise<void> {
    if (this.#state.kind !== "held" || this.#state.identity.token !== refused.token) return;
    this.#state = { kind: "none" };
    await this.#store.save(undefined);
    this.#onChange("refused", refused);
  }
}

/** The coordinator did not take this device in, or what it kept is unusable: unlike for a refused token, no new one comes. */
export class NoIdentity extends ProtocolError {
  constructor(refusal: ProtocolError) {
    const { retryAfterMs } = refusal;
    super(refusal.code, refusal.message, { cause: refusal, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
    this.name = "NoIdentity";
  }
}
