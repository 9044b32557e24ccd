import type { Random } from "@tributary/algorithm";
import {
  type ClientId,
  DeviceState,
  isOver,
  ProtocolError,
  parse,
  type RefusalCode,
  routes,
  socketEvents,
} from "@tributary/protocol";
import { type CryptoBackend, loadKernel, portableCrypto } from "@tributary/secure-agg";

import { BlobCache } from "./blob-cache.ts";
import { type Clock, sleep, systemClock, type WakeableClock, wakeable } from "./clock.ts";
import { Connection } from "./connection.ts";
import { deferred } from "./deferred.ts";
import { credentialsOf } from "./enrol-device.ts";
import type { OnEvent } from "./events.ts";
import { type Credentials, NoIdentity } from "./identity.ts";
import { keptInMemory } from "./kept.ts";
import { Memberships } from "./memberships.ts";
import { Offers } from "./offers.ts";
import { Outbox } from "./outbox.ts";
import type { Participant, ParticipantOptions, ParticipantState } from "./participant.ts";
import { platformRandom } from "./platform-random.ts";
import { isRetryable, retrying } from "./retry.ts";
import { answersInMemory } from "./secure-answers.ts";
import { sessionFloors } from "./secure-floors.ts";
import { Trust } from "./trust.ts";
import { WorkQueue } from "./work-queue.ts";

const pollMs = 15_000;
const farewellMs = 2_000;
/** `forbidden` is what a revoked device hears; a token that is merely unknown (`unauthorized`) leads to a new one. */
const finalRefusals: ReadonlySet<RefusalCode> = new Set<RefusalCode>([
  "upgrade_required",
  "forbidden",
  "roster_refused",
]);
const honestButCurious =
  "no operator key is pinned: a secure sum protects this device against an honest-but-curious coordinator, not against " +
  "one that invents the other devices (--operator-key KEY pins the operator's)";

/**
 * A device: what it does on news from the coordinator, until it is done.
 *
 *   connecting ──▶ connected ──socket lost──▶ waiting ──▶ connected …
 *        any of them ──▶ finished | left | failed
 *
 * Beside the socket, a poll of the device's state every 15 s carries the rounds when the socket cannot.
 */
export class Device implements Participant {
  readonly #clock: Clock;
  /** Runs the waits before fetching and sending again. */
  readonly #retries: WakeableClock;
  readonly #jitter: Random;
  readonly #outbox: Outbox;
  readonly #credentials: Credentials;
  readonly #connection: Connection;
  readonly #offers: Offers;
  readonly #memberships: Memberships;
  readonly #onEvent: OnEvent;
  readonly #crypto: CryptoBackend;
  readonly #trust: Trust;
  readonly #life = new AbortController();
  readonly #settled = deferred<void>();
  #state: ParticipantState = { kind: "connecting" };
  #everConnected = false;
  #refreshing: Promise<void> | undefined;
  #refreshAgain = false;

