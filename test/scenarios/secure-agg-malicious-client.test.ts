import { ProtocolError } from "@tributary/protocol";
import {
  advertise,
  BlameError,
  closeConfirming,
  closeMasking,
  closeSharing,
  decodeParameters,
  encodeParameters,
  openSession,
  receiveAdvertisement,
  receiveConfirmation,
  receiveMasked,
  receiveReveal,
  receiveShares,
  type SecureLane,
  unmask,
  unmaskQuestionFor,
  unmaskSum,
} from "@tributary/secure-agg";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeAdvertisement, signKeys } from "../../packages/secure-agg/src/message/advertisement.ts";
import {
  enrolled,
  kernel,
  nameOf,
  parametersFor,
  plainSum,
  portsOf,
  runFederation,
  seededCrypto,
  signerOf,
} from "../support/secure-agg-federation.ts";
import { afterConfirm, afterMask, afterShare, coordinatorCrypto as crypto } from "../support/secure-agg-steps.ts";

const lanes: SecureLane[] = [{ name: "model", length: 20, encoding: { kind: "update", clip: 1, bits: 12 } }];
const parameters = parametersFor(10, lanes);
const contribution = (client: number) => ({ values: new Float64Array(20).fill(client / 10), weight: 90 });
const envelopesAt = 68;
const envelopeBytes = 113;

describe("a client that sends", () => {
  test("wrong shares when it unmasks: the sum is right and the client is named", async () => {
    const run = await runFederation({
      parameters,
      contribution,
      seed: "wrong share",
      drops: { mask: new Set([4]) },
      // Entry 0 starts at 36: a kind byte, then 32 bytes of share, for each of the ten dealers.
      onAnswer: (phase, client, answer) => {
        if (phase === "unmask" && client === 7) for (let i = 0; i < 10; i++) answer[36 + 33 * i + 5]! ^= 0xff;
        return answer;
      },
    });
    expect(run.result.culprits).toEqual([7]);
    expect(run.result.words).toEqual(plainSum(run, parameters.wordBits));
  });

  test("a commitment to something else: the round ends and the client is named", async () => {
    const attempt = runFederation({
      parameters,
      contribution,
      seed: "wrong commitment",
      onAnswer: (phase, client, answer) => {
        if (phase === "share" && client === 3) answer[40]! ^= 1;
        return answer;
      },
    });
    await expect(attempt).rejects.toThrow(BlameError);
    await expect(attempt).rejects.toMatchObject({ code: "secure_bad_share", culprits: [3] });
  });

  test("shares for the wrong neighbours: they open for neither, and the sum is right without them", async () => {
    const run = await runFederation({
      parameters,
      contribution,
      seed: "wrong index",
      onAnswer: (phase, client, answer) => {
        if (phase !== "share" || client !== 3) return answer;
        const first = answer.slice(envelopesAt, envelopesAt + envelopeBytes);
        answer.copyWithin(envelopesAt, envelopesAt + envelopeBytes, envelopesAt + 2 * envelopeBytes);
        answer.set(first, envelopesAt + envelopeBytes);
        return answer;
      },
    });
    expect(run.survivors).toHaveLength(10);
    expect(run.result.words).toEqual(plainSum(run, parameters.wordBits));
  });

  test("truncated envelopes: it is left out before it masks anything", async () => {
    const run = await runFederation({
      parameters,
      contribution,
      seed: "truncated",
      onAnswer: (phase, client, answer) => (phase === "share" && client === 3 ? answer.slice(0, -1) : answer),
    });
    expect(run.refusals.get(3)).toMatchObject({ code: "secure_message" });
    expect(run.survivors).not.toContain(3);
    expect(run.result.words).toEqual(plainSum(run, parameters.wordBits));
  });

  test("tags that are wrong: they count as absent, nobody has a veto", async () => {
    const run = await runFederation({
      parameters,
      contribution,
      seed: "wrong tags",
      onAnswer: (phase, client, answer) => {
        if (phase === "confirm" && client === 3) answer.fill(0, 36);
        return answer;
      },
    });
    expect(run.survivors).toHaveLength(10);
    expect(run.result.words).toEqual(plainSum(run, parameters.wordBits));
  });

  test("both kinds of share, or the other kind: refused", async () => {
    const run = await runFederation({
      parameters,
      contribution,
      seed: "other kind",
      onAnswer: (phase, client, answer) => {
        if (phase === "unmask" && client === 3) answer[36] = 2;
        return answer;
      },
    });
    expect(run.refusals.get(3)).toMatchObject({ code: "secure_message" });
    expect(run.result.words).toEqual(plainSum(run, parameters.wordBits));
  });

  test("a vector that is no valid contribution: the sum is refused", async () => {
    const { unmasking, states } = await afterConfirm({ parameters, seed: "poison" });
    unmasking.sum[5]! += 2 ** (parameters.wordBits - 1);
    for (const [member, state] of states) {
      receiveReveal(unmasking, member, unmask(state, unmaskQuestionFor(unmasking, member)).state.answer);
    }
    await expect(unmaskSum(unmasking, { crypto, kernel })).rejects.toMatchObject({ code: "secure_sum" });
  });

  test("another answer than before is refused, the same one again is not", async () => {
    const { sharing } = await afterShare({ parameters, seed: "twice" });
    const sent = sharing.inbox.get(2)!;
    expect(receiveShares(sharing, 2, sent.slice())).toBe("duplicate");
    const other = sent.slice();
    other[200]! ^= 1;
    expect(() => receiveShares(sharing, 2, other)).toThrow(expect.objectContaining({ code: "conflicting_update" }));
  });
});

