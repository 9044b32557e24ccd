import { equalBytes } from "@noble/ciphers/utils.js";
import { ProtocolError } from "@tributary/protocol";
import type { CryptoBackend } from "../crypto/backend.ts";
import type { MaskOperation } from "../kernel/kernel.ts";
import { decodeReveal } from "../message/reveal.ts";
import { commitmentOf, type MaskContext, maskContextOf, pairMask, selfSeed } from "../session/mask-seeds.ts";
import { decode } from "../shamir/decode.ts";
import type { Share } from "../shamir/shamir.ts";
import type { Received } from "./advertising.ts";
import { BlameError } from "./blame.ts";
import type { Unmasking } from "./masking.ts";

/**
 * Takes one survivor's shares. Throws `ProtocolError("not_asked" | "secure_message" | "conflicting_update")`; a share of
 * the wrong kind is refused with its message.
 */
export function receiveReveal(state: Unmasking, member: number, bytes: Uint8Array): Received {
  const { survivors } = state;
  if (!survivors.has(member)) throw new ProtocolError("not_asked", `client ${member} is no survivor`);
  const dealers = dealersOf(state, member);
  const shares = decodeReveal(state.roster.sessionId, bytes, dealers.length);
  dealers.forEach((dealer, i) => {
    const { kind } = shares[i]!;
    if (kind === "none" || kind === (survivors.has(dealer) ? "seed" : "key")) return;
    throw new ProtocolError("secure_message", `client ${member} revealed the wrong kind of share of client ${dealer}`);
  });
  const earlier = state.inbox.get(member);
  if (earlier === undefined) {
    state.inbox.set(member, bytes);
    return "accepted";
  }
  if (equalBytes(earlier, bytes)) return "duplicate";
  throw new ProtocolError("conflicting_update", `client ${member} already revealed other shares`);
}

/** One secret to rebuild: a plain object, so that a worker thread can take it. */
export interface Recovery {
  readonly member: number;
  /** b of a survivor, or s of a client that dealt shares and left. */
  readonly kind: "seed" | "key";
  readonly threshold: number;
  readonly shares: readonly Share[];
  /** Who holds the share at x, at index x − 1: whom to blame. */
  readonly holders: readonly number[];
  /** H(b) for a seed, the public mask key for a key. */
  readonly check: Uint8Array;
  readonly sessionId: Uint8Array;
}

/** The secrets to rebuild, or undefined while one of them has too few shares. */
export function recoveries(state: Unmasking): readonly Recovery[] | undefined {
  const { graph, parameters, roster } = state;
  const { survivors } = state;
  const collected = new Map<number, Share[]>([...state.sharers].map((member) => [member, []]));
  for (const [holder, bytes] of state.inbox) {
    const dealers = dealersOf(state, holder);
    decodeReveal(roster.sessionId, bytes, dealers.length).forEach((share, i) => {
      const dealer = dealers[i]!;
      if (share.kind === "none") return;
      collected.get(dealer)!.push({ x: graph.shareIndex(dealer, holder), value: share.value });
    });
  }
  const { threshold } = parameters;
  const found = [...state.sharers].map((member): Recovery => {
    const kind = survivors.has(member) ? "seed" : "key";
    const check = kind === "seed" ? state.commitments.get(member)! : roster.members[member]!.maskKey;
    const holders = graph.holders(member);
    return { member, kind, threshold, shares: collected.get(member)!, holders, check, sessionId: roster.sessionId };
  });
  return found.every(({ shares }) => shares.length >= threshold) ? found : undefined;
}

/** A rebuilt secret, and the members whose shares of it were wrong. */
export interface Recovered extends Pick<Recovery, "member" | "kind"> {
  readonly secret: Uint8Array;
  readonly culprits: readonly number[];
}

/**
 * Rebuilds one secret and checks it against what its owner committed to, around up to ⌊(shares − t) / 2⌋ wrong shares.
 * Throws `BlameError("secure_bad_share")` naming the owner when nothing fits.
 */
export async function recover(recovery: Recovery, crypto: CryptoBackend): Promise<Recovered> {
  const { member, kind, check, threshold, sessionId } = recovery;
  const isSecret = async (secret: Uint8Array) =>
    kind === "seed"
      ? equalBytes(commitmentOf(sessionId, member, secret), check)
      : equalBytes(await crypto.publicKeyOf(secret), check);
  const decoded = await decode(recovery.shares, { threshold, isSecret });
  if (decoded === undefined) {
    const found = `no secret of client ${member} fits its ${recovery.shares.length} shares and its commitment`;
    throw new BlameError(found, [member]);
  }
  return { member, kind, secret: decoded.secret, culprits: decoded.wrong.map((x) => recovery.holders[x - 1]!) };
}

/** One mask to derive, and then to fold in: a plain object, so that a worker thread can take it. */
export type MaskTask =
  | { readonly kind: "self"; readonly context: MaskContext; readonly member: number; readonly secret: Uint8Array }
  | {
      readonly kind: "pair";
      readonly context: MaskContext;
      readonly member: number;
      readonly secretKey: Uint8Array;
      readonly peer: number;
      readonly peerKey: Uint8Array;
    };

/** What is left in the sum: every survivor's self mask, and what survivors added for those that left. */
export function maskTasks(state: Unmasking, recovered: readonly Recovered[]): readonly MaskTask[] {
  const { graph, roster, configHash, parameters, sharers } = state;
  const context = maskContextOf({ configHash, modelHash: parameters.modelHash, roster }, sharers);
  const { survivors } = state;
  return recovered.flatMap(({ member, kind, secret }): MaskTask[] => {
    if (kind === "seed") return [{ kind: "self", context, member, secret }];
    const peers = graph.peers(member).filter((peer) => survivors.has(peer));
    return peers.map((peer) => {
      const peerKey = roster.members[peer]!.maskKey;
      return { kind: "pair", context, member, secretKey: secret, peer, peerKey };
    });
  });
}

/** The operation that takes one mask out of the sum. */
export async function unmaskOperation(task: MaskTask, crypto: CryptoBackend): Promise<MaskOperation> {
  switch (task.kind) {
    case "self":
      return { seed: selfSeed(task.context, task.secret, task.member), subtract: true };
    case "pair":
      // What the client that left would have folded in is the opposite of what its peer did: adding it cancels both.
      return pairMask(crypto, task.context, task);
  }
}

function dealersOf({ graph, sharers }: Unmasking, holder: number): number[] {
  return graph.holders(holder).filter((dealer) => sharers.has(dealer));
}
