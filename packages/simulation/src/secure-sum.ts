import { type Contribution, type Random, seededRandom, type Total } from "@tributary/algorithm";
import type { ClientId, RunSpec } from "@tributary/protocol";
import type { Attempt } from "@tributary/round";
import {
  addTotals,
  type ClientSession,
  type CryptoBackend,
  decodeSum,
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
  /** Hears of each sum what was opened, and what the devices' own encoded contributions add up to. */
  readonly onSum?: ((sum: { readonly opened: Total; readonly added: Total }) => void) | undefined;
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
  /** What each device encoded, where somebody wants to compare. */
  readonly #encoded = new Map<ClientId, Uint32Array>();

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
    const { kernel, onSum } = this.#simulation;
    const totals: Total[] = [];
    for (const { session } of this.#shards) totals.push((await session.open(kernel)).total);
    const means = new Set(
      this.#purpose.lanes.filter(({ encoding }) => encoding.kind === "update").map(({ name }) => name),
    );
    const opened = addTotals(totals, (lane) => means.has(lane));
    onSum?.({
      opened,
      added: addTotals(
        this.#shards.map((shard) => this.#added(shard)),
        (lane) => means.has(lane),
      ),
    });
    return opened;
  }

  /** What the members' encoded contributions come to, added without masks. */
  #added({ session, members }: Shard): Total {
    const encoded = [...members].map((client) => this.#encoded.get(client)!);
    const sum = encoded[0]!.map((_, i) => encoded.reduce((total, words) => (total + words[i]!) >>> 0, 0));
    return decodeSum(session.parameters, sum, encoded.length);
  }

  async #join(client: ClientId, question: Uint8Array, contribute: () => Promise<Contribution>): Promise<Uint8Array> {
    const { kernel, crypto, spec, onSum } = this.#simulation;
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
        words: async (parameters) => {
          const words = encodeContribution(parameters, await contribute(), { kernel, seed: randomBytes(32) });
          if (onSum !== undefined) this.#encoded.set(client, words.slice());
          return words;
        },
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
