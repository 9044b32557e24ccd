import { equalBytes } from "@noble/ciphers/utils.js";
import { ProtocolError } from "@tributary/protocol";
import { paddedLength } from "../kernel/kernel.ts";
import { encodeBitmap } from "../message/bitmap.ts";
import { checkShares, commitmentIn, envelopeIn, openMaskQuestion } from "../message/shares.ts";
import { wordsOf } from "../session/headroom.ts";
import { holdersWithin, peersWithin, requireEnough } from "../session/members.ts";
import type { Received, Roll, Sharing } from "./advertising.ts";

/** U2 is known; masked vectors are coming into a running sum of one model's size. */
export interface Masking extends Roll {
  readonly step: "masking";
  readonly sharers: ReadonlySet<number>;
  /** The question of step 3 for each of them. */
  readonly questions: ReadonlyMap<number, Uint8Array>;
  /** H(b) of each of them. */
  readonly commitments: ReadonlyMap<number, Uint8Array>;
  readonly sum: Uint32Array;
  /** The digest of every vector that is in the sum. */
  readonly inbox: Map<number, Uint8Array>;
}

/** Takes one member's shares; the message is kept, not copied. Throws `ProtocolError("secure_message" | "conflicting_update")`. */
export function receiveShares(state: Sharing, member: number, bytes: Uint8Array): Received {
  checkShares(state.roster.sessionId, bytes, state.graph.peers(member).length);
  const earlier = state.inbox.get(member);
  if (earlier === undefined) {
    state.inbox.set(member, bytes);
    return "accepted";
  }
  if (equalBytes(earlier, bytes)) return "duplicate";
  throw new ProtocolError("conflicting_update", `client ${member} already dealt other shares`);
}

/**
 * R1 closes: U2 are those that dealt shares and have a threshold of holders among the others that did. Throws
 * `ProtocolError("secure_too_few")`.
 */
export function closeSharing(state: Sharing): Masking {
  const { parameters, configHash, roster, graph, inbox } = state;
  const sharers = new Set([...inbox.keys()].sort((a, b) => a - b));
  // A member whose own holders left would refuse to go on; dropping it here may leave another one short.
  for (let dropped = true; dropped; ) {
    dropped = false;
    for (const member of sharers) {
      if (holdersWithin(graph, member, sharers) >= parameters.threshold) continue;
      sharers.delete(member);
      dropped = true;
    }
  }
  requireEnough(sharers.size, Math.max(parameters.minimumSurvivors, parameters.threshold), "clients that dealt shares");
  const bitmap = encodeBitmap(sharers, graph.size);
  const { sessionId } = roster;
  const writers = new Map(
    [...sharers].map((to) => [to, openMaskQuestion(sessionId, bitmap, peersWithin(graph, to, sharers).length)]),
  );
  const commitments = new Map<number, Uint8Array>();
  // Dealers ascend, so everyone's envelopes do; each message is read once, from front to back.
  for (const dealer of sharers) {
    const message = inbox.get(dealer)!;
    commitments.set(dealer, commitmentIn(message));
    graph.peers(dealer).forEach((to, i) => {
      writers.get(to)?.raw(envelopeIn(message, i));
    });
  }
  const questions = new Map([...writers].map(([to, writer]) => [to, writer.finish()]));
  const sum = shareableWords(paddedLength(wordsOf(parameters.lanes)));
  const roll = { parameters, configHash, roster, graph };
  return { step: "masking", ...roll, sharers, questions, commitments, sum, inbox: new Map() };
}

/** The question of step 3 for one member of U2: who dealt, and the envelopes its peers dealt to it. */
export function maskQuestionFor(state: Masking, member: number): Uint8Array {
  const question = state.questions.get(member);
  if (question === undefined) throw new ProtocolError("not_asked", `client ${member} dealt no shares in time`);
  return question;
}

/** Zeros, in memory that a thread which unmasks can share, where the platform has such memory. */
function shareableWords(length: number): Uint32Array {
  if (typeof SharedArrayBuffer === "undefined") return new Uint32Array(length);
  return new Uint32Array(new SharedArrayBuffer(4 * length));
}
