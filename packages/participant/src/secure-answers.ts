import type { RunId } from "@tributary/protocol";
import { type Answered, decodeAnswered, encodeAnswered } from "@tributary/secure-agg";

/** What a device remembers of the secure sums of one run. */
export interface KeptAnswers {
  /** For which model versions and kinds it revealed shares (`revealKey`): never to be forgotten, see `SecureRun`. */
  readonly revealed: ReadonlySet<string>;
  /** The last reveal, for as long as it may be asked for again. It holds shares of other devices' secrets. */
  readonly last: Answered | undefined;
}

/**
 * Where a device keeps what it revealed. `save` must be durable when it resolves, and must copy: what it is given is
 * wiped later. A store belongs to one device of one coordinator.
 */
export interface AnswerStore {
  load(run: RunId): Promise<KeptAnswers>;
  save(run: RunId, kept: KeptAnswers): Promise<void>;
}

/** The written form of what is kept: strings, `last` in base64. */
export interface WrittenAnswers {
  readonly revealed: readonly string[];
  readonly last?: string;
}

export function writeAnswers({ revealed, last }: KeptAnswers): WrittenAnswers {
  if (last === undefined) return { revealed: [...revealed] };
  return { revealed: [...revealed], last: btoa(String.fromCharCode(...encodeAnswered(last))) };
}

/** The inverse of `writeAnswers`; nothing written means nothing revealed. Throws `secure_message` for anything else. */
export function readAnswers(written: WrittenAnswers | undefined): KeptAnswers {
  const { revealed = [], last } = written ?? {};
  const bytes = last === undefined ? undefined : Uint8Array.from(atob(last), (character) => character.charCodeAt(0));
  return { revealed: new Set(revealed), last: bytes === undefined ? undefined : decodeAnswered(bytes) };
}

/** For as long as the process lives. A device that keeps its identity longer must keep its answers longer, too. */
export function answersInMemory(): AnswerStore {
  const held = new Map<RunId, WrittenAnswers>();
  return {
    load: async (run) => readAnswers(held.get(run)),
    save: async (run, kept) => {
      held.set(run, writeAnswers(kept));
    },
  };
}
