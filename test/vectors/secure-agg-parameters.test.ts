import type { Sha256, VectorReference } from "@tributary/protocol";
import {
  checkParameters,
  configHashOf,
  decodeParameters,
  defaultFloors,
  encodeParameters,
  openSession,
  type SecureLane,
  type SessionParameters,
  type Task,
  taskHashOf,
  wordBitsNeeded,
} from "@tributary/secure-agg";
import { describe, expect, test } from "vitest";
import { parametersFor } from "../support/secure-agg-federation.ts";

const lanes: readonly SecureLane[] = [
  { name: "model", length: 10, encoding: { kind: "update", clip: 0.5, bits: 16 } },
  { name: "examples", length: 1, encoding: { kind: "exact", scaleBits: 8 } },
];
const parameters = parametersFor(10, lanes);
const refused = (code: string) => expect.objectContaining({ code });
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

describe("the canonical encoding", () => {
  test("gives these bytes and no others", () => {
    expect(hex(encodeParameters(parameters))).toBe(
      [
        ["03000000", "534131"], // "SA1"
        ["01000000"], // protocol version
        ["0c000000", "72756e2d3030303030303031"], // run-00000001
        ["03000000", "01000000"], // round, attempt
        ["00", "03000000", "ab".repeat(32), "ee".repeat(32)], // train, model version, model hash, task hash
        ["00000000", "01000000"], // shard 0 of 1
        ["0a000000", "00000000", "07000000"], // 10 clients, complete graph, threshold 7
        ["00", "05000000", "18"], // strict, minimum survivors 5, 24 bits a word
        ["10000000", "0000000000005940"], // 16 weight levels, weight cap 100
        ["08000000", "6368616368613230"], // chacha20
        ["60ea0000", "10270000"], // deadlines
        ["02000000"], // lanes
        ["05000000", "6d6f64656c", "0a000000", "00", "000000000000e03f", "10"],
        ["08000000", "6578616d706c6573", "01000000", "01", "08"],
      ]
        .flat()
        .join(""),
    );
    expect(decodeParameters(encodeParameters(parameters))).toEqual(parameters);
  });

  test("refuses a field it does not know, a byte too many and a byte too few", () => {
    const odd = { ...parameters, plaintext: true } as SessionParameters;
    expect(() => encodeParameters(odd)).toThrow(refused("secure_message"));
    const bytes = encodeParameters(parameters);
    expect(() => decodeParameters(Uint8Array.of(...bytes, 0))).toThrow(refused("secure_message"));
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeParameters(bytes.subarray(0, length)), `${length} bytes`).toThrow(refused("secure_message"));
    }
  });

  test("every field changes the hash that everything is bound to", () => {
    const changes: Partial<SessionParameters>[] = [
      { run: "run-00000002" },
      { round: 4 },
      { attempt: 2 },
      { kind: "evaluate" },
      { modelVersion: 4 },
      { modelHash: "cd".repeat(32) },
      { taskHash: "cd".repeat(32) },
      { shard: { index: 0, count: 2 } },
      { shard: { index: 1, count: 1 } },
      { clients: 11 },
      { graph: { kind: "circulant", neighbours: 4 } },
      { threshold: 8 },
      { rule: "curious" },
      { minimumSurvivors: 6 },
      { wordBits: 25 },
      { weightLevels: 15 },
      { weightCap: 101 },
      { deadlines: { trainMs: 60_001, stepMs: 10_000 } },
      { deadlines: { trainMs: 60_000, stepMs: 10_001 } },
      { lanes: [lanes[0]!] },
      { lanes: [{ ...lanes[0]!, encoding: { kind: "update", clip: 0.25, bits: 16 } }, lanes[1]!] },
    ];
    const hashes = changes.map((change) => hex(configHashOf({ ...parameters, ...change })));
    expect(new Set([hex(configHashOf(parameters)), ...hashes]).size).toBe(changes.length + 1);
  });
});

describe("headroom", () => {
  const lane = (bits: number): SecureLane[] => [
    { name: "model", length: 1, encoding: { kind: "update", clip: 1, bits } },
  ];

  test("16-bit values of 1,024 clients need 26 bits, with 16 weight levels 30", () => {
    expect(wordBitsNeeded({ clients: 1024, weightLevels: 1, lanes: lane(16) })).toBe(26);
    expect(wordBitsNeeded({ clients: 1024, weightLevels: 16, lanes: lane(16) })).toBe(30);
    expect(wordBitsNeeded({ clients: 65_536, weightLevels: 1, lanes: [lanes[1]!] })).toBe(32);
  });

  test("n · W · (2^(q−1) − 1) ≤ 2^(b−1) − 1 exactly fits, one more client is refused by both sides", () => {
    // 4 clients of ±3 with weights up to 1: 12 ≤ 15; 5 clients: 15 ≤ 15; 6 clients: 18 > 15.
    const tight = (clients: number) => parametersFor(clients, lane(3), { weightLevels: 1, wordBits: 5 });
    expect(() => checkParameters(tight(5))).not.toThrow();
    expect(() => checkParameters(tight(6))).toThrow(refused("secure_parameters"));
    expect(() => openSession(tight(6))).toThrow(refused("secure_parameters"));
  });

  test("more than 32 bits are refused, the weight lane counts too", () => {
    const wide = parametersFor(100, lane(24), { weightLevels: 16, wordBits: 32 });
    expect(() => checkParameters(wide)).toThrow(/need 35 bits/);
    const weights = parametersFor(3, lane(2), { weightLevels: 1000, wordBits: 12 });
    expect(wordBitsNeeded(weights)).toBe(13);
    expect(() => checkParameters(weights)).toThrow(refused("secure_parameters"));
  });
});

