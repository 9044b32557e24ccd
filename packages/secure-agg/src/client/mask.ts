import { ProtocolError } from "@tributary/protocol";
import { wipe } from "../crypto/bytes.ts";
import { packWords } from "../encoding/pack.ts";
import type { Graph } from "../graph/graph.ts";
import { type MaskOperation, paddedLength } from "../kernel/kernel.ts";
import { type DealtShares, openEnvelope } from "../message/envelope.ts";
import { encodeMasked } from "../message/masked.ts";
import { decodeMaskQuestion } from "../message/shares.ts";
import { wordsOf } from "../session/headroom.ts";
import { maskContextOf, pairMask, selfSeed } from "../session/mask-seeds.ts";
import { holdersWithin, peersWithin, requireEnough } from "../session/members.ts";
import type { SessionParameters } from "../session/parameters.ts";
import { spend } from "./once.ts";
import type { ClientPorts } from "./ports.ts";
import type { Shared } from "./share.ts";

/** The masked vector is out; who survived is to come. Neither mask secret is left. */
export interface Masked {
  readonly phase: "masked";
  readonly parameters: SessionParameters;
  readonly sessionId: Uint8Array;
  readonly graph: Graph;
  readonly me: number;
  readonly sharers: ReadonlySet<number>;
  /** Shares of the others' secrets, by dealer; a dealer whose envelope did not open is missing. */
  readonly held: ReadonlyMap<number, DealtShares>;
  readonly macKeys: ReadonlyMap<number, Uint8Array>;
}

/**
 * R2 (fig. 4, round 2): opens the envelopes and masks the vector. `words` comes from `encodeContribution` and is owned
 * by this step: it is overwritten. `unopened` are the dealers whose envelope was not what it should be; their shares
 * count as absent. Throws `ProtocolError("secure_survivors" | "secure_too_few")`.
 */
export async function mask(
  ports: ClientPorts,
  state: Shared,
  input: { question: Uint8Array; words: Uint32Array },
): Promise<{ state: Masked; answer: Uint8Array; unopened: readonly number[] }> {
  const { parameters, configHash, roster, graph, me } = state;
  const { words } = input;
  const question = decodeMaskQuestion(roster.sessionId, input.question, graph.size);
  const sharers = new Set(question.sharers);
  if (!sharers.has(me)) refuse("this device dealt its shares and is not among those who did");
  requireEnough(sharers.size, parameters.minimumSurvivors, "clients that dealt shares");
  requireEnough(holdersWithin(graph, me, sharers), parameters.threshold, "holders of this device's shares");
  const peers = peersWithin(graph, me, sharers);
  if (question.envelopes.length !== peers.length) {
    refuse(`${question.envelopes.length} envelopes for ${peers.length} neighbours that dealt shares`);
  }
  const { held, unopened } = openAll(state, peers, question.envelopes);
  requireEnough(held.size, parameters.threshold, "envelopes that opened, and one's own shares");
  if (words.length !== paddedLength(wordsOf(parameters.lanes))) {
    throw new RangeError(`${words.length} words for lanes of ${wordsOf(parameters.lanes)}`);
  }
  spend(state);

  const context = maskContextOf({ configHash, modelHash: parameters.modelHash, roster }, question.sharers);
  const operations: MaskOperation[] = [{ seed: selfSeed(context, state.selfSecret, me), subtract: false }];
  for (const peer of peers) {
    const pair = { member: me, secretKey: state.mask.secretKey, peer, peerKey: state.maskKeys.get(peer)! };
    operations.push(await pairMask(ports.crypto, context, pair));
  }
  ports.kernel.apply(words, operations);
  wipe(state.selfSecret, state.mask.secretKey, ...operations.map(({ seed }) => seed));
  const answer = await encodeMasked(ports.crypto, roster.sessionId, packWords(words, parameters.wordBits));
  const macKeys = new Map(peers.map((peer) => [peer, state.channels.get(peer)!.macKey]));
  for (const { boxKey } of state.channels.values()) wipe(boxKey);
  return {
    state: { phase: "masked", parameters, sessionId: roster.sessionId, graph, me, sharers, held, macKeys },
    answer,
    unopened,
  };
}

function openAll(state: Shared, peers: readonly number[], envelopes: readonly Uint8Array[]) {
  const { graph, me } = state;
  const held = new Map<number, DealtShares>();
  const unopened: number[] = [];
  if (state.own !== undefined) held.set(me, state.own);
  for (const [i, dealer] of peers.entries()) {
    const expected = { dealer, holder: me, x: graph.shareIndex(dealer, me) };
    const shares = openEnvelope(state.channels.get(dealer)!.boxKey, envelopes[i]!, expected);
    if (shares === undefined) unopened.push(dealer);
    else held.set(dealer, shares);
  }
  return { held, unopened };
}

function refuse(found: string): never {
  throw new ProtocolError("secure_survivors", found);
}
