import { parseRunSpec } from "@tributary/catalog";
import { decodeFrame, encodeFrame, firstNonFinite, ProtocolError, routes } from "@tributary/protocol";
import { expect, test } from "vitest";

const good = {
  name: "digits",
  algorithm: { name: "fedavg", learningRate: 0.1 },
  model: { preset: "2nn" },
  data: { kind: "images", shape: [28, 28, 1], target: "class", classes: 10 },
  cohort: { size: 5, minimum: 3 },
  secureAggregation: "none",
  stop: { rounds: 10 },
};

function refusal(input: unknown): ProtocolError {
  try {
    parseRunSpec(input);
  } catch (error) {
    if (error instanceof ProtocolError) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

test("a specification gets every default it leaves out", () => {
  expect(parseRunSpec(good)).toMatchObject({
    algorithm: { epochs: 1, batchSize: 10, server: { learningRate: 1, momentum: 0 } },
    cohort: { overSelect: 1.3, tags: [] },
    deadlines: { joinMs: 30_000, trainMs: 120_000 },
    evaluation: { on: "clients", everyRounds: 1 },
    seed: 0,
  });
  expect(parseRunSpec({ ...good, evaluation: { on: "coordinator" } }).evaluation).toEqual({
    on: "coordinator",
    data: "default",
    everyRounds: 1,
  });
});

test.each([
  [
    "an unknown field, with the one that was meant",
    { ...good, cohort: { size: 5, minumum: 3 } },
    /cohort\.minumum: unknown field \(did you mean minimum\?\)/,
  ],
  [
    "an unknown algorithm, with those there are",
    { ...good, algorithm: { name: "fedsvg" } },
    /no algorithm "fedsvg" \(known: fedavg/,
  ],
  ["a missing parameter", { ...good, algorithm: { name: "fedavg" } }, /algorithm\.learningRate: missing/],
  [
    "a value out of range, with what was found",
    { ...good, algorithm: { name: "fedavg", learningRate: -1 } },
    /algorithm\.learningRate: must be > 0, found -1/,
  ],
  ["an unknown preset", { ...good, model: { preset: "3nn" } }, /model/],
  ["both size and fraction", { ...good, cohort: { size: 5, fraction: 0.5 } }, /either size or fraction/],
  [
    "a minimum above the size",
    { ...good, cohort: { size: 2, minimum: 3 } },
    /cohort\.minimum: 3 is more than cohort\.size 2/,
  ],
  ["a target with no bound", { ...good, stop: { rounds: 1, target: { metric: "loss" } } }, /either atLeast or atMost/],
  ["something that is no object", null, /run specification/],
  ["a number for a name", { ...good, name: 7 }, /name: must be string, found 7/],
  [
    "a preset for other data",
    { ...good, model: { preset: "char-gru" } },
    /model\.preset: The preset "char-gru" takes text; the run's data is images/,
  ],
  [
    "a topology that no device builds",
    { ...good, model: { topology: {} } },
    /model\.topology: The model is not one that a device builds: class_name is missing/,
  ],
  [
    "a topology that is nested without end",
    { ...good, model: { topology: JSON.parse(`${'{"a":'.repeat(20_000)}0${"}".repeat(20_000)}`) } },
    /model\.topology: it is nested too deep/,
  ],
  [
    "a model for data that has nothing to predict",
    { ...good, data: { kind: "table", shape: [2], target: "none", classes: 0 } },
    /model\.preset: A model predicts, and the run's data has no target/,
  ],
])("refuses %s", (_what, input, message) => {
  const error = refusal(input);
  expect(error.code).toBe("bad_spec");
  expect(error.message).toMatch(message);
});

test("a run is secure unless it asks by name not to be", () => {
  const { secureAggregation: _, ...silent } = good;
  expect(parseRunSpec(silent)).toMatchObject({
    secureAggregation: "required",
    cohort: { overSelect: 1 },
    secure: { rule: "strict", weightLevels: 16, weightCap: 1000 },
  });
});

test.each([
  ["a cohort too small to hide anyone", { cohort: { size: 5, minimum: 2 } }, /cohort\.minimum: 2 devices hide nothing/],
  [
    "more over-selection than the masks withstand",
    { cohort: { size: 50, minimum: 20, overSelect: 1.3 } },
    /overSelect: 1\.3 is more than 1\.11/,
  ],
  ["sums that would wrap", { cohort: { size: 100, minimum: 20 }, secure: { weightLevels: 65_536 } }, /need \d+ bits/],
  [
    "a smallest cohort that can never be reached",
    { cohort: { size: 5, minimum: 3 }, secure: { minimumSurvivors: 9 } },
    /never reach/,
  ],
])("refuses %s rather than run it in the clear", (_what, changes, message) => {
  const error = refusal({ ...good, secureAggregation: "required", ...changes });
  expect(error.code).toBe("secure_aggregation_unavailable");
  expect(error.message).toMatch(message);
  expect(error.message).toMatch(/secureAggregation: "none"/);
});

test("a frame comes back as it was, from any alignment", () => {
  for (const values of [Float32Array.of(1.5, -2, 3e-8), Float64Array.of(Math.PI, -0)]) {
    const element = values instanceof Float32Array ? "f32" : "f64";
    const bytes = encodeFrame({ weight: 600, values });
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    for (const view of [bytes, shifted.subarray(3)]) {
      expect(decodeFrame(view, { element, length: values.length })).toEqual({ weight: 600, values });
    }
  }
});

test("a frame's bytes are what docs/protocol.md says", () => {
  const bytes = encodeFrame({ weight: 1, values: Float32Array.of(1) });
  expect(Buffer.from(bytes).toString("hex")).toBe(
    "54524942" + "01012000" + "01000000" + "00000000" + "000000000000f03f" + "0000803f",
  );
});

test.each([
  ["truncated", (bytes: Uint8Array) => bytes.subarray(0, 30), /size: expected 32 bytes, found 30/],
  ["with trailing bytes", (bytes: Uint8Array) => Uint8Array.of(...bytes, 0), /size: expected 32 bytes, found 33/],
  ["of another magic", (bytes: Uint8Array) => bytes.with(0, 0), /magic/],
  ["of another version", (bytes: Uint8Array) => bytes.with(4, 9), /wire version: expected 1, found 9/],
  ["of another element type", (bytes: Uint8Array) => bytes.with(5, 2), /element type/],
  ["of another length", (bytes: Uint8Array) => bytes.with(8, 3), /length: expected 2 elements, found 3/],
  ["with a negative weight", (bytes: Uint8Array) => bytes.with(23, 0xbf), /weight/],
  ["too short for a header", (bytes: Uint8Array) => bytes.subarray(0, 10), /header/],
])("refuses a frame %s", (_what, garble, message) => {
  const bytes = encodeFrame({ weight: 1, values: Float32Array.of(1, 2) });
  expect(() => decodeFrame(garble(bytes), { element: "f32", length: 2 })).toThrowError(message);
});

test("finds the first value that is no number", () => {
  expect(firstNonFinite(Float32Array.of(1, 2))).toBe(-1);
  expect(firstNonFinite(Float64Array.of(1, Number.NaN, Number.POSITIVE_INFINITY))).toBe(1);
});

test("a route is its own pattern when it is given nothing", () => {
  expect(routes.answer()).toBe("/v1/runs/:run/rounds/:round/attempts/:attempt/steps/:step/answers/:client");
  expect(routes.round("run-abcdefgh", 3)).toBe("/v1/runs/run-abcdefgh/rounds/3");
});

test("a run that predicts a number or nothing has no classes, and one that predicts a class has two or more", () => {
  const data = (target: string, classes: number) => ({ ...good, data: { kind: "table", shape: [2], target, classes } });
  const summary = { ...data("none", 0), algorithm: { name: "statistics" }, model: undefined };
  expect(parseRunSpec(summary).data).toEqual({ kind: "table", shape: [2], target: "none", classes: 0 });
  expect(parseRunSpec({ ...good, data: { kind: "table", shape: [2], classes: 2 } }).data.target).toBe("class");
  expect(() => parseRunSpec(data("number", 3))).toThrow("data.classes: expected 0 where the target is number, found 3");
  expect(() => parseRunSpec(data("class", 1))).toThrow(
    "data.classes: expected at least 2 where the target is a class, found 1",
  );
  expect(() => parseRunSpec(data("rank", 0))).toThrow(
    'data.target: must be one of "class", "number", "none", found "rank"',
  );
});
