import * as node from "node:crypto";
import {
  type ClientPorts,
  type ClientSession,
  type CryptoBackend,
  closeAdvertising,
  closeConfirming,
  closeMasking,
  closeSharing,
  defaultFloors,
  defaultMinimumSurvivors,
  type Enrolled,
  encodeContribution,
  keystreamWords,
  loadKernel,
  type MaskKernel,
  maskQuestionFor,
  nodeCrypto,
  openClientSession,
  openSession,
  type PlainContribution,
  planGraph,
  receiveAdvertisement,
  receiveConfirmation,
  receiveMasked,
  receiveReveal,
  receiveShares,
  type SecureLane,
  type SecureResult,
  type SessionParameters,
  type Signer,
  seedSigner,
  unmaskQuestionFor,
  unmaskSum,
  wordBitsNeeded,
} from "@tributary/secure-agg";

export const kernel: MaskKernel = await loadKernel();

/** Random bytes that a seed decides: the ChaCha20 stream of its hash. For tests only. */
export function seededBytes(seed: string): (length: number) => Uint8Array {
  const key = new Uint8Array(node.createHash("sha256").update(seed).digest());
  let from = 0;
  return (length) => {
    const words = keystreamWords(kernel, key, { from, length: Math.max(1, Math.ceil(length / 4)) });
    from += Math.ceil(words.length / 64) * 64;
    return new Uint8Array(words.slice().buffer).slice(0, length);
  };
}

/** OpenSSL, its randomness from a seed. */
export function seededCrypto(seed: string): CryptoBackend {
  return nodeCrypto(node, { randomBytes: seededBytes(seed) });
}

export function nameOf(client: number): string {
  return `client-${String(client).padStart(6, "0")}`;
}

export const modelHash = "ab".repeat(32);

/** Valid parameters for a cohort; a test overrides what it is about. */
export function parametersFor(
  clients: number,
  lanes: readonly SecureLane[],
  change: Partial<SessionParameters> = {},
): SessionParameters {
  const weightLevels = change.weightLevels ?? 16;
  const graph = planGraph(clients);
  if (graph === undefined) throw new Error(`no graph for ${clients} clients`);
  return {
    version: 1,
    run: "run-00000001",
    round: 3,
    attempt: 1,
    kind: "train",
    modelVersion: 3,
    modelHash,
    taskHash: "ee".repeat(32),
    shard: { index: 0, count: 1 },
    clients,
    graph: graph.shape,
    threshold: graph.threshold,
    rule: "strict",
    minimumSurvivors: defaultMinimumSurvivors(clients),
    lanes,
    wordBits: Math.min(32, wordBitsNeeded({ clients, weightLevels, lanes })),
    weightLevels,
    weightCap: 100,
    prg: "chacha20",
    deadlines: { trainMs: 60_000, stepMs: 10_000 },
    ...change,
  };
}

const signers = new Map<number, Signer>();

/** The device key of a client of the tests: always the same one, so that signing keys are made once. */
export function signerOf(client: number): Signer {
  let signer = signers.get(client);
  if (signer === undefined) {
    const seed = new Uint8Array(node.createHash("sha256").update(nameOf(client)).digest());
    const slow = seedSigner(seed);
    // tweetnacl makes the key; OpenSSL signs with it, 100 times as fast and byte for byte the same.
    const pkcs8 = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]);
    const key = node.createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" });
    signer = { publicKey: slow.publicKey, sign: (message) => new Uint8Array(node.sign(null, message, key)) };
    signers.set(client, signer);
  }
  return signer;
}

export function enrolled(client: number): Enrolled {
  return { client: nameOf(client), signer: signerOf(client), revealed: new Set(), modelHash };
}

export function portsOf(crypto: CryptoBackend, change: Partial<ClientPorts> = {}): ClientPorts {
  return { crypto, kernel, floors: defaultFloors, admits: () => true, ...change };
}

/** The five answers of a client, in the order in which they are asked. */
export const phases = ["advertise", "share", "mask", "confirm", "unmask"] as const;
export type Phase = (typeof phases)[number];

export interface FederationPlan {
  readonly parameters: SessionParameters;
  readonly contribution: (client: number) => PlainContribution;
  readonly seed: string;
  /** Clients that go silent before they answer this phase, for good. */
  readonly drops?: Partial<Record<Phase, ReadonlySet<number>>>;
  /** What a client sends, on its way to the coordinator: a malicious client, or a faulty wire. */
  readonly onAnswer?: (phase: Phase, client: number, answer: Uint8Array) => Uint8Array;
  /** What the coordinator asks, on its way to a client. */
  readonly onQuestion?: (phase: Phase, client: number, question: Uint8Array) => Uint8Array;
}

