import { equalBytes } from "@noble/ciphers/utils.js";
import { ProtocolError } from "@tributary/protocol";
import type { CryptoBackend } from "../crypto/backend.ts";
import { addPacked, packedBytes } from "../encoding/pack.ts";
import {
  decodeConfirmation,
  encodeConfirmQuestion,
  encodeUnmaskQuestion,
  survivorsHashOf,
} from "../message/confirmation.ts";
import { decodeMasked, maskedHeaderBytes } from "../message/masked.ts";
import { holdersWithin, peersWithin, requireEnough } from "../session/members.ts";
import type { Received } from "./advertising.ts";
import type { Masking } from "./sharing.ts";

/** U3 is known; the survivors tell their neighbours what they were told. A vector that arrives now has no way in. */
export interface Confirming extends Omit<Masking, "step" | "inbox" | "questions"> {
  readonly step: "confirming";
  readonly survivors: ReadonlySet<number>;
  readonly survivorsHash: Uint8Array;
  /** The question: the same bytes for every survivor. */
  readonly question: Uint8Array;
  readonly inbox: Map<number, readonly Uint8Array[]>;
}

/** Steps that closed while an upload was still being checked: it must not slip into a sum whose set is fixed. */
const closed = new WeakSet<Masking["inbox"]>();

/** Bytes of a masked vector's message: an upload of any other length is refused before it is read. */
export function maskedMessageBytes({ sum, parameters }: Pick<Masking, "sum" | "parameters">): number {
  return maskedHeaderBytes + packedBytes(sum.length, parameters.wordBits);
}

/**
 * Folds one member's complete vector into the sum. Throws `ProtocolError("not_asked" | "secure_message" | "bad_digest" |
 * "conflicting_update" | "phase_closed")` and leaves the sum as it was.
 */
export async function receiveMasked(
  state: Masking,
  from: { member: number; crypto: CryptoBackend },
  message: Uint8Array,
): Promise<Received> {
  const { parameters, roster, sum, inbox, sharers } = state;
  const { member, crypto } = from;
  if (!sharers.has(member)) throw new ProtocolError("not_asked", `client ${member} dealt no shares in time`);
  const bytes = packedBytes(sum.length, parameters.wordBits);
  const packed = await decodeMasked(crypto, roster.sessionId, message, bytes);
  if (closed.has(inbox)) throw new ProtocolError("phase_closed", `the vector of client ${member} came too late`);
  const digest = message.slice(0, maskedHeaderBytes);
  const earlier = inbox.get(member);
  if (earlier === undefined) {
    // Folded once, and only whole: the message was read to its end and matches its digest.
    inbox.set(member, digest);
    addPacked(sum, packed, parameters.wordBits);
    return "accepted";
  }
  if (equalBytes(earlier, digest)) return "duplicate";
  throw new ProtocolError("conflicting_update", `client ${member} already sent another vector`);
}

/** R2 closes: U3 are those whose vector is in the sum. Throws `ProtocolError("secure_too_few")`. */
export function closeMasking(state: Masking): Confirming {
  const { inbox, parameters, graph, roster } = state;
  closed.add(inbox);
  const listed = [...inbox.keys()].sort((a, b) => a - b);
  const survivors = new Set(listed);
  requireEnough(survivors.size, parameters.minimumSurvivors, "survivors");
  requireHolders(state, survivors, "survivors that hold its shares");
  const question = encodeConfirmQuestion(roster.sessionId, listed, graph.size);
  const survivorsHash = survivorsHashOf(roster.sessionId, listed, graph.size);
  const { questions: _, ...rest } = state;
  return { ...rest, step: "confirming", survivors, survivorsHash, question, inbox: new Map() };
}

/** Takes one survivor's tags. Throws `ProtocolError("not_asked" | "secure_message" | "conflicting_update")`. */
export function receiveConfirmation(state: Confirming, member: number, bytes: Uint8Array): Received {
  const { survivors } = state;
  if (!survivors.has(member)) throw new ProtocolError("not_asked", `client ${member} is no survivor`);
  const peers = peersWithin(state.graph, member, survivors);
  const tags = decodeConfirmation(state.roster.sessionId, bytes, peers.length);
  const earlier = state.inbox.get(member);
  if (earlier === undefined) {
    state.inbox.set(member, tags);
    return "accepted";
  }
  if (earlier.every((tag, i) => equalBytes(tag, tags[i]!))) return "duplicate";
  throw new ProtocolError("conflicting_update", `client ${member} already confirmed another set`);
}

/** The survivors are committed: from here on only this set can be unmasked, and no fresh attempt may begin. */
export interface Unmasking extends Omit<Confirming, "step" | "inbox" | "question"> {
  readonly step: "unmasking";
  /** Tags by addressee, then by sender. */
  readonly tags: ReadonlyMap<number, ReadonlyMap<number, Uint8Array>>;
  readonly inbox: Map<number, Uint8Array>;
}

/** R3 closes, before the first unmask request. Throws `ProtocolError("secure_too_few")` while that is still harmless. */
export function closeConfirming(state: Confirming): Unmasking {
  const { question: _, inbox, ...rest } = state;
  requireHolders(state, new Set(inbox.keys()), "confirming holders of its shares");
  const tags = new Map([...state.survivors].map((member) => [member, new Map<number, Uint8Array>()]));
  for (const [from, sent] of inbox) {
    peersWithin(state.graph, from, state.survivors).forEach((to, i) => {
      tags.get(to)!.set(from, sent[i]!);
    });
  }
  return { ...rest, step: "unmasking", tags, inbox: new Map() };
}

/** The question of step 5 for one survivor: its surviving peers' tags, absent ones marked. */
export function unmaskQuestionFor(state: Unmasking, member: number): Uint8Array {
  const { graph, roster, survivors, survivorsHash } = state;
  if (!survivors.has(member)) throw new ProtocolError("not_asked", `client ${member} is no survivor`);
  const tags = peersWithin(graph, member, survivors).map((peer) => state.tags.get(member)!.get(peer));
  return encodeUnmaskQuestion(roster.sessionId, { survivorsHash, tags });
}

/** Every secret of U2 has to be rebuilt, b or s: each needs a threshold of holders in `set`. */
function requireHolders(
  { graph, sharers, parameters }: Pick<Masking, "graph" | "sharers" | "parameters">,
  set: ReadonlySet<number>,
  what: string,
): void {
  const fewest = Math.min(...[...sharers].map((member) => holdersWithin(graph, member, set)));
  requireEnough(fewest, parameters.threshold, what);
}
