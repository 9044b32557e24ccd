import { describe, expect, test } from "vitest";
import {
  type Phase,
  parametersFor,
  phases,
  plainSum,
  runFederation,
  TooFewAnswers,
} from "../support/secure-agg-federation.ts";

const lanes = [
  { name: "model", length: 100, encoding: { kind: "update", clip: 1, bits: 16 } },
  { name: "examples", length: 1, encoding: { kind: "exact", scaleBits: 0 } },
  { name: "loss", length: 1, encoding: { kind: "exact", scaleBits: 20 } },
] as const;

const contribution = (client: number) => ({
  values: Float64Array.from({ length: 102 }, (_, i) =>
    i < 100 ? Math.sin(client + i) : i === 100 ? 10 + client : -0.5,
  ),
  weight: 50 + client,
});

describe.each([3, 5, 20])("a session of %i clients", (clients) => {
  const parameters = parametersFor(clients, lanes);

  test("gives the exact sum, and the means and counts that it stands for", async () => {
    const run = await runFederation({ parameters, contribution, seed: "whole" });
    expect(run.refusals.size).toBe(0);
    expect(run.result.words).toEqual(plainSum(run, parameters.wordBits));
    const { total } = run.result;
    expect(total.contributors).toBe(clients);
    const everyone = Array.from({ length: clients }, (_, i) => i);
    expect(total.lanes["examples"]![0]).toBe(everyone.reduce((sum, client) => sum + 10 + client, 0));
    expect(total.lanes["loss"]![0]).toBe(-0.5 * clients);
    // Integer weights, so the mean is near, not equal: its weights are off by less than one level of 16 each.
    const mean = everyone.reduce((sum, client) => sum + Math.sin(client), 0) / clients;
    expect(Math.abs(total.lanes["model"]![0]! - mean)).toBeLessThan(0.2);
  });
});

describe("a client that leaves", () => {
  const parameters = parametersFor(6, lanes);

  test.each(phases)("before it answers %s: the others' sum is exact", async (phase: Phase) => {
    const run = await runFederation({ parameters, contribution, seed: "drop", drops: { [phase]: new Set([2]) } });
    const inSum = phase === "confirm" || phase === "unmask";
    expect(run.survivors).toEqual(inSum ? [0, 1, 2, 3, 4, 5] : [0, 1, 3, 4, 5]);
    expect(run.result.words).toEqual(plainSum(run, parameters.wordBits));
  });

  test("halfway through its upload: the half-sent vector never enters the sum", async () => {
    const run = await runFederation({
      parameters,
      contribution,
      seed: "half",
      onAnswer: (phase, client, answer) => (phase === "mask" && client === 2 ? answer.slice(0, 200) : answer),
    });
    expect(run.refusals.get(2)).toMatchObject({ code: "secure_message" });
    expect(run.survivors).toEqual([0, 1, 3, 4, 5]);
    expect(run.result.words).toEqual(plainSum(run, parameters.wordBits));
  });

  test.each(phases)("two of six before %s: one fewer than the threshold, a typed end", async (phase: Phase) => {
    const attempt = runFederation({ parameters, contribution, seed: "two", drops: { [phase]: new Set([1, 4]) } });
    if (phase === "unmask") await expect(attempt).rejects.toThrow(TooFewAnswers);
    else await expect(attempt).rejects.toMatchObject({ code: "secure_too_few" });
  });
});

describe("small federations", () => {
  test("five go on when one leaves", async () => {
    const parameters = parametersFor(5, lanes);
    const run = await runFederation({ parameters, contribution, seed: "five", drops: { mask: new Set([4]) } });
    expect(run.survivors).toEqual([0, 1, 2, 3]);
  });

  test("three complete when none leaves, and end when one does", async () => {
    const parameters = parametersFor(3, lanes);
    expect((await runFederation({ parameters, contribution, seed: "three" })).survivors).toEqual([0, 1, 2]);
    await expect(
      runFederation({ parameters, contribution, seed: "three", drops: { mask: new Set([0]) } }),
    ).rejects.toMatchObject({ code: "secure_too_few" });
  });
});

test("a sparse graph of 160 clients gives the exact sum when one in twenty leaves at every phase", async () => {
  const parameters = parametersFor(160, lanes);
  expect(parameters.graph.kind).toBe("circulant");
  const drops = { advertise: new Set([7]), share: new Set([20, 21]), mask: new Set([90, 150]), confirm: new Set([33]) };
  const run = await runFederation({ parameters, contribution, seed: "sparse", drops });
  expect(run.refusals.size).toBe(0);
  expect(run.survivors).toHaveLength(155);
  expect(run.result.words).toEqual(plainSum(run, parameters.wordBits));
});

test("one seed gives one transcript: simulations are byte-identical", async () => {
  const parameters = parametersFor(4, lanes);
  const first = await runFederation({ parameters, contribution, seed: "same" });
  const second = await runFederation({ parameters, contribution, seed: "same" });
  expect(second.result.transcript).toEqual(first.result.transcript);
  expect([...second.uploads]).toEqual([...first.uploads]);
  const other = await runFederation({ parameters, contribution, seed: "other" });
  expect(other.uploads.get(0)).not.toEqual(first.uploads.get(0));
});