test("garbled, short, long and random messages are refused at every step and change nothing", async () => {
  const { sharing } = await afterShare({ parameters, seed: "garbled" });
  const staged = await afterMask({ parameters, seed: "garbled" });
  const { masking } = staged;
  for (const [member, upload] of staged.uploads.entries()) {
    if (member < 9) await receiveMasked(masking, { member, crypto }, upload);
  }
  const confirming = closeMasking(masking);
  const full = await afterConfirm({ parameters, seed: "garbled" });
  const opening = openSession(parameters);
  const from = { client: nameOf(1), identityKey: signerOf(1).publicKey, crypto };
  const sumBefore = masking.sum.slice();
  const receivers: ((bytes: Uint8Array) => unknown)[] = [
    (bytes) => receiveAdvertisement(opening, from, bytes),
    (bytes) => receiveShares(sharing, 1, bytes),
    (bytes) => receiveMasked(masking, { member: 9, crypto }, bytes),
    (bytes) => receiveConfirmation(confirming, 1, bytes),
    (bytes) => receiveReveal(full.unmasking, 1, bytes),
    (bytes) => decodeParameters(bytes),
  ];
  const valid = [sharing.inbox.get(1)!, staged.uploads[9]!];
  const garbage = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.tuple(fc.constantFrom(...valid), fc.nat(2000), fc.integer({ min: 1, max: 255 })).map(([bytes, at, flip]) => {
      const bent = bytes.slice();
      // The header, where a flipped bit always matters; envelopes are opaque to the coordinator.
      bent[at % 36]! ^= flip;
      return bent;
    }),
    fc.constantFrom(...valid).map((bytes) => Uint8Array.of(...bytes, 0)),
    fc.tuple(fc.constantFrom(...valid), fc.nat(2000)).map(([bytes, at]) => bytes.slice(0, at % bytes.length)),
  );
  await fc.assert(
    fc.asyncProperty(garbage, fc.nat(receivers.length - 1), async (bytes, which) => {
      const outcome = await (async () => receivers[which]!(bytes))().catch((refusal: unknown) => refusal);
      expect(outcome).toBeInstanceOf(ProtocolError);
    }),
    { numRuns: 400 },
  );
  expect(masking.sum).toEqual(sumBefore);
  expect([opening.inbox.size, confirming.inbox.size, full.unmasking.inbox.size]).toEqual([0, 0, 0]);
  expect(closeSharing(sharing).sharers.size).toBe(10);
  expect(() => closeConfirming(confirming)).toThrow(expect.objectContaining({ code: "secure_too_few" }));
});

test("a vector that is still being checked when the step closes never enters the sum", async () => {
  const { masking, uploads } = await afterMask({ parameters, seed: "race" });
  for (const member of [0, 1, 2, 3, 4, 5, 6, 7, 8]) await receiveMasked(masking, { member, crypto }, uploads[member]!);
  const late = receiveMasked(masking, { member: 9, crypto }, uploads[9]!);
  const confirming = closeMasking(masking);
  const before = confirming.sum.slice();
  await expect(late).rejects.toMatchObject({ code: "phase_closed" });
  expect(confirming.sum).toEqual(before);
  expect(confirming.survivors.has(9)).toBe(false);
});

test("keys of small order, used twice or taken from another client never reach the roster", async () => {
  const opening = openSession(parameters);
  const { configHash } = opening;
  const first = await advertise(portsOf(seededCrypto("honest")), enrolled(0), encodeParameters(parameters));
  await receiveAdvertisement(opening, { client: nameOf(0), identityKey: signerOf(0).publicKey, crypto }, first.answer);
  const fresh = () => crypto.publicKeyOf(crypto.randomBytes(32));
  const send = async (channelKey: Uint8Array, maskKey: Uint8Array) => {
    const signature = await signKeys(signerOf(1), { configHash, client: nameOf(1) }, { channelKey, maskKey });
    const from = { client: nameOf(1), identityKey: signerOf(1).publicKey, crypto };
    return receiveAdvertisement(opening, from, encodeAdvertisement(configHash, { channelKey, maskKey, signature }));
  };
  const zero = new Uint8Array(32);
  const own = await fresh();
  const refused = { code: "secure_key" };
  await expect(send(zero, own)).rejects.toMatchObject(refused);
  await expect(send(own, zero)).rejects.toMatchObject(refused);
  await expect(send(own, own)).rejects.toMatchObject(refused);
  await expect(send(first.state.channel.publicKey, own)).rejects.toMatchObject(refused);
  await expect(send(own, first.state.channel.publicKey)).rejects.toMatchObject(refused);
  expect(await send(own, await fresh())).toBe("accepted");
});
