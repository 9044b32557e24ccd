import * as crypto from "node:crypto";
import {
  type ClientId,
  type Enrolment,
  enrolmentStatement,
  fromBase64,
  type Introduction,
  introductionStatement,
  type Login,
  loginStatement,
  ProtocolError,
  type SignedRoster,
  toBase64,
  understood,
} from "@tributary/protocol";
import {
  clientIdOf,
  isStrictPublicKey,
  nodeCrypto,
  type OperatorRoster,
  type Signer,
  verifySignature,
} from "@tributary/secure-agg";
import { Nonces } from "./nonces.ts";
import { hashToken, mintToken } from "./secrets.ts";
import type { SessionToken } from "./store/store.ts";

/** How long a device's token is good unless the operator says otherwise. */
const sessionMs = 24 * 3_600_000;

export interface IdentitiesOptions {
  /** The coordinator's own key. */
  readonly signer: Signer;
  /** The operator's: with one, only the devices on it are enrolled. */
  readonly roster?: OperatorRoster | undefined;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly sessionMs?: number | undefined;
}

/** Who this coordinator is, and whose proofs it accepts. */
export class Identities {
  readonly #signer: Signer;
  readonly #roster: OperatorRoster | undefined;
  readonly #nonces: Nonces;
  readonly #crypto = nodeCrypto(crypto);
  readonly sessionMs: number;

  constructor(options: IdentitiesOptions) {
    this.#signer = options.signer;
    this.#roster = options.roster;
    this.#nonces = new Nonces(options.now);
    this.sessionMs = options.sessionMs ?? sessionMs;
  }

  get roster(): SignedRoster | undefined {
    return this.#roster?.signed;
  }

  /** Proves this coordinator's key over a device's challenge, and gives a nonce for one enrolment or login. */
  async introduce(challenge: Uint8Array): Promise<Introduction> {
    const nonce = this.#nonces.issue();
    const signature = await this.#signer.sign(introductionStatement({ challenge, nonce }));
    return {
      coordinatorKey: toBase64(this.#signer.publicKey),
      nonce: toBase64(nonce),
      signature: toBase64(signature),
      protocol: understood(),
    };
  }

  /**
   * The id of a device that proved its key. Throws `bad_request` for a key that anyone could sign for, `forbidden` for
   * one that is not on the operator's roster, `unauthorized` for a nonce or proof that does not count.
   */
  async enrolled({ name, ...sent }: Pick<Enrolment, "name" | "publicKey" | "nonce" | "proof">): Promise<ClientId> {
    const publicKey = fromBase64(sent.publicKey);
    if (!isStrictPublicKey(publicKey)) {
      throw new ProtocolError(
        "bad_request",
        "publicKey: expected an Ed25519 key in canonical form and not of small order",
      );
    }
    const nonce = fromBase64(sent.nonce);
    const statement = enrolmentStatement({ coordinatorKey: this.#signer.publicKey, nonce, publicKey, name });
    await this.#check(statement, { nonce, publicKey, proof: sent.proof });
    if (this.#roster !== undefined && !this.#roster.keys.has(sent.publicKey)) {
      throw new ProtocolError(
        "forbidden",
        `Only devices on the operator's roster are enrolled here; this one's key is ${sent.publicKey}.`,
      );
    }
    return clientIdOf(publicKey);
  }

  /** Checks the proof of a device that is known by this key. Throws `unauthorized`. */
  async loggedIn({ client, nonce: sent, proof }: Login, publicKey: string): Promise<void> {
    const nonce = fromBase64(sent);
    const statement = loginStatement({ coordinatorKey: this.#signer.publicKey, nonce, client });
    await this.#check(statement, { nonce, publicKey: fromBase64(publicKey), proof });
  }

  /** A new session's token, and what the store keeps of it; `at` in milliseconds since the epoch. */
  mintSession(at: number): { readonly token: string; readonly kept: SessionToken } {
    const token = mintToken("tribdev");
    return { token, kept: { tokenHash: hashToken(token), tokenExpiresAt: at + this.sessionMs } };
  }

  /** The nonce is what counts once: signature bytes can be changed and still hold (S + L), and stand for nothing. */
  async #check(
    message: Uint8Array,
    { nonce, publicKey, proof }: { nonce: Uint8Array; publicKey: Uint8Array; proof: string },
  ): Promise<void> {
    const state = this.#nonces.state(nonce);
    if (state !== "good") {
      const why = state === "replay" ? "was used before" : "is not, or no longer, one of this coordinator's";
      throw new ProtocolError("unauthorized", `${state}: this nonce ${why}; GET /v1/identity gives another.`);
    }
    const valid = await verifySignature(this.#crypto, { publicKey, message, signature: fromBase64(proof) });
    if (!valid) {
      throw new ProtocolError(
        "unauthorized",
        "bad_signature: the proof is not this key's signature over what was sent, for this coordinator.",
      );
    }
    // Synchronous from here on would be too late: another request may have used the nonce during the check.
    if (this.#nonces.state(nonce) !== "good") throw new ProtocolError("unauthorized", "replay: used meanwhile.");
    this.#nonces.spend(nonce);
  }
}
