import { concatBytes, hexToBytes } from "@noble/hashes/utils.js";
import { type CryptoBackend, sharedSecret } from "../crypto/backend.ts";
import { deriveKey, labelledHash, pairBytes } from "../crypto/derive.ts";
import type { MaskOperation } from "../kernel/kernel.ts";
import { encodeBitmap } from "../message/bitmap.ts";
import type { RosterName } from "../message/roster.ts";

/**
 * What every mask seed is bound to: configuration, model, roster and U2. A client that was told something else about
 * any of them makes masks that cancel with nobody's (§B.1, row 8).
 */
export interface MaskContext {
  readonly sessionId: Uint8Array;
  readonly info: Uint8Array;
}

export function maskContextOf(
  session: { configHash: Uint8Array; modelHash: string; roster: RosterName },
  sharers: Iterable<number>,
): MaskContext {
  const { configHash, roster } = session;
  const sharersHash = labelledHash("SA1/sharers", roster.sessionId, encodeBitmap(sharers, roster.size));
  const info = concatBytes(configHash, hexToBytes(session.modelHash), roster.hash, sharersHash);
  return { sessionId: roster.sessionId, info };
}

/** The seed that hides a client's vector even when all its pairwise masks are known. */
export function selfSeed(context: MaskContext, secret: Uint8Array, member: number): Uint8Array {
  const info = concatBytes(context.info, pairBytes(member, member));
  return deriveKey({ secret, salt: context.sessionId, label: "SA1/self", info, bytes: 32 });
}

/** The mask between two members as `member` folds it in: the lower index adds, the higher takes away. */
export async function pairMask(
  crypto: CryptoBackend,
  context: MaskContext,
  pair: { member: number; secretKey: Uint8Array; peer: number; peerKey: Uint8Array },
): Promise<MaskOperation> {
  const secret = await sharedSecret(crypto, pair.secretKey, pair.peerKey);
  const [low, high] = pair.member < pair.peer ? [pair.member, pair.peer] : [pair.peer, pair.member];
  const info = concatBytes(context.info, pairBytes(low, high));
  const seed = deriveKey({ secret, salt: context.sessionId, label: "SA1/pair", info, bytes: 32 });
  secret.fill(0);
  return { seed, subtract: pair.member > pair.peer };
}

/** H(b): binds a client to its self-mask seed before anyone's vector is known. */
export function commitmentOf(sessionId: Uint8Array, member: number, secret: Uint8Array): Uint8Array {
  return labelledHash("SA1/commit", sessionId, pairBytes(member, member), secret);
}
