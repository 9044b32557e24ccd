import {
  confirm,
  decodeUnmasking,
  encodeUnmasking,
  maskQuestionFor,
  receiveReveal,
  repeatAnswer,
  type SecureLane,
  unmask,
  unmaskQuestionFor,
  unmaskSum,
} from "@tributary/secure-agg";
import { expect, test } from "vitest";
import { kernel, parametersFor, plainSum, runFederation } from "../support/secure-agg-federation.ts";
import { afterConfirm, afterMask, coordinatorCrypto as crypto, refusalOf } from "../support/secure-agg-steps.ts";

const lanes: SecureLane[] = [{ name: "model", length: 30, encoding: { kind: "update", clip: 1, bits: 16 } }];
const parameters = parametersFor(6, lanes);
const contribution = (client: number) => ({ values: new Float64Array(30).fill(client / 10), weight: 100 });

test("a coordinator that restarts between two reveals finishes the same attempt with the same set", async () => {
  const { unmasking, states, plain } = await afterConfirm(
    { parameters, seed: "restart", contribution },
    (member) => member !== 5,
  );
  const stored = encodeUnmasking(unmasking);
  const sum = unmasking.sum.slice();
  const answers = [...states].map(([member, state]) => {
    const question = unmaskQuestionFor(unmasking, member);
    return { member, question, answered: unmask(state, question).state };
  });
  const restored = decodeUnmasking(stored, sum);
  for (const { member, question, answered } of answers) {
    // Every device is asked again, with the same bytes, and gives the same bytes.
    expect(unmaskQuestionFor(restored, member)).toEqual(question);
    receiveReveal(restored, member, repeatAnswer(answered, unmaskQuestionFor(restored, member)));
  }
  const result = await unmaskSum(restored, { crypto, kernel });
  const expected = plain.slice(0, 5).reduce((total, words) => total.map((word, i) => word + words[i]!));
  expect(result!.words).toEqual(expected.map((word) => word & (2 ** parameters.wordBits - 1)));
});

test("a coordinator that restarts before the first unmask request begins afresh, and the devices follow", async () => {
  // The abandoned attempt got as far as the confirmations.
  await afterConfirm({ parameters, seed: "abandoned", contribution });
  const again = { ...parameters, attempt: 2 };
  const run = await runFederation({ parameters: again, contribution, seed: "afresh" });
  expect(run.result.words).toEqual(plainSum(run, again.wordBits));
});

test("what a restarted coordinator remembers of an older attempt fits no newer one", async () => {
  const [older, newer] = [
    await afterMask({ parameters, seed: "older" }),
    await afterMask({ parameters: { ...parameters, attempt: 2 }, seed: "newer" }),
  ];
  expect(maskQuestionFor(older.masking, 0)).not.toEqual(maskQuestionFor(newer.masking, 0));
  const { unmasking } = await afterConfirm({ parameters, seed: "older" });
  expect(await refusalOf(() => confirm(newer.states[0]!, unmaskQuestionFor(unmasking, 0)))).toBe("secure_message");
});

test("a stored session that was cut short or grew is refused", async () => {
  const { unmasking } = await afterConfirm({ parameters, seed: "stored" });
  const stored = encodeUnmasking(unmasking);
  for (const bytes of [stored.slice(0, -1), Uint8Array.of(...stored, 0), new Uint8Array(10)]) {
    expect(() => decodeUnmasking(bytes, unmasking.sum)).toThrow(expect.objectContaining({ code: "secure_message" }));
  }
});
