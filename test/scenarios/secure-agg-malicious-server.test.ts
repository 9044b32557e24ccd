import {
  addPacked,
  advertise,
  closeAdvertising,
  closeConfirming,
  closeMasking,
  closeSharing,
  confirm,
  decodeAnswered,
  encodeAnswered,
  encodeParameters,
  finish,
  mask,
  maskQuestionFor,
  maskTasks,
  receiveConfirmation,
  receiveMasked,
  receiveReveal,
  recover,
  recoveries,
  repeatAnswer,
  type SecureLane,
  share,
  unmask,
  unmaskOperation,
  unmaskQuestionFor,
  unmaskSum,
} from "@tributary/secure-agg";
import { describe, expect, test } from "vitest";
import { encodeConfirmQuestion, survivorsHashOf } from "../../packages/secure-agg/src/message/confirmation.ts";
import { decodeReveal } from "../../packages/secure-agg/src/message/reveal.ts";
import { encodeRoster, type Member } from "../../packages/secure-agg/src/message/roster.ts";
import { decodeMaskQuestion, encodeMaskQuestion } from "../../packages/secure-agg/src/message/shares.ts";
import {
  enrolled,
  kernel,
  modelHash,
  parametersFor,
  portsOf,
  seededCrypto,
  signerOf,
} from "../support/secure-agg-federation.ts";
import {
  afterAdvertise,
  afterConfirm,
  afterMask,
  afterShare,
  coordinatorCrypto,
  refusalOf,
} from "../support/secure-agg-steps.ts";

const lanes: SecureLane[] = [{ name: "model", length: 8000, encoding: { kind: "update", clip: 1, bits: 16 } }];
const parameters = parametersFor(6, lanes);
const crypto = coordinatorCrypto;

/** Chi-square of the bytes, standardised. */
function byteZ(words: Uint32Array): number {
  const counts = new Float64Array(256);
  const bytes = new Uint8Array(words.slice().buffer);
  for (const byte of bytes) counts[byte]!++;
  const expected = bytes.length / 256;
  return (counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0) - 255) / Math.sqrt(510);
}

describe("survivor sets", () => {
  const ask = async (survivors: (size: number) => number[]) => {
    const { masking, states } = await afterMask({ parameters, seed: "survivors" });
    const { sessionId } = masking.roster;
    return refusalOf(() => confirm(states[0]!, encodeConfirmQuestion(sessionId, survivors(6), 6)));
  };

  test("without the device itself, or with fewer than the minimum, are refused", async () => {
    expect(await ask(() => [1, 2, 3, 4, 5])).toBe("secure_survivors");
    expect(await ask(() => [0, 1])).toBe("secure_too_few");
    expect(await ask(() => [0, 1, 2, 3])).toBe("secure_too_few");
    expect(await ask(() => [0, 1, 2, 3, 4])).toBe("none");
  });

  test("with someone who never dealt shares are refused", async () => {
    const { sharing, states, ports } = await afterShare({ parameters, seed: "stranger" });
    sharing.inbox.delete(5);
    const masking = closeSharing(sharing);
    const words = new Uint32Array(masking.sum.length);
    const next = await mask(ports[0]!, states[0]!, { question: maskQuestionFor(masking, 0), words });
    const question = encodeConfirmQuestion(masking.roster.sessionId, [0, 1, 2, 3, 4, 5], 6);
    expect(await refusalOf(() => confirm(next.state, question))).toBe("secure_survivors");
  });

  test("with bits past the last client, so that one could be named twice, are refused", async () => {
    const { masking, states } = await afterMask({ parameters, seed: "bits" });
    const question = encodeConfirmQuestion(masking.roster.sessionId, [0, 1, 2, 3, 4, 5, 7], 8);
    expect(await refusalOf(() => confirm(states[0]!, question))).toBe("secure_message");
  });

  test("of another session are refused", async () => {
    const [here, there] = [
      await afterMask({ parameters, seed: "here" }),
      await afterMask({ parameters, seed: "there" }),
    ];
    const question = encodeConfirmQuestion(there.masking.roster.sessionId, [0, 1, 2, 3, 4, 5], 6);
    expect(await refusalOf(() => confirm(here.states[0]!, question))).toBe("secure_message");
  });
});

