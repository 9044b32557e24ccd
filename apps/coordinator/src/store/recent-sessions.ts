import type { Session } from "./store.ts";

/** A session as it is kept: whose it is, and until when (milliseconds since the epoch). */
export interface KeptSession extends Session {
  readonly expiresAt: number;
}

/** So many sessions are kept; one more, and all are looked up anew. */
const most = 10_000;

/**
 * Sessions that were looked up lately, so that a device's next request costs no query: a secure round makes ten of each
 * device. Every change of any session forgets them all; changes are rare, and what is not kept cannot be out of date.
 */
export class RecentSessions {
  readonly #kept = new Map<string, KeptSession>();
  #changes = 0;

  /** The session with this token if it goes on after instant `at`; `look` finds one that is not kept. */
  async find(
    tokenHash: string,
    at: number,
    look: () => Promise<KeptSession | undefined>,
  ): Promise<Session | undefined> {
    let session = this.#kept.get(tokenHash);
    if (session === undefined) {
      const before = this.#changes;
      session = await look();
      if (session !== undefined && before === this.#changes) {
        if (this.#kept.size >= most) this.#kept.clear();
        this.#kept.set(tokenHash, session);
      }
    }
    if (session === undefined || session.expiresAt <= at) return undefined;
    return { client: session.client, revoked: session.revoked };
  }

  /** Performs a change of sessions: nothing that was looked up before its end is kept. */
  async changing(change: () => Promise<void>): Promise<void> {
    try {
      await change();
    } finally {
      this.#changes++;
      this.#kept.clear();
    }
  }
}
