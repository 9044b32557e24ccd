import type { Algorithm } from "@tributary/algorithm";
import { parseRunSpec } from "@tributary/catalog";
import { fedAvg } from "@tributary/fedavg";
import { expect, test } from "vitest";

/** Needs to see each update, as a median does. */
const median: Algorithm = { ...fedAvg, linear: false } as Algorithm;
const spec = (secureAggregation: "required" | "none") => ({
  name: "median",
  algorithm: { name: "fedavg", learningRate: 0.1 },
  model: { preset: "logistic" },
  data: { kind: "table", shape: [2], target: "class", classes: 2 },
  cohort: { size: 3, minimum: 3 },
  secureAggregation,
  stop: { rounds: 1 },
});

test("an algorithm that needs single updates cannot run where sums alone are seen, and is never run in the clear instead", () => {
  expect(() => parseRunSpec(spec("required"), [median])).toThrow(
    /fedavg needs each update by itself, which secure aggregation hides; or combine updates in the clear by name/,
  );
  expect(parseRunSpec(spec("none"), [median]).secureAggregation).toBe("none");
});

test("an algorithm's own parameters are checked with the rest of the run", () => {
  const scaffold = { ...spec("required"), algorithm: { name: "scaffold", learningRate: 0.1, clients: 2 } };
  expect(() => parseRunSpec(scaffold)).toThrow(/algorithm.clients: 2 is less than the 3 that the cohort takes/);
  const adam = { name: "fedavg", learningRate: 0.1, server: { optimizer: "adam" } };
  expect(() => parseRunSpec({ ...spec("required"), algorithm: adam })).toThrow(
    /algorithm.server.learningRate: missing/,
  );
  const parsed = parseRunSpec({
    ...spec("required"),
    algorithm: { ...adam, server: { ...adam.server, learningRate: 0.01 } },
  });
  expect(parsed.algorithm).toMatchObject({ server: { beta1: 0.9, beta2: 0.99, tau: 1e-3 } });
});

test("a run whose later rounds find no room in a secure sum is refused before it begins", () => {
  const { model: _, ...rest } = spec("required");
  const statistics = {
    ...rest,
    stop: { rounds: 2 },
    cohort: { size: 6, minimum: 6 },
    algorithm: { name: "statistics" },
  };
  expect(() => parseRunSpec(statistics)).toThrow(/squares can grow to .* a client, and 6 times that does not fit/);
});
