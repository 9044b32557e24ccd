import { ProtocolError } from "@tributary/protocol";
import {
  confirmationTag,
  decodeConfirmQuestion,
  encodeConfirmation,
  survivorsHashOf,
} from "../message/confirmation.ts";
import { holdersWithin, peersWithin, requireEnough } from "../session/members.ts";
import type { Masked } from "./mask.ts";
import { spend } from "./once.ts";

/** One survivor set is confirmed, and no other ever will be; the neighbours' word for it is to come. */
export interface Confirmed extends Omit<Masked, "phase"> {
  readonly phase: "confirmed";
  readonly survivors: ReadonlySet<number>;
  readonly survivorsHash: Uint8Array;
}

/**
 * R3 (fig. 4, round 3, with a tag per neighbour in place of a signature): checks the survivors and tells every surviving
 * neighbour what it was told. Throws `ProtocolError("secure_survivors" | "secure_too_few")`.
 */
export function confirm(state: Masked, question: Uint8Array): { state: Confirmed; answer: Uint8Array } {
  const { parameters, sessionId, graph, me, sharers, macKeys } = state;
  const listed = decodeConfirmQuestion(sessionId, question, graph.size);
  const survivors = new Set(listed);
  if (!survivors.has(me)) refuse("this device sent its vector and is not among the survivors");
  const stranger = listed.find((member) => !sharers.has(member));
  if (stranger !== undefined) refuse(`client ${stranger} survived without having dealt shares`);
  requireEnough(survivors.size, parameters.minimumSurvivors, "survivors");
  requireEnough(holdersWithin(graph, me, survivors), parameters.threshold, "survivors among this device's holders");
  spend(state);
  const survivorsHash = survivorsHashOf(sessionId, listed, graph.size);
  const tags = peersWithin(graph, me, survivors).map((peer) =>
    confirmationTag(macKeys.get(peer)!, { sessionId, survivorsHash, from: me, to: peer }),
  );
  return {
    state: { ...state, phase: "confirmed", survivors, survivorsHash },
    answer: encodeConfirmation(sessionId, tags),
  };
}

function refuse(found: string): never {
  throw new ProtocolError("secure_survivors", found);
}