describe("a second set", () => {
  test("a target that is alive for all, then dropped for all: nobody answers twice, one kind of share comes out", async () => {
    const { unmasking, states } = await afterConfirm({ parameters, seed: "both" });
    const target = 3;
    const seedShares: Uint8Array[] = [];
    const keyShares: Uint8Array[] = [];
    for (const [member, state] of states) {
      const answered = unmask(state, unmaskQuestionFor(unmasking, member)).state;
      const share = decodeReveal(answered.sessionId, answered.answer, 6)[target]!;
      if (share.kind === "seed") seedShares.push(share.value);
      if (share.kind === "key") keyShares.push(share.value);
      // The other set: refused by the answered device, and the state before it is spent.
      const others = new Set([0, 1, 2, 4, 5, member]);
      const survivorsHash = survivorsHashOf(unmasking.roster.sessionId, [...others], 6);
      const other = unmaskQuestionFor({ ...unmasking, survivors: others, survivorsHash }, member);
      if (member !== target)
        expect(await refusalOf(() => repeatAnswer(answered, other))).toBe("secure_already_answered");
      expect(await refusalOf(() => unmask(state, other))).not.toBe("none");
    }
    expect([seedShares.length, keyShares.length]).toEqual([6, 0]);
  });

  test("the same request again, also after a restart, gets identical bytes", async () => {
    const { unmasking, states } = await afterConfirm({ parameters, seed: "repeat" });
    const question = unmaskQuestionFor(unmasking, 2);
    const answered = unmask(states.get(2)!, question).state;
    const restored = decodeAnswered(encodeAnswered(answered));
    expect(repeatAnswer(restored, question)).toEqual(answered.answer);
  });

  test("the same step cannot be taken twice from one state", async () => {
    const { masking, states } = await afterMask({ parameters, seed: "spent" });
    const question = (survivors: number[]) => encodeConfirmQuestion(masking.roster.sessionId, survivors, 6);
    confirm(states[0]!, question([0, 1, 2, 3, 4, 5]));
    expect(() => confirm(states[0]!, question([0, 1, 2, 3, 4]))).toThrow(/already used/);
  });
});

describe("different views of the survivors", () => {
  test("half of the devices are told that one left: nobody reveals anything", async () => {
    const { masking, states, uploads } = await afterMask({ parameters, seed: "views" });
    for (const [member, upload] of uploads.entries()) await receiveMasked(masking, { member, crypto }, upload);
    const { sessionId } = masking.roster;
    const views = states.map((_, member) => (member < 3 ? [0, 1, 2, 3, 4, 5] : [0, 1, 3, 4, 5]));
    const confirmed = states.map((state, member) =>
      member === 2 ? undefined : confirm(state, encodeConfirmQuestion(sessionId, views[member]!, 6)),
    );
    const honest = closeMasking(masking);
    for (const [member, one] of confirmed.entries()) {
      if (one === undefined) continue;
      // The coordinator forwards every tag it has, in the order the device expects.
      const peers = views[member]!.filter((peer) => peer !== member);
      const tags = new Map(
        peers.map((peer) => {
          const answer = confirmed[peer]?.answer;
          const at = views[peer]!.filter((to) => to !== peer).indexOf(member);
          return [peer, answer?.slice(36 + 32 * at, 68 + 32 * at) ?? new Uint8Array(32)] as const;
        }),
      );
      const state = {
        ...honest,
        step: "unmasking",
        survivors: new Set(views[member]),
        survivorsHash: survivorsHashOf(sessionId, views[member]!, 6),
        tags: new Map([[member, tags]]),
      } as never;
      expect(await refusalOf(() => unmask(one.state, unmaskQuestionFor(state, member)))).toBe("secure_inconsistent");
    }
  });
});

describe("the roster", () => {
  const withRoster = async (change: (members: Member[]) => Member[], admits = true) => {
    const { advertising, states, ports } = await afterAdvertise({ parameters, seed: "roster" });
    const { roster, configHash } = closeAdvertising(advertising);
    const question = encodeRoster(configHash, change([...roster.members]));
    return refusalOf(() => share({ ...ports[0]!, admits: () => admits }, states[0]!, question));
  };
  const patch = (index: number, change: Partial<Member>) => (members: Member[]) =>
    members.map((member, i) => (i === index ? { ...member, ...change } : member));
  const key = (fill: number) => new Uint8Array(32).fill(fill);

  test.each<[string, (members: Member[]) => Member[], string]>([
    ["a neighbour's mask key swapped", patch(3, { maskKey: key(9) }), "secure_key"],
    ["a neighbour's channel key swapped", patch(3, { channelKey: key(9) }), "secure_key"],
    ["a bad signature", patch(3, { signature: new Uint8Array(64) }), "secure_key"],
    ["a small-order device key", patch(3, { identityKey: key(0) }), "secure_key"],
    ["another device's key under this name", patch(3, { identityKey: signerOf(9).publicKey }), "secure_key"],
    [
      "one client's keys under two names",
      (m) => [...m.slice(0, 5), { ...m[4]!, client: "client-000009" }],
      "secure_roster",
    ],
    ["one client twice", (m) => [...m.slice(0, 5), m[4]!], "secure_message"],
    [
      "this device's own keys under another name too",
      (m) => [...m.slice(0, 5), { ...m[0]!, client: "client-000009" }],
      "secure_roster",
    ],
    ["this device with other keys", patch(0, { maskKey: key(9) }), "secure_roster"],
    ["this device with another identity", patch(0, { identityKey: key(9) }), "secure_roster"],
    ["without this device", (m) => m.slice(1), "secure_roster"],
    ["another order", (m) => [...m].reverse(), "secure_message"],
    ["fewer than the threshold", (m) => m.slice(0, 4), "secure_too_few"],
    ["more than were asked", (m) => [...m, { ...m[5]!, client: "client-000009" }], "secure_message"],
  ])("%s: refused", async (_, change, code) => {
    expect(await withRoster(change)).toBe(code);
  });

  test("with a device that no authority vouches for: refused", async () => {
    expect(await withRoster((members) => members, false)).toBe("secure_roster");
    expect(await withRoster((members) => members)).toBe("none");
  });
});

