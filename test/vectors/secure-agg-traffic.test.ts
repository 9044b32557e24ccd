import { downloadBytes, type SecureLane, uploadBytes } from "@tributary/secure-agg";
import { expect, test } from "vitest";
import { parametersFor, runFederation } from "../support/secure-agg-federation.ts";

const lanes = (length: number): SecureLane[] => [
  { name: "model", length, encoding: { kind: "update", clip: 1, bits: 16 } },
];

test("a session sends exactly as many bytes as the plan says", async () => {
  const parameters = parametersFor(7, lanes(500));
  const contribution = () => ({ values: new Float64Array(500), weight: 100 });
  const run = await runFederation({ parameters, contribution, seed: "traffic" });
  expect(run.bytesUp).toBe(7 * uploadBytes(parameters).total);
});

test.each([3, 40])("of %i clients each is sent about as many bytes as is said, and no more", async (clients) => {
  const parameters = parametersFor(clients, lanes(500));
  const contribution = () => ({ values: new Float64Array(500), weight: 100 });
  const run = await runFederation({ parameters, contribution, seed: "traffic" });
  const said = downloadBytes(parameters);
  expect(run.bytesDown / clients).toBeLessThanOrEqual(said);
  expect(run.bytesDown / clients).toBeGreaterThan(0.6 * said);
});

test("1,024 clients in one graph, 2²⁰ values of 16 bits: within 1.65 × of clear at one weight, 1.90 × at sixteen", () => {
  const clear = 2 * 2 ** 20;
  const expansion = (weightLevels: number) => {
    const parameters = parametersFor(1024, lanes(2 ** 20), { weightLevels });
    return uploadBytes(parameters).total / clear;
  };
  expect(expansion(1)).toBeLessThanOrEqual(1.65);
  expect(expansion(16)).toBeLessThanOrEqual(1.9);
});

test("everything but the vector takes at most 45 kB with 104 neighbours", () => {
  const parameters = parametersFor(1000, lanes(10), { graph: { kind: "circulant", neighbours: 104 }, threshold: 80 });
  const { vector, total } = uploadBytes(parameters);
  expect(total - vector).toBeLessThanOrEqual(45_000);
});
