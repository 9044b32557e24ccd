import * as nodeCryptoModule from "node:crypto";
import type { Lane, Total } from "@tributary/algorithm";
import {
  type Accepted,
  type ClientId,
  ProtocolError,
  type RunSpec,
  type Sha256,
  type StepAddress,
} from "@tributary/protocol";
import type { Attempt } from "@tributary/round";
import {
  addTotals,
  floorsFor,
  nodeCrypto,
  planSessions,
  ServerSession,
  type SessionPurpose,
  taskHashOf,
} from "@tributary/secure-agg";
import type { Collection, OpenedStep } from "../collection.ts";
import type { Asked } from "../question.ts";
import type { Blobs } from "../store/blobs.ts";
import { inParts } from "../store/blobs.ts";
import type { Spool } from "../store/spool.ts";
import { readUpload, type Upload } from "../upload.ts";
import type { Unmasker } from "./unmasker.ts";

export interface SecurePorts {
  readonly spool: Spool;
  readonly blobs: Blobs;
  readonly unmasker: Unmasker;
  /** The Ed25519 key that a client enrolled with. */
  readonly identityKey: (client: ClientId) => Promise<Uint8Array>;
}

/** The sessions whose survivors are fixed, as they are kept until the round is committed. */
export interface StoredSessions {
  readonly sessions: readonly { readonly checkpoint: Sha256; readonly sum: Sha256 }[];
  readonly members: readonly (readonly ClientId[])[];
}

const crypto = nodeCrypto(nodeCryptoModule);

/** The step in which devices reveal their shares. */
const unmaskStep = 4;

/** One attempt under secure aggregation: a session, or one for each shard of the cohort, that goes through five steps. */
export class SecureCollection implements Collection {
  attempt: Attempt;
  readonly asked: Promise<Asked>;
  bytesUp = 0;
  bytesDown = 0;
  readonly #ports: SecurePorts;
  readonly #lanes: readonly Lane[];
  readonly #shards: Promise<Shard[]>;
  /** SHA-256 of each accepted answer, by step and client. */
  readonly #accepted = new Map<string, Sha256>();
  /** The sessions as they lie in the store. */
  #stored: StoredSessions | undefined;
  /** Opened once: opening uses up the masked sum. */
  #total: Promise<Total & { readonly culprits: readonly ClientId[] }> | undefined;

  private constructor(
    attempt: Attempt,
    about: { asked: Promise<Asked>; lanes: readonly Lane[]; shards: Promise<Shard[]> },
    ports: SecurePorts,
  ) {
    this.attempt = attempt;
    this.asked = about.asked;
    this.#lanes = about.lanes;
    this.#shards = about.shards;
    this.#ports = ports;
    // Whoever asks for a question hears of a failure; nobody has to.
    this.#shards.catch(() => {});
  }

  /** A fresh attempt: fresh keys, and the cohort dealt to its shards at random. */
  static open(
    spec: RunSpec,
    attempt: Attempt,
    about: { asked: Promise<Asked>; lanes: readonly Lane[] },
    ports: SecurePorts,
  ): SecureCollection {
    const identityKey = (client: string) => ports.identityKey(client as ClientId);
    const shards = about.asked.then((asked) => {
      const purpose = purposeOf(spec, asked, about.lanes);
      const plans = planSessions(spec, attempt.cohort.length, purpose);
      const dealt = dealtTo(
        attempt.cohort,
        plans.map(({ clients }) => clients),
      );
      return plans.map((plan, i) => ({
        session: ServerSession.open(plan, floorsFor(plan.rule), { crypto, identityKey }),
        members: new Set(dealt[i]),
      }));
    });
    return new SecureCollection(attempt, { ...about, shards }, ports);
  }

  /** An attempt whose survivors were fixed before a restart. */
  static resume(
    attempt: Attempt,
    about: { asked: Promise<Asked>; lanes: readonly Lane[]; stored: StoredSessions },
    ports: SecurePorts,
  ): SecureCollection {
    const { sessions, members } = about.stored;
    const identityKey = (client: string) => ports.identityKey(client as ClientId);
    const shards = Promise.all(
      sessions.map(async ({ checkpoint, sum }, i) => {
        const words = await ports.blobs.get(sum);
        const stored = { checkpoint: await ports.blobs.get(checkpoint), sum: sharedWords(words) };
        return { session: ServerSession.resume(stored, { crypto, identityKey }), members: new Set(members[i]) };
      }),
    );
    const resumed = new SecureCollection(attempt, { ...about, shards }, ports);
    resumed.#stored = about.stored;
    return resumed;
  }

  isAt({ round, attempt }: StepAddress): boolean {
    return this.attempt.round === round && this.attempt.attempt === attempt;
  }

