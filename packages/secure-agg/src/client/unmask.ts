import { equalBytes } from "@noble/ciphers/utils.js";
import { ProtocolError } from "@tributary/protocol";
import { ByteReader, ByteWriter, wipe } from "../crypto/bytes.ts";
import { confirmationTag, decodeUnmaskQuestion } from "../message/confirmation.ts";
import { peersWithin } from "../session/members.ts";
import type { Confirmed } from "./confirm.ts";
import { spend } from "./once.ts";
import { revealShares } from "./reveal-shares.ts";
import { revealKey } from "./reveals.ts";

/** The one answer of this session. Persist it before sending; keep it until the round commits, then drop it. */
export interface Answered {
  readonly phase: "answered";
  readonly sessionId: Uint8Array;
  readonly survivorsHash: Uint8Array;
  readonly answer: Uint8Array;
  /** Goes into `Enrolled.revealed`, in the same write. */
  readonly revealKey: string;
}

/**
 * R4 (fig. 4, round 4): reveals shares once enough neighbours say that they were told of the same survivors. A missing
 * or wrong tag counts as absent and is in `unconfirmed`: a corrupt client has no veto. Fewer than the threshold, oneself
 * counted on a complete graph: `ProtocolError("secure_inconsistent")`, the shares are wiped and the attempt is over.
 */
export function unmask(state: Confirmed, question: Uint8Array): { state: Answered; unconfirmed: readonly number[] } {
  const { sessionId, graph, me, survivors, survivorsHash, parameters } = state;
  const asked = decodeUnmaskQuestion(sessionId, question);
  checkSet(asked.survivorsHash, survivorsHash);
  const peers = peersWithin(graph, me, survivors);
  if (asked.tags.length !== peers.length) {
    throw new ProtocolError("secure_message", `${asked.tags.length} tags for ${peers.length} surviving neighbours`);
  }
  spend(state);
  const unconfirmed = peers.filter((peer, i) => {
    const tag = asked.tags[i];
    const told = { sessionId, survivorsHash, from: peer, to: me };
    return tag === undefined || !equalBytes(tag, confirmationTag(state.macKeys.get(peer)!, told));
  });
  const oneself = graph.holders(me).includes(me) ? 1 : 0;
  const confirmed = peers.length - unconfirmed.length + oneself;
  const enough = confirmed >= parameters.threshold;
  const answer = enough ? revealShares(state, survivors) : undefined;
  for (const { seedShare, keyShare } of state.held.values()) wipe(seedShare, keyShare);
  wipe(...state.macKeys.values());
  if (answer === undefined) {
    const found = `${confirmed} members confirm these survivors, ${parameters.threshold} are needed`;
    throw new ProtocolError("secure_inconsistent", `${found}: the others were told of another set, or left`);
  }
  return {
    state: { phase: "answered", sessionId, survivorsHash, answer, revealKey: revealKey(parameters) },
    unconfirmed,
  };
}

/** The same answer to a repeat of the same request; throws `ProtocolError("secure_already_answered")` for another set. */
export function repeatAnswer(state: Answered, question: Uint8Array): Uint8Array {
  checkSet(decodeUnmaskQuestion(state.sessionId, question).survivorsHash, state.survivorsHash);
  return state.answer;
}

/** What to persist before the answer is sent. It holds shares: drop it when the round commits. */
export function encodeAnswered({ sessionId, survivorsHash, answer, revealKey }: Answered): Uint8Array {
  return new ByteWriter().raw(sessionId).raw(survivorsHash).text(revealKey).bytes(answer).finish();
}

export function decodeAnswered(bytes: Uint8Array): Answered {
  const reader = new ByteReader(bytes, "persisted answer");
  const [sessionId, survivorsHash] = [reader.raw(32), reader.raw(32)];
  const [key, answer] = [reader.text(256), reader.bytes(65_536)];
  reader.finish();
  return { phase: "answered", sessionId, survivorsHash, answer, revealKey: key };
}

function checkSet(asked: Uint8Array, own: Uint8Array): void {
  if (equalBytes(asked, own)) return;
  throw new ProtocolError(
    "secure_already_answered",
    "this device confirmed another set of survivors and answers no other",
  );
}