describe("what a device is told of the session", () => {
  test("a model that it does not hold is refused before any key is made", async () => {
    const question = encodeParameters({ ...parameters, modelHash: "cd".repeat(32) });
    expect(await refusalOf(() => advertise(portsOf(seededCrypto("model")), enrolled(0), question))).toBe(
      "model_hash_mismatch",
    );
  });

  test("another configuration for one device: it takes nobody else's keys", async () => {
    const { advertising, ports } = await afterAdvertise({ parameters, seed: "config" });
    const other = encodeParameters({ ...parameters, weightCap: 5 });
    const { state } = await advertise(ports[0]!, enrolled(0), other);
    const { roster } = closeAdvertising(advertising);
    const members = roster.members.map((member, i) =>
      i === 0 ? { ...member, channelKey: state.channel.publicKey, maskKey: state.mask.publicKey } : member,
    );
    const question = encodeRoster(state.configHash, members);
    expect(await refusalOf(() => share(ports[0]!, state, question))).toBe("secure_key");
  });

  test("another set of dealers for one device: its masks cancel with nobody's, and the sum is refused", async () => {
    const seven = parametersFor(7, lanes);
    const { sharing, states, ports } = await afterShare({ parameters: seven, seed: "dealers" });
    const masking = closeSharing(sharing);
    const { sessionId } = masking.roster;
    const masked = [];
    // Client 6 leaves after it dealt. Client 0 hears that it never did; the others hear that it did.
    for (const member of [0, 1, 2, 3, 4, 5]) {
      const honest = maskQuestionFor(masking, member);
      const { envelopes } = decodeMaskQuestion(sessionId, honest, 7);
      const told = encodeMaskQuestion(sessionId, { sharers: [0, 1, 2, 3, 4, 5], envelopes: envelopes.slice(0, 5) }, 7);
      const words = new Uint32Array(masking.sum.length);
      const next = await mask(ports[member]!, states[member]!, { question: member === 0 ? told : honest, words });
      await receiveMasked(masking, { member, crypto }, next.answer);
      masked.push(next.state);
    }
    const confirming = closeMasking(masking);
    const confirmed = masked.map((state) => confirm(state, confirming.question));
    for (const [member, { answer }] of confirmed.entries()) receiveConfirmation(confirming, member, answer);
    const unmasking = closeConfirming(confirming);
    for (const member of [1, 2, 3, 4, 5]) {
      const { state } = unmask(confirmed[member]!.state, unmaskQuestionFor(unmasking, member));
      receiveReveal(unmasking, member, state.answer);
    }
    expect(await refusalOf(() => unmaskSum(unmasking, { crypto, kernel }))).toBe("secure_sum");
  });

  test("masks of one model do not cancel those of another: what is left is uniform", async () => {
    const { unmasking, states } = await afterConfirm({
      parameters: parametersFor(6, lanes, { wordBits: 32 }),
      seed: "noise",
    });
    for (const [member, state] of states) {
      receiveReveal(unmasking, member, unmask(state, unmaskQuestionFor(unmasking, member)).state.answer);
    }
    const recovered = await Promise.all(recoveries(unmasking)!.map((one) => recover(one, crypto)));
    // As if the clients had masked for another model than the one the coordinator asks about.
    const lied = { ...unmasking, parameters: { ...unmasking.parameters, modelHash: "cd".repeat(32) } };
    const operations = await Promise.all(maskTasks(lied, recovered).map((task) => unmaskOperation(task, crypto)));
    const words = unmasking.sum.slice();
    kernel.apply(words, operations);
    expect(Math.abs(byteZ(words))).toBeLessThan(5);
    expect(await refusalOf(() => finish(lied, { words, recovered, crypto }))).toBe("secure_sum");
    expect(modelHash).not.toBe(lied.parameters.modelHash);
  });

  test("other neighbours than the derived ones: refused", async () => {
    const { sharing, states, ports } = await afterShare({ parameters, seed: "neighbours" });
    const masking = closeSharing(sharing);
    const { sessionId } = masking.roster;
    const { sharers, envelopes } = decodeMaskQuestion(sessionId, maskQuestionFor(masking, 0), 6);
    const words = () => new Uint32Array(masking.sum.length);
    const ask = (question: Uint8Array) => refusalOf(() => mask(ports[0]!, states[0]!, { question, words: words() }));
    const fewer = encodeMaskQuestion(sessionId, { sharers, envelopes: envelopes.slice(1) }, 6);
    const more = encodeMaskQuestion(sessionId, { sharers, envelopes: [...envelopes, envelopes[0]!] }, 6);
    expect(await ask(fewer)).toBe("secure_survivors");
    expect(await ask(more)).toBe("secure_survivors");
    const withoutMe = encodeMaskQuestion(sessionId, { sharers: [1, 2, 3, 4, 5], envelopes }, 6);
    expect(await ask(withoutMe)).toBe("secure_survivors");
    // Envelopes in another order open for nobody: their dealers count as absent, here too many of them.
    const shuffled = encodeMaskQuestion(sessionId, { sharers, envelopes: [...envelopes].reverse() }, 6);
    expect(await ask(shuffled)).toBe("secure_too_few");
  });
});

