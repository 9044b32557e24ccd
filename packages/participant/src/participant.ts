import type { Random } from "@tributary/algorithm";
import type { Capabilities, ClientId, RunId } from "@tributary/protocol";
import type { CryptoBackend, MaskKernel } from "@tributary/secure-agg";
import type { Abilities } from "./admission.ts";
import type { BlobCache } from "./blob-cache.ts";
import type { Clock } from "./clock.ts";
import { Device } from "./device.ts";
import type { DeviceKeys } from "./device-key.ts";
import type { OnEvent } from "./events.ts";
import type { IdentityStore } from "./identity.ts";
import type { KeptStore } from "./kept.ts";
import type { Ledger } from "./ledger.ts";
import type { Fetch, SocketTransport } from "./outbox.ts";
import type { AnswerStore } from "./secure-answers.ts";
import type { WorkQueue } from "./work-queue.ts";

export interface ParticipantOptions extends Abilities {
  /** The coordinator's base URL. */
  readonly coordinator: string;
  /** What the operator sees this device as. */
  readonly name: string;
  /** What does the arithmetic: `wasm`, `cpu`, … */
  readonly engine: string;
  readonly tags?: readonly string[];
  /** What the operator is told that this device can do. */
  readonly capabilities?: Capabilities;
  readonly joinToken?: string;
  /** Take part in this run alone, and be done when it is over; otherwise in every open run that fits, until told to leave. */
  readonly run?: RunId;
  readonly fetch: Fetch;
  readonly socket?: SocketTransport;
  /** Where everything that this device sends is written down. */
  readonly ledger?: Ledger;
  readonly clock?: Clock;
  /** Spreads retries and polls in time. Default: the platform's generator. */
  readonly jitter?: Random;
  /** What training draws from. Default: the platform's generator. */
  readonly random?: Random;
  /** Default: an identity for as long as the process lives. */
  readonly identity?: IdentityStore;
  /** Where this device's Ed25519 key lives. Default: a new one for as long as the process lives. */
  readonly keys?: DeviceKeys;
  /** The coordinator's Ed25519 key in base64. Default: the one it proves at first, as `identity` remembers it. */
  readonly coordinatorKey?: string;
  /** The operator's Ed25519 key in base64: only devices on a roster that it signed are trusted then. */
  readonly operatorKey?: string;
  /** Default: tweetnacl and @noble/hashes, which run anywhere. */
  readonly crypto?: CryptoBackend;
  /** What expands masks; shared by the devices of one process. Default: the fastest that runs here. */
  readonly kernel?: Promise<MaskKernel>;
  /** Where this device keeps what it revealed; must live as long as its identity. Default: as long as the process. */
  readonly answers?: AnswerStore;
  /** Where this device keeps what algorithms need from round to round. Default: as long as the process. */
  readonly kept?: KeptStore;
  /** Shared by the devices of one process. */
  readonly blobs?: BlobCache;
  /** Shared by the devices of one engine. */
  readonly queue?: WorkQueue;
  readonly onEvent?: OnEvent;
  /** Give up when the first connection takes longer; without it, and after the first connection, a device retries forever. */
  readonly failFast?: { readonly connectTimeoutMs: number };
}

/** Where a device stands. */
export type ParticipantState =
  | { readonly kind: "connecting" }
  | { readonly kind: "connected"; readonly client: ClientId }
  | { readonly kind: "waiting"; readonly reason: string }
  | { readonly kind: "finished" }
  | { readonly kind: "left" }
  | { readonly kind: "failed"; readonly error: Error };

/** One device's part in a federation, from joining to leaving. */
export interface Participant {
  readonly state: ParticipantState;
  /**
   * Resolves when the one run is over or the device has left. Rejects with the refusal that leaves nothing to do
   * (`upgrade_required`, an enrolment refused, the one run not open or declined) or with a mistake of ours.
   */
  readonly done: Promise<void>;
  /**
   * Works on nothing until `resume`, and has rounds go on as if it were not there: what it is at work on it declines, and
   * withdraws its offers. A secure sum that has this device's part already it helps to open, which is no work, and withdraws after that.
   */
  pause(): void;
  /** Offers this device again. */
  resume(): void;
  /**
   * Stops training at its next batch, tells the coordinator, closes the connection. Resolves with `done`. `forget`: for good,
   * so that nothing that an algorithm worked out from the data is kept here; without it a later part goes on from there.
   */
  leave(options?: { readonly forget?: boolean }): Promise<void>;
}

/** Joins a federation: connects, offers this device to the open runs that fit it, and answers what they ask. */
export function participate(options: ParticipantOptions): Participant {
  return new Device(options);
}
