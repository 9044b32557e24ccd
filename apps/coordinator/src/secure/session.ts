import * as nodeCryptoModule from "node:crypto";
import { type ClientId, ProtocolError } from "@tributary/protocol";
import {
  type Advertising,
  type Confirming,
  closeAdvertising,
  closeConfirming,
  closeMasking,
  closeSharing,
  decodeUnmasking,
  encodeUnmasking,
  type Masking,
  maskedMessageBytes,
  maskQuestionFor,
  memberIndex,
  nodeCrypto,
  openSession,
  type Received,
  receiveAdvertisement,
  receiveConfirmation,
  receiveMasked,
  receiveReveal,
  receiveShares,
  recoveries,
  type SessionParameters,
  type Sharing,
  type Unmasking,
  unmaskQuestionFor,
} from "@tributary/secure-agg";

type State = Advertising | Sharing | Masking | Confirming | Unmasking;
const steps = ["advertising", "sharing", "masking", "confirming", "unmasking"] as const;

/** The largest message of a step other than the masked vector: shares for 499 neighbours are some 70 kB. */
const messageLimit = 1_048_576;

const crypto = nodeCrypto(nodeCryptoModule);

/** One secure session as the coordinator holds it: what it asks each member next, and what came in. */
export class SecureSession {
  readonly #identityKey: (client: ClientId) => Promise<Uint8Array>;
  #state: State;

  private constructor(state: State, identityKey: (client: ClientId) => Promise<Uint8Array>) {
    this.#state = state;
    this.#identityKey = identityKey;
  }

  static open(parameters: SessionParameters, identityKey: (client: ClientId) => Promise<Uint8Array>): SecureSession {
    return new SecureSession(
      openSession(parameters, { minimumSurvivors: 3, rule: parameters.rule, corrupt: 0.05 }),
      identityKey,
    );
  }

  /** A session whose survivors were fixed before a restart; the reveals have to be sent again. */
  static resume(stored: { checkpoint: Uint8Array; sum: Uint32Array }): SecureSession {
    return new SecureSession(decodeUnmasking(stored.checkpoint, stored.sum), () => {
      throw new Error("the keys of this session are known already");
    });
  }

  get parameters(): SessionParameters {
    return this.#state.parameters;
  }

  /** The step's index: 0 keys, 1 shares, 2 masked, 3 consistency, 4 unmask. */
  get step(): number {
    return steps.indexOf(this.#state.step);
  }

  /** What is asked of `client` in the step at hand. Throws `not_asked` for a client that is not in it. */
  question(client: ClientId): Uint8Array {
    const state = this.#state;
    switch (state.step) {
      case "advertising":
      case "sharing":
      case "confirming":
        return state.question;
      case "masking":
        return maskQuestionFor(state, memberIndex(state, client));
      case "unmasking":
        return unmaskQuestionFor(state, memberIndex(state, client));
    }
  }

  /** The most bytes that an answer to this step has, or exactly how many. */
  answerBytes(): { readonly exactly: number } | { readonly atMost: number } {
    const state = this.#state;
    return state.step === "masking" ? { exactly: maskedMessageBytes(state) } : { atMost: messageLimit };
  }

  async receive(client: ClientId, bytes: Uint8Array): Promise<Received> {
    const state = this.#state;
    switch (state.step) {
      case "advertising": {
        const identityKey = await this.#identityKey(client);
        return receiveAdvertisement(state, { client, identityKey, crypto }, bytes);
      }
      case "sharing":
        return receiveShares(state, memberIndex(state, client), bytes);
      case "masking":
        return receiveMasked(state, { member: memberIndex(state, client), crypto }, bytes);
      case "confirming":
        return receiveConfirmation(state, memberIndex(state, client), bytes);
      case "unmasking":
        return receiveReveal(state, memberIndex(state, client), bytes);
    }
  }

  /** Closes the step at hand and gives the clients of the next one. Throws `secure_too_few` where they are too few. */
  advance(): ClientId[] {
    this.#state = next(this.#state);
    const { roster } = this.#state as Exclude<State, Advertising>;
    return roster.members.map(({ client }) => client as ClientId).filter((_, member) => this.#isIn(member));
  }

  /** Whether the shares that came in rebuild every secret that is needed. */
  isOpenable(): boolean {
    return this.#unmasking().inbox.size > 0 && recoveries(this.#unmasking()) !== undefined;
  }

  /** What must be durable before the first device is asked to reveal. */
  checkpoint(): { checkpoint: Uint8Array; sum: Uint32Array } {
    const state = this.#unmasking();
    return { checkpoint: encodeUnmasking(state), sum: state.sum };
  }

  /** The shares that came in, by roster index. */
  reveals(): [number, Uint8Array][] {
    return [...this.#unmasking().inbox];
  }

  #unmasking(): Unmasking {
    if (this.#state.step === "unmasking") return this.#state;
    throw new Error(`the session is ${this.#state.step}, not unmasking`);
  }

  #isIn(member: number): boolean {
    const state = this.#state;
    switch (state.step) {
      case "advertising":
      case "sharing":
        return true;
      case "masking":
        return state.sharers.has(member);
      case "confirming":
      case "unmasking":
        return state.survivors.has(member);
    }
  }
}

function next(state: State): State {
  switch (state.step) {
    case "advertising":
      return closeAdvertising(state);
    case "sharing":
      return closeSharing(state);
    case "masking":
      return closeMasking(state);
    case "confirming":
      return closeConfirming(state);
    case "unmasking":
      throw new ProtocolError("phase_closed", "the session has no further step");
  }
}