test("the late vector of a client declared dropped stays hidden, though its pairwise masks are known", async () => {
  const wide = parametersFor(6, lanes, { wordBits: 32 });
  const { unmasking, states, plain, uploads } = await afterConfirm(
    { parameters: wide, seed: "late" },
    (member) => member !== 5,
  );
  for (const [member, state] of states) {
    receiveReveal(unmasking, member, unmask(state, unmaskQuestionFor(unmasking, member)).state.answer);
  }
  const recovered = await Promise.all(recoveries(unmasking)!.map((one) => recover(one, crypto)));
  const dropped = recovered.find(({ member }) => member === 5)!;
  expect(dropped.kind).toBe("key");
  const late = new Uint32Array(unmasking.sum.length);
  addPacked(late, uploads[5]!.subarray(68), 32);
  // All of its pairwise masks: its own key is known now.
  const pairs = maskTasks(unmasking, [dropped]);
  const operations = await Promise.all(pairs.map((task) => unmaskOperation(task, crypto)));
  kernel.apply(
    late,
    operations.map(({ seed, subtract }) => ({ seed, subtract: !subtract })),
  );
  expect(pairs).toHaveLength(5);
  // Zeros, and still uniform: b is its last mask.
  expect(plain[5]!.subarray(0, 8000).every((word) => word === 0)).toBe(true);
  expect(Math.abs(byteZ(late))).toBeLessThan(5);
  const result = await unmaskSum(unmasking, { crypto, kernel });
  expect(result!.total.contributors).toBe(5);
});

describe("an attempt that is pretended to be abandoned", () => {
  const small = parametersFor(6, [{ name: "model", length: 3, encoding: { kind: "update", clip: 1, bits: 16 } }]);
  const contribution = (client: number) => ({ values: Float64Array.of(client / 10, -client / 10, 0.5), weight: 100 });

  /** The words of a completed attempt in which everyone but `absent` takes part. */
  const attempt = async (number: number, absent: number | undefined, revealed: ReadonlyMap<number, Set<string>>) => {
    const { unmasking, states, plain } = await afterConfirm(
      {
        parameters: { ...small, attempt: number },
        seed: "the cached update is sent again",
        contribution,
        self: (client) => ({ ...enrolled(client), revealed: revealed.get(client)! }),
      },
      (member) => member !== absent,
    );
    for (const [member, state] of states) {
      const answered = unmask(state, unmaskQuestionFor(unmasking, member)).state;
      revealed.get(member)!.add(answered.revealKey);
      receiveReveal(unmasking, member, answered.answer);
    }
    return { words: (await unmaskSum(unmasking, { crypto, kernel }))!.words, plain };
  };
  const nothing = () => new Map(Array.from({ length: 6 }, (_, client) => [client, new Set<string>()]));

  test("gets no second sum: devices that revealed join no other attempt on this version", async () => {
    const revealed = nothing();
    await attempt(1, 4, revealed);
    expect(await refusalOf(() => attempt(2, undefined, revealed))).toBe("secure_already_revealed");
  });

  test("and with that rule off, the difference of two sums is the device's own update", async () => {
    const first = await attempt(1, 4, nothing());
    const second = await attempt(2, undefined, nothing());
    const mask = 2 ** small.wordBits - 1;
    const stolen = second.words.map((word, i) => (word - first.words[i]!) & mask);
    expect(stolen).toEqual(second.plain[4]!.map((word) => word & mask));
  });
});
