import { setImmediate as immediate } from "node:timers/promises";
import type { Lane, Total } from "@tributary/algorithm";
import {
  type Accepted,
  type ClientId,
  decodeFrame,
  firstNonFinite,
  frameBytes,
  ProtocolError,
  type RunId,
  type Sha256,
  type StepAddress,
} from "@tributary/protocol";
import { type Attempt, Fold } from "@tributary/round";
import type { AnswerShape, Asked } from "./question.ts";
import type { StoredSessions } from "./secure/secure-collection.ts";
import type { Spool } from "./store/spool.ts";
import { readUpload, type Upload } from "./upload.ts";

/** Answers are held in memory until they are added up, as long as they are no more than this together. */
const mostHeldBytes = 16 * 1024 * 1024;

/** One attempt's questions and the answers to them, in the clear or under secure aggregation. */
export interface Collection {
  /** As it stands: who was dropped grows from step to step. */
  attempt: Attempt;
  /** The first question, once it is durable and its vectors can be fetched. */
  readonly asked: Promise<Asked>;
  readonly bytesUp: number;
  bytesDown: number;
  isAt(address: StepAddress): boolean;
  /** Whether exactly this answer was accepted before. Throws `conflicting_update` if another one was. */
  hasAccepted(step: number, client: ClientId, digest: Sha256): boolean;
  /** Prepares a step's questions. Throws the ProtocolError for which the attempt has to be given up. */
  openStep(step: number): Promise<OpenedStep>;
  /** The secure message for one client in the step at hand. */
  message(client: ClientId): Promise<Uint8Array | undefined>;
  /** Takes in an answer; `stillWanted` throws if the step has closed meanwhile. */
  receive(step: number, client: ClientId, upload: Upload, stillWanted: () => void): Promise<Accepted>;
  /** Whether an irrevocable step has what it needs. */
  isEnough(): Promise<boolean>;
  /** Does of the sum what can be done while others still work. */
  foldAhead(): void;
  /** The answers of `survivors`, who come in the cohort's order, combined; and who tried to spoil it. */
  total(survivors: readonly ClientId[]): Promise<Total & { readonly culprits?: readonly ClientId[] }>;
  /** Removes the answers. */
  discard(): Promise<void>;
}

/** Who is asked in a step, and what must be stored first for an attempt that from now on can only be finished. */
export interface OpenedStep {
  readonly asked: readonly ClientId[];
  readonly unfinished?: StoredSessions;
}

export interface CollectionOptions {
  readonly asked: Promise<Asked>;
  readonly shape: AnswerShape;
  readonly lanes: readonly Lane[];
  readonly spool: Spool;
}

/**
 * One question and one answer, in the clear: verified, held in memory or staged on disk, and in the end added up. A crash
 * voids the attempt, so nothing of it need outlive one: docs/decisions/0014.
 */
export class PlainCollection implements Collection {
  attempt: Attempt;
  readonly asked: Promise<Asked>;
  bytesUp = 0;
  bytesDown = 0;
  readonly #run: RunId;
  readonly #shape: AnswerShape;
  readonly #fold: Fold;
  /** How many of the cohort's first members are in the fold already. */
  #folded = 0;
  #folding: Promise<void> = Promise.resolve();
  readonly #spool: Spool;
  /** SHA-256 of each accepted answer, so that a repeat after the step has closed is still known for one. */
  readonly #accepted = new Map<ClientId, Sha256>();
  /** Answers that are in memory, and how many bytes these and those on their way take up. */
  readonly #held = new Map<ClientId, Uint8Array>();
  #heldBytes = 0;

  constructor(run: RunId, attempt: Attempt, options: CollectionOptions) {
    this.attempt = attempt;
    this.asked = options.asked;
    this.#run = run;
    this.#shape = options.shape;
    this.#fold = new Fold(options.lanes);
    this.#spool = options.spool;
  }

