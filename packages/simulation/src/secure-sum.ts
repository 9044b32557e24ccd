import { type Contribution, type Random, seededRandom, type Total } from "@tributary/algorithm";
import type { ClientId, RunSpec } from "@tributary/protocol";
import type { Attempt } from "@tributary/round";
import {
  addTotals,
  type ClientSession,
  type CryptoBackend,
  encodeContribution,
  floorsFor,
  type MaskKernel,
  openClientSession,
  planSessions,
  ServerSession,
  type SessionPurpose,
  type Signer,
  seedSigner,
} from "@tributary/secure-agg";
import type { SimulatedSum } from "./sum.ts";

/** What secure simulations share from attempt to attempt. `crypto` makes a backend of a source of random bytes. */
export interface SecureSimulation {
  readonly spec: RunSpec;
  readonly kernel: MaskKernel;
  readonly crypto: (randomBytes: (length: number) => Uint8Array) => CryptoBackend;
}

interface Shard {
  readonly session: ServerSession;
  members: Set<ClientId>;
}

/**
 * The whole protocol between simulated devices and a simulated coordinator, message for message, in this process. Every
 * key, mask and coin comes from the spec's seed: for experiments only, nothing here is secret.
 */
export class SecureSum implements SimulatedSum {
  readonly attempt: Attempt;
  readonly #simulation: SecureSimulation;
  readonly #purpose: SessionPurpose;
  readonly #shards: Shard[];
  readonly #devices = new Map<ClientId, ClientSession>();

  constructor(simulation: SecureSimulation, attempt: Attempt, purpose: SessionPurpose) {
    const { spec, crypto } = simulation;
    this.attempt = attempt;
    this.#simulation = simulation;
    this.#purpose = purpose;
    const ports = {
      crypto: crypto(bytesFrom(this.#random("coordinator"))),
      identityKey: async (client: string) => this.#signer(client as ClientId).publicKey,
    };
    const order = this.#random("shards").permutation(attempt.cohort.length);
    const dealt = Array.from(order, (index) => attempt.cohort[index]!);
    this.#shards = planSessions(spec, attempt.cohort.length, purpose).map((plan) => ({
      session: ServerSession.open(plan, floorsFor(plan.rule), ports),
      members: new Set(dealt.splice(0, plan.clients)),
    }));
  }

  async openStep(step: number): Promise<readonly ClientId[]> {
    for (const shard of this.#shards) {
      if (shard.session.step < step) shard.members = new Set(shard.session.advance() as ClientId[]);
    }
    return this.#shards.flatMap(({ members }) => [...members]);
  }

  async answer(step: number, client: ClientId, contribute: () => Promise<Contribution>): Promise<number> {
    const { session } = this.#shards.find(({ members }) => members.has(client))!;
    const question = session.question(client);
    const answer =
      step === 0 ? await this.#join(client, question, contribute) : await this.#devices.get(client)!.answer(question);
    await session.receive(client, answer);
    return answer.length;
  }

  isEnough(): boolean {
    return this.#shards.every(({ session }) => session.step === 4 && session.isOpenable());
  }

  async total(): Promise<Total> {
    const totals: Total[] = [];
    for (const { session } of this.#shards) totals.push((await session.open(this.#simulation.kernel)).total);
    const means = new Set(
      this.#purpose.lanes.filter(({ encoding }) => encoding.kind === "update").map(({ name }) => name),
    );
    return addTotals(totals, (lane) => means.has(lane));
  }

  async #join(client: ClientId, question: Uint8Array, contribute: () => Promise<Contribution>): Promise<Uint8Array> {
    const { kernel, crypto, spec } = this.#simulation;
    const randomBytes = bytesFrom(this.#random(`secrets/${client}`));
    const ports = { crypto: crypto(randomBytes), kernel, floors: floorsFor(spec.secure.rule), admits: () => true };
    const self = {
      client,
      signer: this.#signer(client),
      revealed: new Set<string>(),
      modelHash: this.#purpose.modelHash,
    };
    const device = await openClientSession(ports, self, {
      question,
      hooks: {
        words: async (parameters) =>
          encodeContribution(parameters, await contribute(), { kernel, seed: randomBytes(32) }),
        persist: async () => {},
      },
    });
    this.#devices.set(client, device);
    return device.advertisement;
  }

  #signer(client: ClientId): Signer {
    return seedSigner(bytesFrom(seededRandom(this.#simulation.spec.seed, `identity/${client}`))(32));
  }

  #random(what: string): Random {
    const { kind, round, attempt } = this.attempt;
    return seededRandom(this.#simulation.spec.seed, `secure/${kind}/${round}/${attempt}/${what}`);
  }
}

function bytesFrom(random: Random): (length: number) => Uint8Array {
  return (length) => Uint8Array.from({ length }, () => random.uint32() >>> 24);
}