  constructor(options: ParticipantOptions) {
    const { coordinator, fetch, socket, clock = systemClock, jitter = platformRandom() } = options;
    this.#clock = clock;
    this.#retries = wakeable(clock);
    this.#jitter = jitter;
    this.#onEvent = options.onEvent ?? (() => undefined);
    const { ledger } = options;
    this.#outbox = new Outbox({ coordinator, fetch, clock, ledger, ...(socket === undefined ? {} : { socket }) });
    this.#crypto = options.crypto ?? portableCrypto();
    this.#trust = new Trust(options.operatorKey);
    const credentials = credentialsOf(options, {
      outbox: this.#outbox,
      crypto: this.#crypto,
      signal: this.#life.signal,
      onChange: (change, client) => this.#identityChanged(change, client),
    });
    this.#credentials = credentials;
    this.#connection = new Connection({
      outbox: this.#outbox,
      credentials: this.#credentials,
      clock,
      jitter,
      listener: {
        onConnected: (client) => this.#connected(client),
        onMessage: (event, payload) => this.#receive(event, payload),
        onLost: (reason) => {
          if (!this.#life.signal.aborted) this.#onEvent({ type: "disconnected", reason });
        },
        onWaiting: (reason, retryInMs) => this.#wait(reason, retryInMs),
        outlives: (error) => this.#outlives(error),
      },
    });
    this.#offers = new Offers(this.#connection, {
      onEvent: this.#onEvent,
      onRefused: (error) => this.#outlives(error),
    });
    let loaded = options.kernel;
    const kernel = () => {
      loaded ??= loadKernel();
      return loaded;
    };
    this.#memberships = new Memberships({
      abilities: options,
      only: options.run,
      device: {
        outbox: this.#outbox,
        credentials,
        get signer() {
          return credentials.signer;
        },
        admits: (client, identityKey) => this.#trust.admits(client, identityKey),
        crypto: this.#crypto,
        kernel,
        floors: sessionFloors(options.floors ?? {}),
        answers: options.answers ?? answersInMemory(),
        kept: options.kept ?? keptInMemory(),
        blobs: options.blobs ?? new BlobCache(),
        queue: options.queue ?? new WorkQueue(),
        clock: this.#retries,
        jitter,
        random: options.random ?? platformRandom(),
        onEvent: this.#onEvent,
        // Best effort, both: a coordinator that does not hear them finds out at the step's deadline.
        report: (report) => void this.#connection.emit("progress", report).catch((error) => this.#outlives(error)),
        decline: (decline) => void this.#connection.emit("decline", decline).catch((error) => this.#outlives(error)),
        withdraw: (run) => this.#offers.withdraw(run),
        onFailure: (error) => this.#fail(error),
      },
      onOver: () => this.#close({ kind: "finished" }),
    });
    this.#begin(options.failFast?.connectTimeoutMs);
  }

  get state(): ParticipantState {
    return this.#state;
  }

  get done(): Promise<void> {
    return this.#settled.promise;
  }

  pause(): void {
    this.#memberships.pause();
  }

  resume(): void {
    this.#memberships.resume();
    if (this.#everConnected && !this.#life.signal.aborted) void this.#refresh();
  }

  async leave({ forget = false }: { forget?: boolean } = {}): Promise<void> {
    if (!this.#life.signal.aborted) {
      this.#memberships.end("this device left", { forget });
      // Best effort: a coordinator that does not hear it notices by the closed connection.
      await this.#connection.emit("leave", {}, farewellMs).catch(() => undefined);
      this.#close({ kind: "left" });
    }
    return this.done;
  }

  #begin(connectTimeoutMs: number | undefined): void {
    const { signal } = this.#life;
    const poll = async () => {
      while (!signal.aborted) {
        await sleep(this.#clock, pollMs * (0.8 + 0.4 * this.#jitter.uniform()), signal).catch(() => undefined);
        if (this.#everConnected && !signal.aborted) await this.#refresh();
      }
    };
    this.#connection.keep(signal).catch((error) => this.#fail(error));
    poll().catch((error) => this.#fail(error));
    if (connectTimeoutMs === undefined) return;
    const cancel = this.#clock.setTimeout(() => {
      if (this.#everConnected) return;
      const why = this.#state.kind === "waiting" ? this.#state.reason : `${this.#outbox.coordinator} does not answer`;
      this.#fail(new ProtocolError("coordinator_unreachable", `${why} (gave up after ${connectTimeoutMs / 1000} s)`));
    }, connectTimeoutMs);
    signal.addEventListener("abort", cancel, { once: true });
  }

  #connected(client: ClientId): Promise<boolean> {
    const first = !this.#everConnected;
    this.#everConnected = true;
    this.#state = { kind: "connected", client };
    this.#onEvent({ type: "connected", client });
    if (first && !this.#trust.pinned) this.#onEvent({ type: "notice", text: honestButCurious });
    this.#trust.expire();
    this.#offers.lapse();
    this.#memberships.offerAgain();
    this.#retries.wake();
    return this.#refresh();
  }

  /** Learns where every run stands and offers this device. Resolves to whether that went well. */
  async #refresh(): Promise<boolean> {
    this.#refreshAgain = true;
    this.#refreshing ??= this.#refreshUntilQuiet();
    try {
      await this.#refreshing;
      return true;
    } catch (error) {
      if (this.#outlives(error)) this.#onEvent({ type: "ignored", what: "device state", detail: error.message });
      return false;
    }
  }

  async #refreshUntilQuiet(): Promise<void> {
    const { signal } = this.#life;
    const until = this.#clock.now() + pollMs;
    const onWait = (error: ProtocolError, retryInMs: number) =>
      this.#onEvent({ type: "waiting", reason: error.message, retryInMs });
    try {
      while (this.#refreshAgain) {
        this.#refreshAgain = false;
        await retrying(() => this.#refreshOnce(), { clock: this.#clock, jitter: this.#jitter, signal, until, onWait });
      }
    } finally {
      this.#refreshing = undefined;
    }
  }

  async #refreshOnce(): Promise<void> {
    const state = await this.#credentials.use(({ client, token }) => {
      const path = `${routes.state()}?client=${client}`;
      return this.#outbox.json({ method: "GET", path, token, signal: this.#life.signal }, DeviceState, "device state");
    });
    await this.#trust.refresh({
      outbox: this.#outbox,
      credentials: this.#credentials,
      crypto: this.#crypto,
      signal: this.#life.signal,
    });
    await this.#memberships.take(state);
    const runs = this.#memberships.toOffer();
    if (runs === undefined || !this.#connection.connected) return;
    const offered = await this.#offers.make(runs);
    this.#memberships.offered();
    await this.#memberships.take(offered);
  }

  #receive(event: string, payload: unknown): void {
    const { ask, dismiss, run } = socketEvents.fromCoordinator;
    try {
      if (event === "ask") this.#memberships.ask(parse(ask, payload, { what: event }));
      else if (event === "dismiss") this.#memberships.dismiss(parse(dismiss, payload, { what: event }));
      else if (event === "run") {
        const news = parse(run, payload, { what: event });
        this.#memberships.hear(news);
        if (!isOver(news.phase) && !this.#memberships.knows(news.run)) void this.#refresh();
      } else this.#onEvent({ type: "ignored", what: event, detail: "this device knows no such message" });
    } catch (error) {
      if (this.#outlives(error)) this.#onEvent({ type: "ignored", what: event, detail: error.message });
    }
  }

  #identityChanged(change: "enrolled" | "forgotten", client: ClientId): void {
    if (change === "enrolled") this.#onEvent({ type: "enrolled", client });
    else {
      this.#memberships.startAnew();
      this.#connection.close();
    }
  }

  #wait(reason: string, retryInMs: number): void {
    this.#state = { kind: "waiting", reason };
    this.#onEvent({ type: "waiting", reason, retryInMs });
  }

  /** Whether the device goes on in spite of this failure; if not, it has ended when this returns. */
  #outlives(error: unknown): error is ProtocolError {
    const refusal = error instanceof ProtocolError ? error : undefined;
    const noIdentity = refusal instanceof NoIdentity && !isRetryable(refusal);
    if (refusal !== undefined && !noIdentity && !finalRefusals.has(refusal.code)) return true;
    if (!this.#life.signal.aborted) this.#fail(error);
    return false;
  }

  #fail(error: unknown): void {
    this.#close({ kind: "failed", error: error instanceof Error ? error : new Error(String(error)) });
  }

  #close(end: Extract<ParticipantState, { kind: "finished" | "left" | "failed" }>): void {
    if (this.#life.signal.aborted) return;
    this.#state = end;
    this.#memberships.end(`this device ${end.kind === "left" ? "left" : "is done"}`, { forget: false });
    this.#connection.close();
    this.#life.abort(new Error("this device is done"));
    if (end.kind === "left") this.#onEvent({ type: "left" });
    if (end.kind === "failed") this.#onEvent({ type: "failed", error: end.error });
    // Done means written down, and forgotten, too.
    void Promise.all([this.#outbox.recorded(), this.#memberships.forgotten]).then(() => {
      if (end.kind === "failed") this.#settled.reject(end.error);
      else this.#settled.resolve();
    });
  }
}
