import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { link, readdir, readFile, rename, rm, stat, unlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type ClientId, ProtocolError, type Sha256, type StepAddress } from "@tributary/protocol";
import { gathered, verified } from "../upload.ts";
import {
  makeFolder,
  refuseFullDisk,
  sweepTemporary,
  syncFolder,
  temporaryName,
  writeTemporary,
} from "./durable-file.ts";

export type AttemptAddress = Omit<StepAddress, "step">;

interface AnswerAddress extends StepAddress {
  readonly client: ClientId;
}

/** Answers up to this size are gathered in memory and written in one go; larger ones go to disk as they come in. */
const smallBytes = 4 * 1024 * 1024;

/** Answers that were received but are not summed yet, one file each: spool/<run>/<round>-<attempt>-<step>/<client>. */
export interface Spool {
  /**
   * Takes one answer; when it resolves the answer survives any crash. The first complete answer of a client stays:
   * the same digest again gives `duplicate`, another throws `conflicting_update`. Throws `bad_update` for a body that
   * is longer or shorter than `expectedBytes`, `bad_digest` for one whose SHA-256 is not `digest`, `request_timeout` for
   * one that breaks off, `phase_closed` if the attempt is discarded meanwhile, `storage_full`, and what `check` throws
   * on seeing the whole body; then nothing stays. The body is not read further than needed and never destroyed, so that
   * the caller can still answer.
   */
  receive(
    answer: AnswerAddress,
    body: AsyncIterable<Uint8Array>,
    claim: {
      readonly expectedBytes: number;
      readonly digest: Sha256;
      /** Runs before the answer counts as received, so that no crash and no repetition can let a bad one in. */
      readonly check?: (bytes: Uint8Array) => void;
    },
  ): Promise<{ readonly duplicate: boolean }>;
  /** The bytes of an answer that was received; the caller owns them. */
  read(answer: AnswerAddress): Promise<Uint8Array>;
  /** The clients whose answers are here, in ascending order. */
  answered(step: StepAddress): Promise<ClientId[]>;
  /** Removes every step of an attempt; repeating it is harmless. */
  discard(attempt: AttemptAddress): Promise<void>;
  /** Bytes that the answers take up now. */
  bytes(): Promise<number>;
}

/**
 * The spool in `folder`, made if it is missing. Sweeps what an earlier process left: uploads that never ended, and every
 * attempt that is not in `keep`.
 */
export async function openSpool(folder: string, keep: readonly AttemptAddress[] = []): Promise<Spool> {
  await makeFolder(resolve(folder));
  await sweepTemporary(folder);
  await sweepAttempts(folder, keep);
  const made = new Map<string, Promise<void>>();

  /** Whoever needs a step's folder waits until its name is on disk, not only the one who made it. */
  function makeStepFolder(path: string): Promise<void> {
    const making = made.get(path) ?? makeFolder(resolve(path));
    made.set(path, making);
    making.catch(() => made.delete(path));
    return making;
  }

  return {
    async receive(answer, body, { expectedBytes, digest, check }) {
      const path = answerPath(folder, answer);
      const stepFolder = stepPath(folder, answer);
      await makeStepFolder(stepFolder);
      const chunks = verified(body, { bytes: expectedBytes, digest });
      const small = expectedBytes <= smallBytes ? await gathered(chunks, expectedBytes) : undefined;
      if (small !== undefined) check?.(small);
      const temporary = await writeTemporary(folder, small === undefined ? chunks : [small]);
      try {
        if (small === undefined) check?.(await bytesOf(temporary));
        // A link, unlike a rename, fails where another upload of the same answer was faster.
        await link(temporary, path);
      } catch (error) {
        if (hasCode(error, "ENOENT")) {
          throw new ProtocolError("phase_closed", `attempt ${answer.attempt} of round ${answer.round} is over`);
        }
        if (!hasCode(error, "EEXIST")) return refuseFullDisk(error, folder);
        const faster = await digestOf(path);
        // The faster one may not have synced yet, and this answer is acknowledged on the strength of it.
        await syncFolder(stepFolder);
        return repeated(answer, faster, digest);
      } finally {
        await unlink(temporary);
      }
      await syncFolder(stepFolder);
      return { duplicate: false };
    },

    read: (answer) => bytesOf(answerPath(folder, answer)),

    async answered(step) {
      return (await namesIn(stepPath(folder, step))).sort() as ClientId[];
    },

    async discard(attempt) {
      const runFolder = join(folder, pathPart(attempt.run));
      for (const name of await namesIn(runFolder)) {
        if (!name.startsWith(attemptPrefix(attempt))) continue;
        made.delete(join(runFolder, name));
        await removeFolder(folder, join(runFolder, name));
      }
    },

    bytes: () => bytesUnder(folder),
  };
}

async function sweepAttempts(folder: string, keep: readonly AttemptAddress[]): Promise<void> {
  for (const run of await namesIn(folder)) {
    const prefixes = keep.filter((attempt) => attempt.run === run).map(attemptPrefix);
    for (const name of await namesIn(join(folder, run))) {
      if (!prefixes.some((prefix) => name.startsWith(prefix))) await removeFolder(folder, join(folder, run, name));
    }
  }
}

/** Takes the folder out of sight at once, then deletes it; an upload into it finds it gone. */
async function removeFolder(folder: string, path: string): Promise<void> {
  const doomed = join(folder, temporaryName());
  try {
    await rename(path, doomed);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return;
    throw error;
  }
  await rm(doomed, { recursive: true });
}

function repeated(answer: AnswerAddress, earlier: string | undefined, digest: Sha256): { duplicate: boolean } {
  if (earlier === digest) return { duplicate: true };
  throw new ProtocolError(
    "conflicting_update",
    `${answer.client} has answered step ${answer.step} with SHA-256 ${earlier}; it cannot answer with ${digest} as well`,
  );
}

async function bytesOf(path: string): Promise<Uint8Array> {
  const bytes = await readFile(path);
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

async function digestOf(path: string): Promise<string | undefined> {
  const hash = createHash("sha256");
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
  return hash.digest("hex");
}

/** Bytes of all files under a path; what is removed meanwhile counts for nothing. */
async function bytesUnder(path: string): Promise<number> {
  const entry = await stat(path).catch((error: unknown) => {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  });
  if (entry === undefined || !entry.isDirectory()) return entry?.size ?? 0;
  const sizes = await Promise.all((await namesIn(path)).map((name) => bytesUnder(join(path, name))));
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return [];
    throw error;
  }
}

function attemptPrefix({ round, attempt }: AttemptAddress): string {
  return `${round}-${attempt}-`;
}

function stepPath(folder: string, step: StepAddress): string {
  return join(folder, pathPart(step.run), `${attemptPrefix(step)}${step.step}`);
}

function answerPath(folder: string, answer: AnswerAddress): string {
  return join(stepPath(folder, answer), pathPart(answer.client));
}

/** Ids are checked where they come in; a name that could leave the folder must not get past here whatever happens. */
function pathPart(name: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9-]*$/.test(name)) throw new Error(`${JSON.stringify(name)} cannot be part of a path`);
  return name;
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
