import type { CryptoBackend } from "../crypto/backend.ts";
import { labelledHash } from "../crypto/derive.ts";
import { decodeSum, type SecureTotal } from "../encoding/decode-sum.ts";
import { blockWords, type MaskKernel, type MaskOperation, type WordRange } from "../kernel/kernel.ts";
import { encodeBitmap } from "../message/bitmap.ts";
import type { Unmasking } from "./masking.ts";
import { maskTasks, type Recovered, recover, recoveries, unmaskOperation } from "./unmasking.ts";

/** What the session came to. */
export interface SecureResult {
  readonly total: SecureTotal;
  /** The unmasked words, low `wordBits` bits of each: the plain integer sum. */
  readonly words: Uint32Array;
  /** Members whose shares were wrong; the sum is right all the same. */
  readonly culprits: readonly number[];
  /** H(rosterHash, U3, H(sum)): sign and publish it, so that members can compare notes. */
  readonly transcript: Uint8Array;
}

/** Ranges that cut a vector into `parts` about equal pieces, for one worker each. */
export function wordRanges(words: number, parts: number): WordRange[] {
  const blocks = words / blockWords;
  const bound = (part: number) => Math.floor((blocks * part) / parts) * blockWords;
  return Array.from({ length: parts }, (_, i) => ({ from: bound(i), to: bound(i + 1) })).filter(
    ({ from, to }) => to > from,
  );
}

/** Unmasks on the calling thread; undefined while shares are missing. Overwrites the state's sum. */
export async function unmaskSum(
  state: Unmasking,
  ports: { crypto: CryptoBackend; kernel: MaskKernel },
): Promise<SecureResult | undefined> {
  const pending = recoveries(state);
  if (pending === undefined) return undefined;
  const recovered: Recovered[] = [];
  for (const recovery of pending) recovered.push(await recover(recovery, ports.crypto));
  const operations: MaskOperation[] = [];
  for (const task of maskTasks(state, recovered)) operations.push(await unmaskOperation(task, ports.crypto));
  ports.kernel.apply(state.sum, operations);
  return finish(state, { words: state.sum, recovered, crypto: ports.crypto });
}

/**
 * The result, once every operation was applied to every word. Throws `ProtocolError("secure_sum")` for words that no
 * valid contributions add up to. Keeps `words`, whose high bits it clears.
 */
export async function finish(
  state: Unmasking,
  unmasked: { words: Uint32Array; recovered: readonly Pick<Recovered, "culprits">[]; crypto: CryptoBackend },
): Promise<SecureResult> {
  const { parameters, roster, survivors, graph } = state;
  const { words } = unmasked;
  const mask = parameters.wordBits === 32 ? 0xffff_ffff : 2 ** parameters.wordBits - 1;
  if (mask !== 0xffff_ffff) for (let i = 0; i < words.length; i++) words[i]! &= mask;
  const total = decodeSum(parameters, words, survivors.size);
  const culprits = [...new Set(unmasked.recovered.flatMap((secret) => secret.culprits))].sort((a, b) => a - b);
  const sumHash = await unmasked.crypto.sha256(new Uint8Array(words.buffer, words.byteOffset, words.byteLength));
  const bitmap = encodeBitmap(survivors, graph.size);
  return { total, words, culprits, transcript: labelledHash("SA1/transcript", roster.hash, bitmap, sumHash) };
}
