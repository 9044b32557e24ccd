import type { Random } from "@tributary/algorithm";
import { type ClientId, ProtocolError, parse, socketEvents } from "@tributary/protocol";
import type { Socket } from "socket.io-client";
import { type Clock, sleep } from "./clock.ts";
import { deferred } from "./deferred.ts";
import type { Credentials } from "./identity.ts";
import type { Outbox } from "./outbox.ts";
import { backoffMs } from "./retry.ts";

/** What a connection tells the device. */
export interface ConnectionListener {
  /** Resolves to whether the connection turned out to be good for something; only then do retries start over fast. */
  readonly onConnected: (client: ClientId) => Promise<boolean>;
  readonly onMessage: (event: string, payload: unknown) => void;
  readonly onLost: (reason: string) => void;
  readonly onWaiting: (reason: string, retryInMs: number) => void;
  /** Whether the device outlives this failure. */
  readonly outlives: (error: unknown) => error is ProtocolError;
}

/**
 * One socket to the coordinator at a time, opened again whenever it is lost: the first retry within 1 s, then with full
 * jitter up to 30 s.
 */
export class Connection {
  readonly #outbox: Outbox;
  readonly #credentials: Credentials;
  readonly #clock: Clock;
  readonly #jitter: Random;
  readonly #listener: ConnectionListener;
  #socket: Socket | undefined;

  constructor(options: {
    outbox: Outbox;
    credentials: Credentials;
    clock: Clock;
    jitter: Random;
    listener: ConnectionListener;
  }) {
    this.#outbox = options.outbox;
    this.#credentials = options.credentials;
    this.#clock = options.clock;
    this.#jitter = options.jitter;
    this.#listener = options.listener;
  }

  get connected(): boolean {
    return this.#socket?.connected === true;
  }

  /** What the coordinator acknowledged the event with. Throws `coordinator_unreachable` while there is no connection. */
  emit(event: keyof (typeof socketEvents)["fromDevice"], payload: object, waitMs?: number): Promise<unknown> {
    if (this.#socket !== undefined) return this.#outbox.emit(this.#socket, event, payload, waitMs);
    return Promise.reject(new ProtocolError("coordinator_unreachable", `${event}: there is no connection`));
  }

  /** Closes the socket in use; `keep` opens another. */
  close(): void {
    this.#socket?.close();
  }

  /** Connects, again and again, until the signal comes. */
  async keep(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; ) {
      let reason: string;
      let retryAfterMs: number | undefined;
      try {
        const lost = await this.#once(signal);
        reason = `the connection was lost (${lost.reason})`;
        retryAfterMs = lost.retryAfterMs;
        failures = lost.served ? 1 : failures + 1;
      } catch (error) {
        if (signal.aborted || !this.#listener.outlives(error)) return;
        reason = error.message;
        retryAfterMs = error.retryAfterMs;
        failures += 1;
      }
      if (signal.aborted) return;
      const retryInMs = backoffMs(failures, this.#jitter, retryAfterMs);
      this.#listener.onWaiting(reason, retryInMs);
      await sleep(this.#clock, retryInMs, signal).catch(() => undefined);
    }
  }

  async #once(signal: AbortSignal): Promise<{ reason: string; served: boolean; retryAfterMs?: number }> {
    const closed = deferred<string>();
    const { onConnected, onLost } = this.#listener;
    let announced: { retryAfterMs: number } | undefined;
    const onMessage = (event: string, payload: unknown) => {
      if (event !== "restarting") return this.#listener.onMessage(event, payload);
      announced = parse(socketEvents.fromCoordinator.restarting, payload, { what: event });
    };
    // Another process may answer at this address by now.
    this.#credentials.recheck();
    const client = await this.#credentials.use(async ({ client, token }) => {
      this.#socket = await this.#outbox.connect({ token, signal, onMessage, onClose: closed.resolve });
      return client;
    });
    const served = onConnected(client);
    const reason = await closed.promise;
    this.#socket = undefined;
    onLost(reason);
    return {
      reason: announced === undefined ? reason : "the coordinator is restarting",
      served: await served,
      ...announced,
    };
  }
}