describe("what a device refuses, whatever the coordinator says", () => {
  const big = parametersFor(200, lanes, { weightLevels: 1 });

  test.each<[string, Partial<SessionParameters>, string]>([
    ["two clients", { clients: 2, threshold: 2, minimumSurvivors: 2 }, "secure_parameters"],
    ["a threshold of 2", { threshold: 2 }, "secure_floor"],
    ["a threshold above the cohort", { threshold: 11 }, "secure_parameters"],
    ["a minimum of two survivors", { minimumSurvivors: 2 }, "secure_floor"],
    ["a minimum below half the cohort", { minimumSurvivors: 4 }, "secure_floor"],
    ["a sparse graph for a small cohort", { graph: { kind: "circulant", neighbours: 2 } }, "secure_parameters"],
    ["a rule that trusts the coordinator", { rule: "curious" }, "secure_floor"],
    [
      "a clip of infinity",
      { lanes: [{ ...lanes[0]!, encoding: { kind: "update", clip: 1 / 0, bits: 8 } }] },
      "secure_parameters",
    ],
    ["two lanes of one name", { lanes: [lanes[1]!, lanes[1]!] }, "secure_parameters"],
    ["no lanes", { lanes: [] }, "secure_parameters"],
    ["no weight levels", { weightLevels: 0 }, "secure_parameters"],
  ])("%s", (_, change, code) => {
    expect(() => checkParameters({ ...parameters, ...change })).toThrow(refused(code));
  });

  test.each<[string, Partial<SessionParameters>, string]>([
    ["two neighbours", { graph: { kind: "circulant", neighbours: 2 }, threshold: 2 }, "secure_floor"],
    ["a threshold of half the neighbours", { threshold: 30 }, "secure_floor"],
    ["an odd degree", { graph: { kind: "circulant", neighbours: 61 } }, "secure_parameters"],
    ["a degree beyond GF(256)", { graph: { kind: "circulant", neighbours: 256 } }, "secure_parameters"],
    ["a complete graph of 200", { graph: { kind: "complete" }, threshold: 134 }, "secure_parameters"],
  ])("of 200 clients: %s", (_, change, code) => {
    expect(() => checkParameters(big)).not.toThrow();
    expect(() => checkParameters({ ...big, ...change })).toThrow(refused(code));
  });

  test("its own floor for the cohort", () => {
    expect(() => checkParameters(parameters, { ...defaultFloors, minimumSurvivors: 5 })).not.toThrow();
    expect(() => checkParameters(parameters, { ...defaultFloors, minimumSurvivors: 6 })).toThrow(
      refused("secure_floor"),
    );
  });
});

describe("a task", () => {
  const sha256 = (byte: string) => byte.repeat(32) as Sha256;
  const vector: VectorReference = { sha256: sha256("ab"), bytes: 8, element: "f32", length: 2 };
  const task: Task = {
    algorithm: { name: "fedavg" },
    model: { preset: "mlp", hidden: [8, 4] },
    data: { kind: "table", shape: [2], target: "class", classes: 2 },
    settings: { epochs: 2, learningRate: 0.1 },
    vectors: { model: vector, variate: { ...vector, sha256: sha256("cd") } },
  };

  test("is one for everyone that was told the same, in whatever order", () => {
    const { model, variate } = task.vectors;
    const turned = { settings: { learningRate: 0.1, epochs: 2 }, vectors: { variate: variate!, model: model! } };
    expect(taskHashOf({ ...task, ...turned })).toBe(taskHashOf(task));
    expect(taskHashOf(JSON.parse(JSON.stringify(task)))).toBe(taskHashOf(task));
  });

  test("is another for another algorithm, model, shape of data, setting or vector", () => {
    const others: Task[] = [
      { ...task, algorithm: { name: "fedprox" } },
      { ...task, model: { preset: "mlp", hidden: [4, 8] } },
      { ...task, model: { preset: "2nn" } },
      { ...task, data: { ...task.data, classes: 3 } },
      { ...task, data: { ...task.data, target: "number" } },
      { ...task, settings: { epochs: 3, learningRate: 0.1 } },
      { ...task, settings: { epochs: 2, learningRate: "0.1" } },
      { ...task, settings: { epochs: 2 } },
      { ...task, vectors: { model: vector } },
      { ...task, vectors: { model: vector, variate: vector } },
      { ...task, vectors: { model: { ...vector, element: "f64" }, variate: task.vectors["variate"]! } },
    ];
    expect(new Set([task, ...others].map(taskHashOf)).size).toBe(others.length + 1);
  });
});
