import * as node from "node:crypto";
import { type ClientHalf, type Contribution, seededRandom } from "@tributary/algorithm";
import type { ParticipantOptions } from "@tributary/participant";
import { type AttemptKind, type ClientId, routes, type StepQuestion } from "@tributary/protocol";
import {
  nodeCrypto,
  type SecureLane,
  type SecureResult,
  ServerSession,
  type SessionParameters,
  seedSigner,
  taskHashOf,
} from "@tributary/secure-agg";
import type { ScriptedCoordinator } from "./participant-coordinator.ts";
import { deviceOf, planOf, questionOf, type TestDevice, theRun } from "./participant-device.ts";
import { averaging, clusters, softmaxTrainer } from "./participant-softmax.ts";
import { kernel, parametersFor } from "./secure-agg-federation.ts";

/** Sums of these are exact: what the coordinator learns can be compared bit for bit. */
export const exactLanes: readonly SecureLane[] = [
  { name: "model", length: 6, encoding: { kind: "exact", scaleBits: 30 } },
];

/** A device, and the key that the coordinator knows it by. */
export interface Member {
  readonly device: TestDevice;
  readonly client: ClientId;
  readonly identityKey: Uint8Array;
  /** Its place among the devices: the seed of its training. */
  readonly index: number;
}

/** The options of the test's device number `index`: its own randomness, and always the same key. */
export function secureOptions(index: number): Partial<ParticipantOptions> & { identityKey: Uint8Array } {
  const signer = seedSigner(new Uint8Array(node.createHash("sha256").update(`device ${index}`).digest()));
  return {
    name: `device ${index}`,
    random: seededRandom(index, "device"),
    keys: { signerFor: async () => signer },
    crypto: nodeCrypto(node),
    kernel: Promise.resolve(kernel),
    identityKey: signer.publicKey,
  };
}

/** Joins device number `index`; `different` replaces any of its options. */
export async function joinSecurely(
  coordinator: ScriptedCoordinator,
  index: number,
  different: Partial<ParticipantOptions> = {},
): Promise<Member> {
  const { identityKey, ...options } = secureOptions(index);
  const device = deviceOf(coordinator, { ...options, ...different });
  return { device, client: await device.offered(), identityKey, index };
}

/** What device number `index` works out from `model`, alone. */
export async function contributionOf(index: number, model: Float32Array, epochs = 2): Promise<Contribution> {
  const data = clusters(16);
  const { contribution } = await averaging.work({
    question: { settings: { epochs, learningRate: 0.5 }, vectors: { model } },
    data,
    trainer: softmaxTrainer(data),
    kept: undefined,
    lost: false,
    random: seededRandom(index, "device"),
    signal: new AbortController().signal,
  });
  return contribution;
}

/** `averaging`, held up until `release` is called. */
export function heldUp(): { half: ClientHalf; release: () => void } {
  let release!: () => void;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const half: ClientHalf = {
    async work(input) {
      await released;
      return averaging.work(input);
    },
    evaluate: (input) => averaging.evaluate(input),
  };
  return { half, release };
}

export interface AttemptOptions {
  readonly coordinator: ScriptedCoordinator;
  readonly members: readonly Pick<Member, "client" | "identityKey">[];
  readonly model: Float32Array;
  readonly round?: number;
  readonly attempt?: number;
  readonly kind?: AttemptKind;
  readonly modelVersion?: number;
  readonly epochs?: number;
  readonly learningRate?: number;
  readonly lanes?: readonly SecureLane[];
  /** What the session's parameters say instead, honest or not. */
  readonly parameters?: Partial<SessionParameters>;
  /** What the opening question says instead. */
  readonly question?: Partial<StepQuestion>;
}

/** A secure attempt as a coordinator runs it, one step at a time, over the real wire. */
export class SecureScript {
  readonly session: ServerSession;
  readonly #coordinator: ScriptedCoordinator;
  readonly #opening: StepQuestion;
  readonly #clients: readonly ClientId[];
  #asked: readonly ClientId[];

  constructor(options: AttemptOptions) {
    const { coordinator, members, model, lanes = exactLanes, learningRate } = options;
    const { round = 1, attempt = 1, kind = "train", modelVersion = 0, epochs = 2 } = options;
    const reference = coordinator.publish(model);
    const address = { run: theRun, round, attempt, kind, modelVersion };
    const answer = { element: "f32" as const, length: lanes.reduce((sum, { length }) => sum + length, 0) };
    const work = learningRate === undefined ? { epochs } : { epochs, learningRate };
    const asked = questionOf(reference, { ...address, ...work, answer });
    const taskHash = taskHashOf({ ...planOf(theRun), ...asked });
    const agreed = { ...address, modelHash: reference.sha256, taskHash, ...options.parameters };
    const parameters = parametersFor(members.length, lanes, agreed);
    const keys = new Map<string, Uint8Array>(members.map(({ client, identityKey }) => [client, identityKey]));
    const floors = { minimumSurvivors: 3, rule: parameters.rule, corrupt: 0.05 };
    this.session = ServerSession.open(parameters, floors, {
      crypto: nodeCrypto(node),
      identityKey: async (client) => keys.get(client)!,
    });
    this.#coordinator = coordinator;
    this.#clients = members.map(({ client }) => client);
    this.#asked = this.#clients;
    this.#opening = { ...asked, ...options.question };
  }

  /** The question of the step at hand to one client, as it goes over the wire. */
  question(client: ClientId): StepQuestion {
    const { step } = this.session;
    const message = Buffer.from(this.session.question(client)).toString("base64");
    if (step === 0) return { message, ...this.#opening };
    return { ...this.#opening, step, message, settings: {}, vectors: {} };
  }

  /** Tells a client of its question, without waiting for an answer. */
  tell(client: ClientId): void {
    this.#coordinator.ask(client, this.question(client));
  }

  /** Asks the step at hand of `clients`, by default of all that are still in the attempt; gives their answers. */
  async ask(clients: readonly ClientId[] = this.#asked): Promise<Map<ClientId, Uint8Array>> {
    const from = this.#coordinator.answers.entries.length;
    for (const client of clients) this.tell(client);
    const answers = await Promise.all(clients.map((client) => this.answerOf(client, from)));
    return new Map(answers.map(({ client, bytes }) => [client, bytes]));
  }

  /** The answer of a client to the step at hand, now or later, from that entry of the log on. */
  answerOf(client: ClientId, from = 0) {
    const path = routes.answer(this.question(client), client);
    return this.#coordinator.answers.next((answer) => answer.path === path, from);
  }

  /** Asks one step of `clients` and closes it over their answers; gives who is in the next. */
  async collect(clients?: readonly ClientId[]): Promise<readonly ClientId[]> {
    for (const [client, bytes] of await this.ask(clients)) await this.session.receive(client, bytes);
    if (this.session.step === 4) return this.#asked;
    this.#asked = this.session.advance() as ClientId[];
    return this.#asked;
  }

  /** Collects all steps that are left, without the clients that `leave` gives before each. */
  async finish(leave: (step: number) => Promise<readonly ClientId[]> = async () => []): Promise<SecureResult> {
    const gone = new Set<ClientId>();
    for (let step = this.session.step; step <= 4; step++) {
      for (const client of await leave(step)) gone.add(client);
      await this.collect(this.#asked.filter((client) => !gone.has(client)));
    }
    return this.session.open(kernel);
  }
}
