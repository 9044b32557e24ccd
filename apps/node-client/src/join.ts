import * as crypto from "node:crypto";
import type { ClientHalf, Dataset } from "@tributary/algorithm";
import { clientHalfNamed } from "@tributary/catalog";
import {
  type AnswerStore,
  answersInMemory,
  BlobCache,
  type DeviceFloors,
  type IdentityStore,
  identityInMemory,
  type Participant,
  type ParticipantEvent,
  participate,
  WorkQueue,
} from "@tributary/participant";
import type { DataSpec, RunId } from "@tributary/protocol";
import { loadKernel, nodeCrypto } from "@tributary/secure-agg";
import { checkFits, chooseEngine } from "@tributary/training";
import { coordinatorAddress } from "./address.ts";
import { AnswersOnDisk } from "./answers-file.ts";
import { keysFromSecret } from "./device-keys.ts";
import { IdentitiesOnDisk } from "./identity-file.ts";
import { type LedgerFile, openLedgerFile } from "./ledger-file.ts";
import { reach } from "./reach.ts";
import type { Transport } from "./tls.ts";
import { bestTrainers, sharedTrainers, type TrainerFactory } from "./trainers.ts";

/** One device of this process: its name, its examples and what they look like. */
export interface HostedDevice {
  readonly name: string;
  readonly dataset: Dataset;
  readonly data: DataSpec;
}

export interface JoinOptions {
  /** The coordinator's base URL. Plain http to another machine needs `insecure`. */
  readonly coordinator: string;
  /** SHA-256 of the coordinator's certificate, as it prints it: nothing else is trusted then. */
  readonly fingerprint?: string;
  readonly insecure?: boolean;
  readonly joinToken?: string;
  /** Put before each device's own name. */
  readonly name?: string;
  readonly tags?: readonly string[];
  /** This run alone, and done when it is over; otherwise every open run that fits, until told to leave. */
  readonly run?: RunId;
  readonly devices: readonly HostedDevice[];
  /** An engine of `@tributary/training`; default: the best one that runs here. */
  readonly engine?: string;
  /**
   * A JSON file that keeps each device's key and remembers who it is; default: a new identity each time. Beside it, in
   * `…-answers`, the devices remember for which models they revealed shares.
   */
  readonly identityFile?: string;
  /** What these devices insist on, whatever a coordinator proposes. */
  readonly floors?: DeviceFloors;
  /** 32 bytes in base64 that every device's key is derived from, in place of a key in the identity file. A secret. */
  readonly deviceKey?: string;
  /** The coordinator's Ed25519 key in base64; default: the one it proves at first. */
  readonly coordinatorKey?: string;
  /** The operator's Ed25519 key in base64: only devices on a roster that it signed are trusted then. */
  readonly operatorKey?: string;
  /** A file (JSON lines) in which everything that leaves this process is written down. */
  readonly ledgerFile?: string;
  /** Give up when the coordinator does not answer within `connectTimeoutMs` at first. */
  readonly failFast?: boolean;
  /** Default: 10 s. */
  readonly connectTimeoutMs?: number;
  readonly onEvent?: (event: ParticipantEvent, device: string) => void;
  /** Leaves when it comes. */
  readonly signal?: AbortSignal;
  /** In place of the engines of `@tributary/training`; `engine` is then only what the operator sees. */
  readonly trainerFactory?: TrainerFactory;
  /** In place of the catalog's algorithms. */
  readonly clientHalf?: (name: string) => ClientHalf;
}

/** Devices that have joined, or are about to. */
export interface JoinHandle {
  /** Resolves when every device is done, rejects with the first failure, after which the others have left too. */
  readonly done: Promise<void>;
  /** Leaves with every device, within one batch of any training. */
  leave(): Promise<void>;
}

/** Lends this machine to a federation: one process, one engine, any number of devices. Never parses arguments. */
export function join(options: JoinOptions): JoinHandle {
  const leaving = new AbortController();
  const done = lend(options, leaving.signal);
  const leave = () => {
    leaving.abort(new Error("this device leaves"));
    return done;
  };
  options.signal?.addEventListener("abort", () => leaving.abort(options.signal?.reason), { once: true });
  if (options.signal?.aborted) leaving.abort(options.signal.reason);
  return { done, leave };
}

