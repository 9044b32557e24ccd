import * as crypto from "node:crypto";
import { clientHalfNamed } from "@tributary/catalog";
import {
  type AnswerStore,
  answersInMemory,
  BlobCache,
  type IdentityStore,
  identityInMemory,
  type KeptStore,
  keptInMemory,
  keysInMemory,
  type Participant,
  participate,
  WorkQueue,
} from "@tributary/participant";
import { ProtocolError } from "@tributary/protocol";
import { loadKernel, nodeCrypto } from "@tributary/secure-agg";
import { fitData } from "@tributary/training";
import { AnswersOnDisk } from "./answers-file.ts";
import { capabilitiesHere } from "./capabilities.ts";
import { keysFromSecret } from "./device-keys.ts";
import { IdentitiesOnDisk } from "./identity-file.ts";
import type { JoinOptions } from "./join.ts";
import { KeptOnDisk } from "./kept-files.ts";
import type { LedgerFile } from "./ledger-file.ts";
import type { Transport } from "./tls.ts";
import type { Trainers } from "./trainers.ts";

/** What makes the participants of all devices, again for each session: who they are lasts as long as the process. */
export function hosting(
  options: JoinOptions,
  {
    coordinator,
    transport,
    trainers,
    ledger,
  }: {
    coordinator: string;
    transport: Transport;
    trainers: Trainers;
    ledger: LedgerFile | undefined;
  },
): () => Participant[] {
  const { name, tags = [], joinToken, run, connectTimeoutMs = 10_000, identityFile, onEvent, threads } = options;
  const [blobs, queue] = [new BlobCache(), new WorkQueue(threads)];
  const { deviceKey, coordinatorKey, operatorKey } = options;
  const derived = deviceKey === undefined ? undefined : keysFromSecret(deviceKey);
  if (derived !== undefined && identityFile === undefined) {
    // A device that comes back under its key, and does not know for which models it revealed shares, could be made to
    // reveal twice for one: the difference of two sums is then its update.
    const found = "TRIBUTARY_DEVICE_KEY outlives this process, and what its devices revealed must, too";
    throw new ProtocolError("bad_data", `${found}: name a file for that with --identity`);
  }
  const identities = identityFile === undefined ? undefined : new IdentitiesOnDisk(identityFile);
  const answered = identityFile === undefined ? undefined : new AnswersOnDisk(`${identityFile}-answers`);
  const remembered = identityFile === undefined ? undefined : new KeptOnDisk(`${identityFile}-kept`);
  const secure = { crypto: nodeCrypto(crypto), kernel: loadKernel(), floors: options.floors ?? {} };
  const capabilities = capabilitiesHere(trainers.adapter);
  let { failFast = false } = options;
  const making = options.devices.map((device) => {
    const answers: AnswerStore = answered?.storeFor(coordinator, device.name) ?? answersInMemory();
    const kept: KeptStore = remembered?.storeFor(coordinator, device.name) ?? keptInMemory();
    const keys = derived ?? identities?.keysFor(coordinator, device.name) ?? keysInMemory();
    const identity: IdentityStore = identities?.storeFor(coordinator, device.name) ?? identityInMemory();
    return () =>
      participate({
        coordinator,
        name: name === undefined ? device.name : `${name} ${device.name}`,
        engine: trainers.engine,
        capabilities,
        tags,
        ...(joinToken === undefined ? {} : { joinToken }),
        ...(run === undefined ? {} : { run }),
        fetch: transport.exchange,
        socket: transport.socket,
        identity,
        answers,
        kept,
        ...secure,
        keys,
        ...(coordinatorKey === undefined ? {} : { coordinatorKey }),
        ...(operatorKey === undefined ? {} : { operatorKey }),
        ...(ledger === undefined ? {} : { ledger: ledger.for(device.name) }),
        ...(options.epochsAtMost === undefined ? {} : { epochsAtMost: options.epochsAtMost }),
        blobs,
        queue,
        clientHalf: options.clientHalf ?? clientHalfNamed,
        datasetFor({ data }) {
          return fitData(device, data);
        },
        trainerFor: trainers.trainerFor,
        onEvent: (event) => onEvent?.(event, device.name),
        ...(failFast ? { failFast: { connectTimeoutMs } } : {}),
      });
  });
  return () => {
    const participants = making.map((make) => make());
    // A coordinator that was there once is waited for.
    failFast = false;
    return participants;
  };
}

/** Until all are done. When one fails, or the signal comes, the others leave. */
export async function together(joined: readonly Participant[], leaving: AbortSignal): Promise<void> {
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
