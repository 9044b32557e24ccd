import {
  addPacked,
  closeSharing,
  combine,
  confirm,
  defaultFloors,
  findDegree,
  type Masked,
  type MaskTask,
  mask,
  maskQuestionFor,
  type SecureLane,
  type Share,
  unmask,
  unmaskOperation,
} from "@tributary/secure-agg";
import { beforeAll, describe, expect, test } from "vitest";
// Test-only: the reveal without the consistency round before it. The package does not export it.
import { revealShares } from "../../packages/secure-agg/src/client/reveal-shares.ts";
import {
  encodeConfirmQuestion,
  encodeUnmaskQuestion,
  survivorsHashOf,
} from "../../packages/secure-agg/src/message/confirmation.ts";
import { decodeReveal } from "../../packages/secure-agg/src/message/reveal.ts";
import { maskContextOf } from "../../packages/secure-agg/src/session/mask-seeds.ts";
import { kernel, modelHash, parametersFor } from "../support/secure-agg-federation.ts";
import { afterShare, coordinatorCrypto, refusalOf } from "../support/secure-agg-steps.ts";

// §B.1: on a sparse graph a coordinator tells each device another set of survivors, so that it gets b of its target and s
// of every neighbour of the target. The curious rule's threshold leaves room for that; only the consistency round stands
// in the way. (Under the strict rule t > 2k/3 here, and the devices' own count of survivors already refuses.)
const clients = 160;
const aim = { rule: "curious", corrupt: 0.05, dropout: 0.05, securityBits: 40, correctnessBits: 20 } as const;
const { neighbours, threshold } = findDegree(clients, aim)!;
const lanes: SecureLane[] = [{ name: "model", length: 60, encoding: { kind: "update", clip: 1, bits: 16 } }];
const parameters = parametersFor(clients, lanes, {
  graph: { kind: "circulant", neighbours },
  threshold,
  rule: "curious",
});
const target = 17;
const everyone = Array.from({ length: clients }, (_, member) => member);

let states: Masked[];
let session: Awaited<ReturnType<typeof stageSession>>;

/** A session up to the masked vectors; the target's is all that the attacker is after. */
async function stageSession() {
  const before = await afterShare({ parameters, seed: "isolation", floors: { ...defaultFloors, rule: "curious" } });
  const masking = closeSharing(before.sharing);
  const words = new Uint32Array(masking.sum.length);
  for (let i = 0; i < 60; i++) words[i] = 1000 + i;
  words[60] = 16;
  const plain = words.slice();
  let upload = new Uint8Array(0);
  const masked: Masked[] = [];
  for (const [member, state] of before.states.entries()) {
    const own = member === target ? words : new Uint32Array(words.length);
    const next = await mask(before.ports[member]!, state, { question: maskQuestionFor(masking, member), words: own });
    masked.push(next.state);
    if (member === target) upload = new Uint8Array(next.answer);
  }
  return { masking, masked, plain, upload };
}

beforeAll(async () => {
  session = await stageSession();
  states = session.masked;
});

/** Whom each device is told to have left: every neighbour of the target is dropped in the eyes of `threshold` others. */
function views(): Map<number, Set<number>> {
  const { graph } = session.masking;
  const dropped = new Map(everyone.map((member) => [member, new Set<number>()]));
  const room = (member: number) => neighbours - threshold - dropped.get(member)!.size;
  const stripped = [...graph.peers(target)];
  // The neighbours of the target that have the fewest neighbours outside go first.
  const outside = (member: number) => graph.peers(member).filter((peer) => !stripped.includes(peer)).length;
  stripped.sort((a, b) => outside(a) - outside(b));
  for (const victim of stripped) {
    const tellers = graph.peers(victim).filter((peer) => peer !== target && room(peer) > 0);
    // Those that border on fewer of the stripped ones are asked first: nobody else can use their room.
    const use = (teller: number) => graph.peers(teller).filter((peer) => stripped.includes(peer)).length;
    tellers.sort((a, b) => use(a) - use(b) || room(b) - room(a));
    for (const teller of tellers.slice(0, threshold)) dropped.get(teller)!.add(victim);
  }
  return new Map(everyone.map((member) => [member, new Set(everyone.filter((m) => !dropped.get(member)!.has(m)))]));
}