  /** Closes the step before `step` and gives the clients that are asked now; the others cannot go on. */
  async openStep(step: number): Promise<OpenedStep> {
    const shards = await this.#shards;
    if (step === 0) return { asked: this.attempt.cohort };
    for (const shard of shards) {
      if (shard.session.step < step) shard.members = new Set(shard.session.advance() as ClientId[]);
    }
    const asked = shards.flatMap(({ members }) => [...members]).sort();
    return step === unmaskStep ? { asked, unfinished: await this.#store(shards) } : { asked };
  }

  async message(client: ClientId): Promise<Uint8Array> {
    return (await this.#shardOf(client)).session.question(client);
  }

  hasAccepted(step: number, client: ClientId, digest: Sha256): boolean {
    const accepted = this.#accepted.get(`${step}/${client}`);
    if (accepted === undefined || accepted === digest) return accepted !== undefined;
    throw new ProtocolError("conflicting_update", "Another answer of this client to this step was accepted before.");
  }

  async receive(step: number, client: ClientId, upload: Upload, stillWanted: () => void): Promise<Accepted> {
    const { session } = await this.#shardOf(client);
    if (session.step !== step) throw new ProtocolError("too_early", "The step is being opened.", { retryAfterMs: 50 });
    const bytes = await this.#read(session, step, client, upload);
    stillWanted();
    const received = await session.receive(client, bytes);
    if (received === "duplicate") return { accepted: true, duplicate: true };
    this.#accepted.set(`${step}/${client}`, upload.digest);
    this.bytesUp += upload.bytes;
    return { accepted: true, duplicate: false };
  }

  /** Whether the shares that came in open every shard's sum. */
  async isEnough(): Promise<boolean> {
    return (await this.#shards).every(({ session }) => session.isOpenable());
  }

  /** The opened sum. Throws `secure_bad_share` when shares are wrong beyond repair, `secure_sum` when it makes no sense. */
  total(): Promise<Total & { readonly culprits: readonly ClientId[] }> {
    this.#total ??= this.#open();
    return this.#total;
  }

  async #open(): Promise<Total & { readonly culprits: readonly ClientId[] }> {
    const opened = await Promise.all(
      (await this.#shards).map(({ session }) => {
        const { checkpoint, sum } = session.checkpoint();
        return this.#ports.unmasker.open({ checkpoint, sum, reveals: session.reveals() });
      }),
    );
    const means = new Set(this.#lanes.filter(({ encoding }) => encoding.kind === "update").map(({ name }) => name));
    const total = addTotals(
      opened.map(({ total: part }) => part),
      (lane) => means.has(lane),
    );
    return { ...total, culprits: opened.flatMap(({ culprits }) => culprits) };
  }

  foldAhead(): void {
    // Masked vectors are folded as they come: their sum is over integers, and no order changes it.
  }

  /** Also what was kept to finish the attempt: it is committed, or over. */
  async discard(): Promise<void> {
    const { round, attempt } = this.attempt;
    const { run } = await this.asked;
    await this.#ports.spool.discard({ run, round, attempt });
    for (const { checkpoint, sum } of this.#stored?.sessions ?? []) {
      await Promise.all([this.#ports.blobs.remove(checkpoint), this.#ports.blobs.remove(sum)]);
    }
  }

  /** A masked vector is staged on disk until it is whole; the other messages are small. */
  async #read(session: ServerSession, step: number, client: ClientId, upload: Upload): Promise<Uint8Array> {
    const size = session.answerBytes();
    if ("atMost" in size) return readUpload(upload, size.atMost);
    if (upload.bytes !== size.exactly) {
      throw new ProtocolError("bad_update", `masked vector: expected ${size.exactly} bytes, found ${upload.bytes}`);
    }
    const { run } = await this.asked;
    const { round, attempt } = this.attempt;
    const place = { run, round, attempt, step, client };
    let whole: Uint8Array | undefined;
    const check = (bytes: Uint8Array) => {
      whole = bytes;
    };
    const { exactly: expectedBytes } = size;
    await this.#ports.spool.receive(place, upload.body, { expectedBytes, digest: upload.digest, check });
    return whole!;
  }

  async #shardOf(client: ClientId): Promise<Shard> {
    const shard = (await this.#shards).find(({ members }) => members.has(client));
    if (shard === undefined) throw new ProtocolError("not_asked", "This client is not in this step of the session.");
    return shard;
  }

  async #store(shards: readonly Shard[]): Promise<StoredSessions> {
    const sessions = await Promise.all(
      shards.map(async ({ session }) => {
        const { checkpoint, sum } = session.checkpoint();
        const words = new Uint8Array(sum.buffer, sum.byteOffset, sum.byteLength);
        // In parts, and so not kept in memory: opening the sum overwrites it.
        const [head, body] = await Promise.all([
          this.#ports.blobs.put(checkpoint),
          this.#ports.blobs.put(inParts(words)),
        ]);
        return { checkpoint: head, sum: body };
      }),
    );
    this.#stored = { sessions, members: shards.map(({ members }) => [...members]) };
    return this.#stored;
  }
}

interface Shard {
  readonly session: ServerSession;
  /** The clients of the step at hand. */
  members: Set<ClientId>;
}

function purposeOf(spec: RunSpec, asked: Asked, lanes: readonly Lane[]): SessionPurpose {
  const { run, round, attempt, kind, modelVersion, settings, vectors } = asked;
  const modelHash = vectors["model"]?.sha256 ?? "";
  const taskHash = taskHashOf({ ...spec, settings, vectors });
  return { run, round, attempt, kind, modelVersion, modelHash, taskHash, lanes };
}

/** The cohort in a random order, cut into pieces of these sizes. */
function dealtTo(cohort: readonly ClientId[], sizes: readonly number[]): ClientId[][] {
  const order = [...cohort];
  for (let i = order.length - 1; i > 0; i--) {
    const j = nodeCryptoModule.randomInt(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return sizes.map((size) => order.splice(0, size));
}

/** Words in memory that worker threads can share. */
function sharedWords(bytes: Uint8Array): Uint32Array {
  const words = new Uint32Array(new SharedArrayBuffer(bytes.byteLength));
  new Uint8Array(words.buffer).set(bytes);
  return words;
}
