import { ProtocolError } from "@tributary/protocol";
import type { CryptoBackend } from "../crypto/backend.ts";
import type { MaskKernel } from "../kernel/kernel.ts";
import type { Floors } from "../session/floors.ts";
import type { SessionParameters } from "../session/parameters.ts";
import {
  type Advertising,
  closeAdvertising,
  memberIndex,
  openSession,
  type Received,
  receiveAdvertisement,
  type Sharing,
} from "./advertising.ts";
import { decodeUnmasking, encodeUnmasking } from "./checkpoint.ts";
import {
  type Confirming,
  closeConfirming,
  closeMasking,
  maskedMessageBytes,
  receiveConfirmation,
  receiveMasked,
  type Unmasking,
  unmaskQuestionFor,
} from "./masking.ts";
import { closeSharing, type Masking, maskQuestionFor, receiveShares } from "./sharing.ts";
import { type SecureResult, unmaskSum } from "./total.ts";
import { receiveReveal, recoveries } from "./unmasking.ts";

type State = Advertising | Sharing | Masking | Confirming | Unmasking;
const steps = ["advertising", "sharing", "masking", "confirming", "unmasking"] as const;

/** The largest message of a step other than the masked vector: shares for 499 neighbours are some 70 kB. */
const messageLimit = 1_048_576;

/** What a coordinator's session needs of its surroundings. `identityKey`: the Ed25519 key that a client enrolled with. */
export interface ServerPorts {
  readonly crypto: CryptoBackend;
  readonly identityKey: (client: string) => Promise<Uint8Array>;
}

/** One secure session as the coordinator holds it: what it asks each member next, and what came in. */
export class ServerSession {
  readonly #ports: ServerPorts;
  #state: State;

  private constructor(state: State, ports: ServerPorts) {
    this.#state = state;
    this.#ports = ports;
  }

  /** Throws what `openSession` throws. */
  static open(parameters: SessionParameters, floors: Floors, ports: ServerPorts): ServerSession {
    return new ServerSession(openSession(parameters, floors), ports);
  }

  /** A session whose survivors were fixed before a restart; the reveals have to be sent again. */
  static resume(stored: { checkpoint: Uint8Array; sum: Uint32Array }, ports: ServerPorts): ServerSession {
    return new ServerSession(decodeUnmasking(stored.checkpoint, stored.sum), ports);
  }

  get parameters(): SessionParameters {
    return this.#state.parameters;
  }

  /** The step's index: 0 keys, 1 shares, 2 masked, 3 consistency, 4 unmask. */
  get step(): number {
    return steps.indexOf(this.#state.step);
  }

  /** What is asked of `client` in the step at hand. Throws `not_asked` for a client that is not in it. */
  question(client: string): Uint8Array {
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

  async receive(client: string, bytes: Uint8Array): Promise<Received> {
    const state = this.#state;
    switch (state.step) {
      case "advertising": {
        const identityKey = await this.#ports.identityKey(client);
        return receiveAdvertisement(state, { client, identityKey, crypto: this.#ports.crypto }, bytes);
      }
      case "sharing":
        return receiveShares(state, memberIndex(state, client), bytes);
      case "masking":
        return receiveMasked(state, { member: memberIndex(state, client), crypto: this.#ports.crypto }, bytes);
      case "confirming":
        return receiveConfirmation(state, memberIndex(state, client), bytes);
      case "unmasking":
        return receiveReveal(state, memberIndex(state, client), bytes);
    }
  }

  /** Closes the step at hand and gives the clients of the next one. Throws `secure_too_few` where they are too few. */
  advance(): string[] {
    this.#state = next(this.#state);
    const { roster } = this.#state as Exclude<State, Advertising>;
    return roster.members.map(({ client }) => client).filter((_, member) => this.#isIn(member));
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

  /** Opens the sum on the calling thread. The session is openable. */
  async open(kernel: MaskKernel): Promise<SecureResult> {
    const result = await unmaskSum(this.#unmasking(), { crypto: this.#ports.crypto, kernel });
    if (result === undefined) throw new Error("the session was opened before it had enough shares");
    return result;
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