export interface FederationRun {
  readonly result: SecureResult;
  /** Clients whose vector is in the sum. */
  readonly survivors: readonly number[];
  /** Each client's words before they were masked. */
  readonly plain: ReadonlyMap<number, Uint32Array>;
  /** Each client's masked message. */
  readonly uploads: ReadonlyMap<number, Uint8Array>;
  /** What each client refused with, in place of an answer. */
  readonly refusals: ReadonlyMap<number, unknown>;
  readonly bytesUp: number;
  readonly bytesDown: number;
}

/** One whole session in this process: an honest coordinator, and clients that leave or misbehave as planned. */
export async function runFederation(plan: FederationPlan): Promise<FederationRun> {
  const { parameters } = plan;
  const clients = Array.from({ length: parameters.clients }, (_, client) => client);
  const crypto = seededCrypto(`${plan.seed}/coordinator`);
  const sessions = new Map<number, ClientSession>();
  const plain = new Map<number, Uint32Array>();
  const uploads = new Map<number, Uint8Array>();
  const refusals = new Map<number, unknown>();
  const gone = new Set<number>();
  let bytesUp = 0;
  let bytesDown = 0;

  async function ask(phase: Phase, client: number, question: Uint8Array): Promise<Uint8Array | undefined> {
    if (plan.drops?.[phase]?.has(client)) gone.add(client);
    if (gone.has(client)) return undefined;
    const asked = plan.onQuestion?.(phase, client, question) ?? question;
    bytesDown += asked.length;
    try {
      const answer = phase === "advertise" ? await open(client, asked) : await sessions.get(client)!.answer(asked);
      const sent = plan.onAnswer?.(phase, client, answer.slice()) ?? answer;
      if (phase === "mask") uploads.set(client, sent);
      bytesUp += sent.length;
      return sent;
    } catch (refusal) {
      refusals.set(client, refusal);
      gone.add(client);
      sessions.get(client)?.drop();
      return undefined;
    }
  }

  async function open(client: number, question: Uint8Array): Promise<Uint8Array> {
    const randomness = seededCrypto(`${plan.seed}/${client}`);
    const session = await openClientSession(portsOf(randomness), enrolled(client), {
      question,
      hooks: {
        async words(own) {
          const seed = randomness.randomBytes(32);
          const words = encodeContribution(own, plan.contribution(client), { kernel, seed });
          plain.set(client, words.slice());
          return words;
        },
        async persist() {},
      },
    });
    sessions.set(client, session);
    return session.advertisement;
  }

  /** A refused answer is the client's own loss: the coordinator goes on without it. */
  async function deliver(client: number, receive: () => unknown): Promise<void> {
    try {
      await receive();
    } catch (refusal) {
      refusals.set(client, refusal);
      gone.add(client);
    }
  }

  const advertising = openSession(parameters);
  for (const client of clients) {
    const answer = await ask("advertise", client, advertising.question);
    const from = { client: nameOf(client), identityKey: signerOf(client).publicKey, crypto };
    if (answer) await deliver(client, () => receiveAdvertisement(advertising, from, answer));
  }
  const sharing = closeAdvertising(advertising);
  const clientOf = sharing.roster.members.map(({ client }) => Number(client.slice("client-".length)));
  for (const [member, client] of clientOf.entries()) {
    const answer = await ask("share", client, sharing.question);
    if (answer) await deliver(client, () => receiveShares(sharing, member, answer));
  }
  const masking = closeSharing(sharing);
  for (const member of masking.sharers) {
    const client = clientOf[member]!;
    const answer = await ask("mask", client, maskQuestionFor(masking, member));
    if (answer) await deliver(client, () => receiveMasked(masking, { member, crypto }, answer));
  }
  const confirming = closeMasking(masking);
  for (const member of confirming.survivors) {
    const client = clientOf[member]!;
    const answer = await ask("confirm", client, confirming.question);
    if (answer) await deliver(client, () => receiveConfirmation(confirming, member, answer));
  }
  const unmasking = closeConfirming(confirming);
  for (const member of unmasking.survivors) {
    const client = clientOf[member]!;
    const answer = await ask("unmask", client, unmaskQuestionFor(unmasking, member));
    if (answer) await deliver(client, () => receiveReveal(unmasking, member, answer));
  }
  const result = await unmaskSum(unmasking, { crypto, kernel });
  if (result === undefined) throw new TooFewAnswers();
  const survivors = [...unmasking.survivors].map((member) => clientOf[member]!);
  return { result, survivors, plain, uploads, refusals, bytesUp, bytesDown };
}

/** The coordinator would go on waiting for shares: after the first unmask request there is no other attempt. */
export class TooFewAnswers extends Error {}

/** The plain integer sum of the survivors' words, modulo 2^wordBits. */
export function plainSum(run: FederationRun, wordBits: number): Uint32Array {
  const sum = new Uint32Array(run.result.words.length);
  for (const client of run.survivors) {
    const words = run.plain.get(client)!;
    for (let i = 0; i < sum.length; i++) sum[i]! += words[i]!;
  }
  const mask = wordBits === 32 ? 0xffff_ffff : 2 ** wordBits - 1;
  return sum.map((word) => word & mask);
}