  isAt({ round, attempt }: StepAddress): boolean {
    return this.attempt.round === round && this.attempt.attempt === attempt;
  }

  async openStep(): Promise<OpenedStep> {
    return { asked: this.attempt.cohort };
  }

  async message(): Promise<undefined> {
    return undefined;
  }

  async isEnough(): Promise<boolean> {
    return false;
  }

  hasAccepted(_step: number, client: ClientId, digest: Sha256): boolean {
    const accepted = this.#accepted.get(client);
    if (accepted === undefined || accepted === digest) return accepted !== undefined;
    throw new ProtocolError("conflicting_update", "Another answer of this client to this step was accepted before.");
  }

  async receive(step: number, client: ClientId, upload: Upload, stillWanted: () => void): Promise<Accepted> {
    const { element, length } = this.#shape;
    const expectedBytes = frameBytes(element, length);
    if (upload.bytes !== expectedBytes) {
      throw new ProtocolError("bad_update", `frame size: expected ${expectedBytes} bytes, found ${upload.bytes}`);
    }
    const check = (bytes: Uint8Array) => checkAnswer(decodeFrame(bytes, this.#shape));
    const accept = () => {
      stillWanted();
      const duplicate = this.hasAccepted(step, client, upload.digest);
      if (!duplicate) {
        this.#accepted.set(client, upload.digest);
        this.bytesUp += upload.bytes;
      }
      return duplicate;
    };
    if (this.#heldBytes + expectedBytes > mostHeldBytes) {
      const claim = { expectedBytes, digest: upload.digest, check };
      await this.#spool.receive(this.#place(step, client), upload.body, claim);
      return { accepted: true, duplicate: accept() };
    }
    this.#heldBytes += expectedBytes;
    let duplicate = true;
    try {
      const bytes = await readUpload(upload, expectedBytes);
      check(bytes);
      duplicate = accept();
      if (!duplicate) this.#held.set(client, bytes);
    } finally {
      if (duplicate) this.#heldBytes -= expectedBytes;
    }
    return { accepted: true, duplicate };
  }

  /**
   * Adds up what can be added while others still work: the answers of the cohort's first members, in its order, up to
   * the first that is missing. The sum is then the same, bit for bit, whenever the answers came.
   */
  foldAhead(): void {
    const { cohort } = this.attempt;
    this.#folding = this.#folding.then(async () => {
      for (let client = cohort[this.#folded]; client !== undefined && this.#accepted.has(client); ) {
        await this.#add(client);
        client = cohort[++this.#folded];
      }
    });
    // Whoever asks for the total hears of a failure; an abandoned attempt's answers vanish from under its fold.
    this.#folding.catch(() => {});
  }

  async total(survivors: readonly ClientId[]): Promise<Total> {
    await this.#folding;
    for (const client of survivors.slice(this.#folded)) await this.#add(client);
    return this.#fold.total();
  }

  async #add(client: ClientId): Promise<void> {
    const held = this.#held.get(client);
    const bytes = held ?? (await this.#spool.read(this.#place(0, client)));
    if (this.#held.delete(client)) this.#heldBytes -= bytes.length;
    this.#fold.add(decodeFrame(bytes, this.#shape));
    await immediate();
  }

  discard(): Promise<void> {
    const { round, attempt } = this.attempt;
    this.#held.clear();
    return this.#spool.discard({ run: this.#run, round, attempt });
  }

  #place(step: number, client: ClientId) {
    const { round, attempt } = this.attempt;
    return { run: this.#run, round, attempt, step, client };
  }
}

function checkAnswer({ values, weight }: ReturnType<typeof decodeFrame>): void {
  if (!(weight > 0)) throw new ProtocolError("bad_update", `frame weight: expected a number > 0, found ${weight}`);
  const at = firstNonFinite(values);
  if (at === -1) return;
  throw new ProtocolError("bad_update", `frame value ${at}: expected a finite number, found ${values[at]}`);
}