async function lend(options: JoinOptions, leaving: AbortSignal): Promise<void> {
  const { devices, connectTimeoutMs = 10_000, engine: force } = options;
  const coordinator = coordinatorAddress(options.coordinator, { insecure: options.insecure ?? false });
  const engine = options.trainerFactory ? (force ?? "custom") : (await chooseEngine({ force })).engine;
  const limit = options.failFast ? { connectTimeoutMs } : {};
  const onWait = (reason: string, retryInMs: number) => {
    for (const { name } of devices) options.onEvent?.({ type: "waiting", reason, retryInMs }, name);
  };
  const transport = await reach(coordinator, options.fingerprint, { ...limit, signal: leaving, onWait });
  if (transport === undefined) return;
  const ledger = options.ledgerFile === undefined ? undefined : openLedgerFile(options.ledgerFile);
  try {
    await together(participants(options, { coordinator, transport, engine, ledger }), leaving);
  } finally {
    await transport.close();
    ledger?.close();
  }
}

function participants(
  options: JoinOptions,
  {
    coordinator,
    transport,
    engine,
    ledger,
  }: {
    coordinator: string;
    transport: Transport;
    engine: string;
    ledger: LedgerFile | undefined;
  },
): Participant[] {
  const { name, tags = [], joinToken, run, failFast, connectTimeoutMs = 10_000, identityFile, onEvent } = options;
  const trainerFor = sharedTrainers(options.trainerFactory ?? bestTrainers(options.engine));
  const [blobs, queue] = [new BlobCache(), new WorkQueue()];
  const { deviceKey, coordinatorKey, operatorKey } = options;
  const derived = deviceKey === undefined ? undefined : keysFromSecret(deviceKey);
  const identities = identityFile === undefined ? undefined : new IdentitiesOnDisk(identityFile);
  const answered = identityFile === undefined ? undefined : new AnswersOnDisk(`${identityFile}-answers`);
  const secure = { crypto: nodeCrypto(crypto), kernel: loadKernel(), floors: options.floors ?? {} };
  return options.devices.map((device) => {
    const answers: AnswerStore = answered?.storeFor(coordinator, device.name) ?? answersInMemory();
    const keys = derived ?? identities?.keysFor(coordinator, device.name);
    const identity: IdentityStore = identities?.storeFor(coordinator, device.name) ?? identityInMemory();
    return participate({
      coordinator,
      name: name === undefined ? device.name : `${name} ${device.name}`,
      engine,
      tags,
      ...(joinToken === undefined ? {} : { joinToken }),
      ...(run === undefined ? {} : { run }),
      fetch: transport.fetch,
      socket: transport.socket,
      identity,
      answers,
      ...secure,
      ...(keys === undefined ? {} : { keys }),
      ...(coordinatorKey === undefined ? {} : { coordinatorKey }),
      ...(operatorKey === undefined ? {} : { operatorKey }),
      ...(ledger === undefined ? {} : { ledger: ledger.for(device.name) }),
      blobs,
      queue,
      clientHalf: options.clientHalf ?? clientHalfNamed,
      datasetFor({ data }) {
        checkFits(device.data, data);
        return device.dataset;
      },
      trainerFor,
      onEvent: (event) => onEvent?.(event, device.name),
      ...(failFast ? { failFast: { connectTimeoutMs } } : {}),
    });
  });
}

/** Until all are done. When one fails, or the signal comes, the others leave. */
async function together(joined: readonly Participant[], leaving: AbortSignal): Promise<void> {
  const leaveAll = () => Promise.allSettled(joined.map((participant) => participant.leave()));
  const onLeaving = () => void leaveAll();
  leaving.addEventListener("abort", onLeaving, { once: true });
  if (leaving.aborted) onLeaving();
  try {
    await Promise.all(joined.map(({ done }) => done));
  } finally {
    leaving.removeEventListener("abort", onLeaving);
    await leaveAll();
  }
}
