import { ProtocolError } from "@tributary/protocol";
import { BlameError, type SecureLane } from "@tributary/secure-agg";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type FederationRun,
  type Phase,
  parametersFor,
  phases,
  plainSum,
  runFederation,
  seededBytes,
  TooFewAnswers,
} from "../support/secure-agg-federation.ts";

const federation = fc.record({
  clients: fc.integer({ min: 3, max: 9 }),
  length: fc.integer({ min: 1, max: 200 }),
  bits: fc.integer({ min: 2, max: 18 }),
  weightLevels: fc.integer({ min: 1, max: 16 }),
  exact: fc.boolean(),
  seed: fc.string({ minLength: 1, maxLength: 8 }),
  drops: fc.array(fc.record({ phase: fc.constantFrom(...phases), client: fc.nat(8) }), { maxLength: 4 }),
  /** Envelopes that a malicious client garbles. */
  garbled: fc.array(fc.record({ client: fc.nat(8), at: fc.nat(500) }), { maxLength: 1 }),
});

test("any cohort, any lanes, any weights, any dropouts: the exact sum or a typed end, never a wrong sum", async () => {
  let [sums, ends] = [0, 0];
  await fc.assert(
    fc.asyncProperty(federation, async (plan) => {
      const lanes: SecureLane[] = [
        { name: "model", length: plan.length, encoding: { kind: "update", clip: 2, bits: plan.bits } },
      ];
      if (plan.exact) lanes.push({ name: "counts", length: 3, encoding: { kind: "exact", scaleBits: 4 } });
      const parameters = parametersFor(plan.clients, lanes, { weightLevels: plan.weightLevels });
      const leaving = (phase: Phase) =>
        new Set(plan.drops.filter((drop) => drop.phase === phase).map(({ client }) => client));
      const drops = Object.fromEntries(phases.map((phase) => [phase, leaving(phase)]));
      const length = plan.length + (plan.exact ? 3 : 0);
      let run: FederationRun;
      try {
        run = await runFederation({
          parameters,
          seed: plan.seed,
          drops,
          contribution: (client) => ({
            values: Float64Array.from(
              seededBytes(`${plan.seed}/values/${client}`)(length),
              (byte) => (byte - 128) / 50,
            ),
            weight: 200,
          }),
          onAnswer: (phase, client, answer) => {
            const damage = plan.garbled.find((one) => one.client === client);
            if (phase === "share" && damage !== undefined) answer[68 + (damage.at % (answer.length - 68))]! ^= 0x20;
            return answer;
          },
        });
      } catch (end) {
        const typed = end instanceof ProtocolError || end instanceof BlameError || end instanceof TooFewAnswers;
        if (!typed) throw end;
        ends++;
        return;
      }
      sums++;
      expect(run.result.words).toEqual(plainSum(run, parameters.wordBits));
      expect(run.survivors.length).toBeGreaterThanOrEqual(parameters.minimumSurvivors);
    }),
    { numRuns: 120 },
  );
  // Both outcomes were seen, or the property would say nothing about one of them.
  expect(Math.min(sums, ends)).toBeGreaterThan(10);
});

test("exactly the threshold survives, one fewer does not", async () => {
  const lanes: SecureLane[] = [{ name: "model", length: 5, encoding: { kind: "update", clip: 1, bits: 8 } }];
  const contribution = (client: number) => ({ values: new Float64Array(5).fill(client / 10), weight: 100 });
  for (const clients of [4, 7, 10]) {
    const parameters = parametersFor(clients, lanes);
    const spare = clients - parameters.threshold;
    const leave = (count: number) => new Set(Array.from({ length: count }, (_, i) => i));
    const run = await runFederation({ parameters, contribution, seed: "t", drops: { unmask: leave(spare) } });
    expect(run.result.words).toEqual(plainSum(run, parameters.wordBits));
    const masked = await runFederation({ parameters, contribution, seed: "t", drops: { mask: leave(spare) } });
    expect(masked.survivors).toHaveLength(parameters.threshold);
    await expect(
      runFederation({ parameters, contribution, seed: "t", drops: { mask: leave(spare + 1) } }),
    ).rejects.toMatchObject({ code: "secure_too_few" });
    await expect(
      runFederation({ parameters, contribution, seed: "t", drops: { unmask: leave(spare + 1) } }),
    ).rejects.toThrow(TooFewAnswers);
  }
});
