import { ProtocolError } from "@tributary/protocol";
import type { ClientSession } from "@tributary/secure-agg";
import type { Place } from "./address.ts";

/** What a secure attempt begins with. */
export interface Opening {
  /** The session parameters, as they came. */
  readonly message: Uint8Array;
  /** Opens the session, and begins the work whose result it will mask; the signal ends with the attempt. */
  readonly open: (signal: AbortSignal) => Promise<{ session: ClientSession; work: Promise<unknown> }>;
}

/**
 * This device's part in one secure attempt: its session, asked one question at a time, and the end of its keys.
 *
 *   opening ──▶ open ──question──▶ open … ──▶ dropped: keys wiped, nothing leaves any more
 */
export class SecureAttempt {
  readonly #place: Place;
  readonly #message: Uint8Array;
  readonly #life = new AbortController();
  readonly #session: Promise<ClientSession>;
  #workFault: unknown;
  #last: Promise<unknown>;

  constructor(place: Place, opening: Opening) {
    this.#place = place;
    this.#message = opening.message;
    const { signal } = this.#life;
    this.#session = opening.open(signal).then(({ session, work }) => {
      work.catch((error) => {
        this.#workFault = error;
      });
      return session;
    });
    this.#last = this.#session.catch(() => undefined);
  }

  /** Whether a step belongs to this attempt. */
  holds({ round, attempt }: Place): boolean {
    return this.#place.round === round && this.#place.attempt === attempt;
  }

  /** The advertisement: always the same bytes. Throws what opening the session threw. */
  async advertise(message: Uint8Array): Promise<Uint8Array> {
    if (!this.#message.every((byte, i) => byte === message[i]) || message.length !== this.#message.length) {
      const found = `attempt ${this.#place.attempt} of round ${this.#place.round} was opened with other parameters`;
      throw new ProtocolError("secure_already_answered", `${found}, and this device answered those`);
    }
    const { advertisement } = await this.#session;
    this.#life.signal.throwIfAborted();
    return advertisement;
  }

  /** The answer to a later question, or the same answer to a repeat. Throws what the session throws, or why it ended. */
  async answer(message: Uint8Array): Promise<Uint8Array> {
    const turn = this.#last.then(async () => {
      this.#life.signal.throwIfAborted();
      // Better gone before its shares are dealt than after: the others then need not remove its masks.
      if (this.#workFault !== undefined) throw this.#workFault;
      const session = await this.#session;
      return session.answer(message);
    });
    this.#last = turn.catch(() => undefined);
    const answer = await turn;
    this.#life.signal.throwIfAborted();
    return answer;
  }

  /** Ends the attempt. Secrets are wiped once no step computes with them: a mask of zeros must not come to be. */
  drop(reason: string): void {
    if (this.#life.signal.aborted) return;
    this.#life.abort(new Error(reason));
    const wipe = async () => (await this.#session).drop();
    this.#last = this.#last.then(wipe).catch(() => undefined);
  }
}
