import { ProtocolError, routes, SignedRoster, toBase64 } from "@tributary/protocol";
import { type CryptoBackend, clientIdOf, type OperatorRoster, openRoster } from "@tributary/secure-agg";
import type { Credentials } from "./identity.ts";
import type { Outbox } from "./outbox.ts";

/** Who belongs to the federation, as far as this device can tell by itself. */
export class Trust {
  readonly #operatorKey: string | undefined;
  #roster: OperatorRoster | undefined;
  #due = true;

  /** `operatorKey`, in base64, is the one whose roster counts; without one, every key does. */
  constructor(operatorKey: string | undefined) {
    this.#operatorKey = operatorKey;
  }

  /** Whether an operator says who belongs: if not, a coordinator could invent the other devices of a sum. */
  get pinned(): boolean {
    return this.#operatorKey !== undefined;
  }

  /** The roster may have changed: a coordinator reads it when it starts. */
  expire(): void {
    this.#due = true;
  }

  /** Fetches the roster, where it counts and is not here yet. Throws `roster_refused` for one that the operator did not sign, and for none. */
  async refresh(device: {
    outbox: Outbox;
    credentials: Credentials;
    crypto: CryptoBackend;
    signal: AbortSignal;
  }): Promise<void> {
    const { outbox, credentials, crypto, signal } = device;
    if (this.#operatorKey === undefined || !this.#due) return;
    const received = await credentials
      .use(({ token }) =>
        outbox.json({ method: "GET", path: routes.roster(), token, signal }, SignedRoster, "the operator's roster"),
      )
      .catch((error: unknown) => {
        if (!(error instanceof ProtocolError) || error.code !== "not_found") throw error;
        throw new ProtocolError(
          "roster_refused",
          `this device wants a roster signed by ${this.#operatorKey}, and the coordinator has none (--roster FILE)`,
        );
      });
    this.#roster = await openRoster(crypto, received, this.#operatorKey);
    this.#due = false;
  }

  /** Whether the key makes this client id and, where there is an operator to say so, belongs to the federation. */
  admits(client: string, identityKey: Uint8Array): boolean {
    if (client !== clientIdOf(identityKey)) return false;
    return this.#operatorKey === undefined || this.#roster?.keys.has(toBase64(identityKey)) === true;
  }
}