/** Opens the target's vector with the reveals that the coordinator got; undefined when it has too few shares. */
async function open(reveals: ReadonlyMap<number, Uint8Array>): Promise<Uint32Array | undefined> {
  const { masking, upload } = session;
  const { graph, roster, sharers, configHash } = masking;
  const sharesOf = (dealer: number, kind: "seed" | "key"): Share[] =>
    graph.holders(dealer).flatMap((holder, i) => {
      const reveal = reveals.get(holder);
      if (reveal === undefined) return [];
      const dealers = graph.holders(holder).filter((one) => sharers.has(one));
      const share = decodeReveal(roster.sessionId, reveal, dealers.length)[dealers.indexOf(dealer)]!;
      return share.kind === kind ? [{ x: i + 1, value: share.value }] : [];
    });
  const secret = (dealer: number, kind: "seed" | "key") => {
    const shares = sharesOf(dealer, kind);
    return shares.length < threshold ? undefined : combine(shares.slice(0, threshold));
  };
  const context = maskContextOf({ configHash, modelHash, roster }, [...sharers]);
  const own = secret(target, "seed");
  if (own === undefined) return undefined;
  const tasks: MaskTask[] = [{ kind: "self", context, member: target, secret: own }];
  for (const member of graph.peers(target)) {
    const secretKey = secret(member, "key");
    if (secretKey === undefined) return undefined;
    tasks.push({ kind: "pair", context, member, secretKey, peer: target, peerKey: roster.members[target]!.maskKey });
  }
  const words = new Uint32Array(masking.sum.length);
  addPacked(words, upload.subarray(68), parameters.wordBits);
  kernel.apply(words, await Promise.all(tasks.map((task) => unmaskOperation(task, coordinatorCrypto))));
  return words.map((word) => word & (2 ** parameters.wordBits - 1));
}

describe("a coordinator that strips the target of its neighbours' masks", () => {
  test("gets nothing: devices with different views confirm nothing to one another", async () => {
    const { roster, graph } = session.masking;
    const { sessionId } = roster;
    const told = views();
    const confirmed = new Map(
      everyone
        .filter((member) => member !== target)
        .map((member) => [
          member,
          confirm({ ...states[member]! }, encodeConfirmQuestion(sessionId, [...told.get(member)!], clients)),
        ]),
    );
    const reveals = new Map<number, Uint8Array>();
    const refusals = new Map<number, string>();
    for (const [member, { state }] of confirmed) {
      const survivorsHash = survivorsHashOf(sessionId, [...told.get(member)!], clients);
      const peers = graph.peers(member).filter((peer) => told.get(member)!.has(peer));
      const tags = peers.map((peer) => {
        const sent = graph.peers(peer).filter((to) => told.get(peer)!.has(to));
        const at = 36 + 32 * sent.indexOf(member);
        return sent.includes(member) ? confirmed.get(peer)?.answer.slice(at, at + 32) : undefined;
      });
      const question = encodeUnmaskQuestion(sessionId, { survivorsHash, tags });
      // A copy with its own shares: the script below plays the same session without the round.
      const held = new Map(
        [...state.held].map(([dealer, dealt]) => [
          dealer,
          { ...dealt, seedShare: dealt.seedShare.slice(), keyShare: dealt.keyShare.slice() },
        ]),
      );
      const macKeys = new Map([...state.macKeys].map(([peer, key]) => [peer, key.slice()]));
      const code = await refusalOf(() => {
        reveals.set(member, unmask({ ...state, held, macKeys }, question).state.answer);
      });
      refusals.set(member, code);
    }
    for (const peer of graph.peers(target)) expect(refusals.get(peer)).toBe("secure_inconsistent");
    expect(await open(reveals)).toBeUndefined();
  });

  test("and without the consistency round the same script opens the target's vector", async () => {
    const told = views();
    const reveals = new Map<number, Uint8Array>();
    for (const member of everyone) {
      if (member === target) continue;
      const survivors = told.get(member)!;
      // Each view passes every check that a device makes on its own.
      const question = encodeConfirmQuestion(session.masking.roster.sessionId, [...survivors], clients);
      const { state } = confirm({ ...states[member]! }, question);
      reveals.set(member, revealShares(state, survivors));
    }
    const opened = await open(reveals);
    expect(opened).toEqual(session.plain);
  });
});
