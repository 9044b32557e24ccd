import {
  closeAdvertising,
  closeSharing,
  encodeAnswered,
  type MaskKernel,
  mask,
  maskQuestionFor,
  openClientSession,
  openSession,
  packWords,
  receiveAdvertisement,
  receiveReveal,
  receiveShares,
  type SecureLane,
  unmask,
  unmaskQuestionFor,
  unmaskSum,
} from "@tributary/secure-agg";
import { describe, expect, test } from "vitest";
import {
  enrolled,
  kernel,
  nameOf,
  parametersFor,
  portsOf,
  runFederation,
  seededBytes,
  seededCrypto,
  signerOf,
} from "../support/secure-agg-federation.ts";
import { afterConfirm, afterMask, afterShare, coordinatorCrypto, refusalOf } from "../support/secure-agg-steps.ts";

const lanes: SecureLane[] = [{ name: "model", length: 20, encoding: { kind: "update", clip: 1, bits: 12 } }];
const parameters = parametersFor(5, lanes);

describe("secrets", () => {
  test("are gone from a device as soon as their step is done", async () => {
    const handedOut: Uint8Array[] = [];
    const source = seededBytes("watched");
    const crypto = {
      ...seededCrypto("watched"),
      randomBytes(length: number) {
        const bytes = source(length);
        if (length === 32) handedOut.push(bytes);
        return bytes;
      },
    };
    const opening = openSession(parameters);
    const words = async () => new Uint32Array(64);
    const hooks = { words, persist: async () => {} };
    const watched = await openClientSession(portsOf(crypto), enrolled(0), { question: opening.question, hooks });
    const others = await Promise.all(
      [1, 2, 3, 4].map((client) =>
        openClientSession(portsOf(seededCrypto(`other ${client}`)), enrolled(client), {
          question: opening.question,
          hooks,
        }),
      ),
    );
    const sessions = [watched, ...others];
    for (const [client, { advertisement }] of sessions.entries()) {
      const from = { client: nameOf(client), identityKey: signerOf(client).publicKey, crypto: coordinatorCrypto };
      await receiveAdvertisement(opening, from, advertisement);
    }
    const sharing = closeAdvertising(opening);
    for (const [member, session] of sessions.entries()) {
      receiveShares(sharing, member, await session.answer(sharing.question));
    }
    // Channel key, mask key, b: the first is gone after the envelopes, the others after the vector.
    expect(handedOut).toHaveLength(3);
    expect(handedOut.map((bytes) => bytes.every((byte) => byte === 0))).toEqual([true, false, false]);
    await watched.answer(maskQuestionFor(closeSharing(sharing), 0));
    expect(handedOut.map((bytes) => bytes.every((byte) => byte === 0))).toEqual([true, true, true]);
  });

  test("are in nothing that is sent, logged, thrown or stored", async () => {
    const secrets: string[] = [];
    const { unmasking, states, uploads } = await afterConfirm({ parameters, seed: "grep" });
    const records: string[] = [];
    const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
    for (const member of unmasking.sharers) {
      // The streams are seeded, so the secrets can be drawn again: channel key, mask key, b.
      const again = seededBytes(`grep/${member}`);
      for (let i = 0; i < 3; i++) secrets.push(hex(again(32)));
    }
    for (const [member, state] of states) {
      const question = unmaskQuestionFor(unmasking, member);
      records.push(hex(question));
      const { state: answered } = unmask(state, question);
      records.push(hex(encodeAnswered(answered)), JSON.stringify(answered), hex(answered.answer));
      receiveReveal(unmasking, member, answered.answer);
    }
    const result = (await unmaskSum(unmasking, { crypto: coordinatorCrypto, kernel }))!;
    records.push(JSON.stringify(result), hex(result.transcript), hex(new Uint8Array(result.words.slice().buffer)));
    // The same session again, for what was sent before: envelopes and vectors.
    const { sharing } = await afterShare({ parameters, seed: "grep" });
    for (const bytes of [...sharing.inbox.values(), ...uploads]) records.push(hex(bytes));
    const everything = records.join("\n");
    for (const secret of secrets) expect(everything).not.toContain(secret);
    // And the search can find one: the streams are those that the session drew from.
    expect(await coordinatorCrypto.publicKeyOf(Buffer.from(secrets[1]!, "hex"))).toEqual(
      unmasking.roster.members[0]!.maskKey,
    );
  });

  test("are in no refusal: its message has no long hexadecimal or byte list", async () => {
    const run = await runFederation({
      parameters,
      seed: "refusals",
      contribution: () => ({ values: new Float64Array(20), weight: 100 }),
      onAnswer: (phase, client, answer) => (client === 2 && phase === "mask" ? answer.fill(7, 36, 68) : answer),
    });
    expect(run.refusals.size).toBe(1);
    for (const refusal of run.refusals.values()) {
      expect(String(refusal)).not.toMatch(/[0-9a-f]{16,}|(\d+,\s*){8}/);
    }
  });
});

describe("in the clear", () => {
  const values = { values: new Float64Array(20).fill(0.25), weight: 100 };

  test("nothing goes when a step fails: no upload without masks", async () => {
    const broken: MaskKernel = {
      name: "portable",
      apply() {
        throw new Error("no SIMD today");
      },
    };
    const { sharing, states, ports } = await afterShare({
      parameters,
      seed: "broken",
    });
    const masking = closeSharing(sharing);
    const question = maskQuestionFor(masking, 0);
    const step = () => mask({ ...ports[0]!, kernel: broken }, states[0]!, { question, words: new Uint32Array(64) });
    await expect(step()).rejects.toThrow("no SIMD today");
    // And not on a second try either: the state is spent.
    await expect(step()).rejects.toThrow(/already used/);
  });

  test("nothing is left of the words after they were masked", async () => {
    const { plain, uploads } = await afterMask({ parameters, seed: "clear", contribution: () => values });
    for (const [member, upload] of uploads.entries()) {
      const clear = packWords(plain[member]!, parameters.wordBits);
      expect(Buffer.from(upload).includes(Buffer.from(clear.subarray(0, 8)))).toBe(false);
    }
  });

  test("a session that ends too small ends with a reason and no total", async () => {
    const plan = { parameters, seed: "small", contribution: () => values, drops: { mask: new Set([0, 1]) } };
    expect(await refusalOf(() => runFederation(plan))).toBe("secure_too_few");
  });
});
