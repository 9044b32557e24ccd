import { ClientId, ProtocolError, PublicKey } from "@tributary/protocol";
import { type CryptoBackend, clientIdOf, type Signer } from "@tributary/secure-agg";
import Type, { type Static } from "typebox";
import { type Description, enrol, logIn, type Met, meet } from "./enrolment.ts";
import type { Outbox } from "./outbox.ts";

/**
 * Who this device is to one coordinator, and the key that this coordinator must prove. The token is a secret: never in
 * an event, a log line or an error.
 */
export const Identity = Type.Object({
  client: ClientId,
  token: Type.String(),
  coordinatorKey: PublicKey,
  /** How this device described itself when it enrolled, as JSON. Absent in identities from before that was kept. */
  described: Type.Optional(Type.String()),
});
export type Identity = Static<typeof Identity>;

/** Where a device keeps its identity. */
export interface IdentityStore {
  load(): Promise<Identity | undefined>;
  save(identity: Identity): Promise<void>;
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

export interface CredentialsOptions {
  readonly outbox: Outbox;
  readonly store: IdentityStore;
  readonly key: () => Promise<Signer>;
  readonly crypto: CryptoBackend;
  readonly description: Description;
  /** The key that the coordinator must prove, in base64; default: the one it proved first. */
  readonly coordinatorKey: string | undefined;
  /** Ends when the device does; no single request's signal may stop an enrolment that others wait for. */
  readonly signal: AbortSignal;
  /** `forgotten`: the coordinator no longer knows this device, which is about to enrol again. */
  readonly onChange: (change: "enrolled" | "forgotten", client: ClientId) => void;
}

/**
 *   unread ──known, coordinator recognised──▶ held ──token refused──▶ held, by logging in
 *      └──────────── enrolled ─────────────────▲ └──client unknown──▶ held, by enrolling again with the same key
 *
 * A device that describes itself otherwise than before (another engine, other tags) enrols again with the same key.
 * The coordinator proves its key before anything is sent to it: at first, and whenever `recheck` was called.
 */
export class Credentials {
  readonly #options: CredentialsOptions;
  #signer: Signer | undefined;
  #pinned: string | undefined;
  #held: Identity | undefined;
  #obtaining: Promise<Identity> | undefined;

  constructor(options: CredentialsOptions) {
    this.#options = options;
    this.#pinned = options.coordinatorKey;
  }

  /** This device's key. There once `current` resolved. */
  get signer(): Signer {
    if (this.#signer === undefined) throw new Error("the device's key was needed before its identity");
    return this.#signer;
  }

  /** The identity, from the store or by enrolling; callers at the same time share one enrolment. */
  current(): Promise<Identity> {
    return this.#held === undefined ? this.#share(() => this.#obtain()) : Promise.resolve(this.#held);
  }

  /** Has the coordinator prove its key again before it is sent anything more. */
  recheck(): void {
    this.#held = undefined;
  }

  /** `action` with the current identity; once more, with a new token, when the coordinator refuses the one it had. */
  async use<Value>(action: (identity: Identity) => Promise<Value>): Promise<Value> {
    const identity = await this.current();
    try {
      return await action(identity);
    } catch (error) {
      if (!isRefusal(error, "unauthorized")) throw error;
      return action(await this.#renew(identity));
    }
  }

  #renew(refused: Identity): Promise<Identity> {
    if (this.#held !== undefined && this.#held.token !== refused.token) return Promise.resolve(this.#held);
    return this.#share(() => this.#logIn(refused));
  }

  #share(obtain: () => Promise<Identity>): Promise<Identity> {
    this.#obtaining ??= obtain()
      .catch((error: unknown) => {
        throw error instanceof ProtocolError ? new NoIdentity(error) : error;
      })
      .finally(() => {
        this.#obtaining = undefined;
      });
    return this.#obtaining;
  }

  async #obtain(): Promise<Identity> {
    const { store, key } = this.#options;
    this.#signer ??= await key();
    const stored = await store.load();
    this.#pinned ??= stored?.coordinatorKey;
    const ours = stored?.client === clientIdOf(this.#signer.publicKey) && stored.coordinatorKey === this.#pinned;
    if (stored === undefined || !ours) return this.#enrol();
    if (stored.described === this.#described) await this.#meet();
    else {
      try {
        return await this.#introduce();
      } catch (error) {
        // Without the join token it stays described as it was.
        if (!isRefusal(error, "unauthorized")) throw error;
      }
    }
    this.#held = stored;
    return stored;
  }

  get #described(): string {
    const { joinToken: _, ...description } = this.#options.description;
    return JSON.stringify(description);
  }

  async #enrol(): Promise<Identity> {
    const identity = await this.#introduce();
    this.#options.onChange("enrolled", identity.client);
    return identity;
  }

  async #introduce(): Promise<Identity> {
    const { outbox, description, signal } = this.#options;
    const device = { signer: this.signer, description, signal };
    return this.#withNonce(async (met) => {
      const { client, token } = await enrol(outbox, device, met);
      return this.#hold({ client, token, coordinatorKey: met.coordinatorKey, described: this.#described });
    });
  }

  async #logIn(identity: Identity): Promise<Identity> {
    const { outbox, signal, onChange } = this.#options;
    try {
      const { token } = await this.#withNonce((met) => logIn(outbox, { signer: this.signer, signal }, met));
      return await this.#hold({ ...identity, token });
    } catch (error) {
      if (!isRefusal(error, "not_found")) throw error;
      onChange("forgotten", identity.client);
      return this.#enrol();
    }
  }

  async #hold(identity: Identity): Promise<Identity> {
    await this.#options.store.save(identity);
    this.#held = identity;
    return identity;
  }

  async #meet(): Promise<Met> {
    const { outbox, crypto, signal } = this.#options;
    const met = await meet(outbox, { crypto, known: this.#pinned, signal });
    this.#pinned = met.coordinatorKey;
    return met;
  }

  /** A nonce that ran out on its way, or went with a coordinator that restarted, is no fault: one more, then. */
  async #withNonce<Value>(action: (met: Met) => Promise<Value>): Promise<Value> {
    try {
      return await action(await this.#meet());
    } catch (error) {
      if (!isRefusal(error, "unauthorized") || !/^(expired|replay):/.test(error.message)) throw error;
      return action(await this.#meet());
    }
  }
}

function isRefusal(error: unknown, code: "unauthorized" | "not_found"): error is ProtocolError {
  return error instanceof ProtocolError && error.code === code;
}

/** The coordinator did not take this device in, or what it kept is unusable: unlike for a refused token, no new one comes. */
export class NoIdentity extends ProtocolError {
  constructor(refusal: ProtocolError) {
    const { retryAfterMs } = refusal;
    super(refusal.code, refusal.message, { cause: refusal, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
    this.name = "NoIdentity";
  }
}
