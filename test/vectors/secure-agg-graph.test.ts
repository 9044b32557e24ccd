import { defaultAim, findDegree, graphOf, planGraph, shardSizes, smallestThreshold } from "@tributary/secure-agg";
import { describe, expect, test } from "vitest";

const hash = (fill: number) => new Uint8Array(32).fill(fill);

describe("degree and threshold", () => {
  // google/federated-compute, fcp/secagg/server/graph_parameter_finder_test.cc: σ = 40, η = 20.
  test.each([
    [1000, 0.05, 0.05, "curious", 30, 17],
    [1000, 0.05, 0.05, "semi-malicious", 52, 37],
    [10_000, 0.05, 0.05, "semi-malicious", 62, 44],
    [1000, 0.33, 0.05, "curious", 78, 60],
    [1000, 0.33, 0.05, "semi-malicious", 132, 109],
    [1000, 0.05, 0.33, "semi-malicious", 398, 223],
    [10_000, 0.33, 0.33, "curious", 422, 221],
    [100, 0.05, 0.05, "semi-malicious", 16, 11],
    [1000, 0.3, 0.3, "semi-malicious", 872, 584],
    [100, 0.45, 0.45, "curious", 92, 46],
    [10, 0.33, 0.33, "curious", 8, 4],
    [10_000, 0.05, 0.33, "curious", 86, 29],
    [100_000, 0.33, 0.05, "semi-malicious", 196, 160],
  ] as const)("%i clients, γ %f, δ %f, %s: %i neighbours, threshold %i", (clients, corrupt, dropout, rule, k, t) => {
    const aim = { rule, corrupt, dropout, securityBits: 40, correctnessBits: 20 };
    expect(findDegree(clients, aim)).toEqual({ neighbours: k, threshold: t });
  });

  test.each([
    [1000, 0.33, 0.33, "semi-malicious"],
    [1000, 0.5, 0.5, "curious"],
    [1000, 0.5, 0.5, "semi-malicious"],
  ] as const)("%i clients, γ %f, δ %f, %s: there is none", (clients, corrupt, dropout, rule) => {
    const aim = { rule, corrupt, dropout, securityBits: 40, correctnessBits: 20 };
    expect(findDegree(clients, aim)).toBeUndefined();
  });

  // SECURE-AGGREGATION §B.3, the strict columns.
  test.each([
    [100, 0.05, 0.05, 22, 17, 22, 17],
    [200, 0.05, 0.05, 42, 32, 42, 32],
    [200, 0.05, 0.1, 60, 41, 60, 41],
    [500, 0.05, 0.05, 82, 63, 92, 72],
    [500, 0.05, 0.1, 114, 81, 118, 85],
    [1000, 0.02, 0.05, 72, 52, 86, 64],
    [1000, 0.05, 0.05, 104, 80, 134, 107],
    [1000, 0.05, 0.1, 148, 106, 182, 135],
    [1000, 0.1, 0.1, 214, 163, 272, 213],
    [10_000, 0.05, 0.05, 134, 103, 186, 149],
    [10_000, 0.05, 0.1, 200, 144, 270, 202],
    [100_000, 0.05, 0.05, 146, 112, 202, 161],
  ])(
    "strict, %i clients, γ %f, δ %f: %i,%i at σ = 40 and %i,%i at σ = 80",
    (clients, corrupt, dropout, ...expected) => {
      const find = (securityBits: number) => findDegree(clients, { ...defaultAim, corrupt, dropout, securityBits })!;
      const [at40, at80] = [find(40), find(80)];
      expect([at40.neighbours, at40.threshold, at80.neighbours, at80.threshold]).toEqual(expected);
    },
  );

  test("a strict threshold exceeds half the neighbours and every corrupt one", () => {
    for (const clients of [151, 300, 500]) {
      const { neighbours, threshold } = findDegree(clients, defaultAim)!;
      expect(smallestThreshold(clients, neighbours, defaultAim)).toBeLessThanOrEqual(threshold);
      expect(threshold).toBeGreaterThan(neighbours / 2 + neighbours * defaultAim.corrupt);
    }
  });
});

describe("the graph", () => {
  test("is complete up to 150, everyone counting itself: three lose nobody, four to six lose one", () => {
    expect([3, 4, 5, 6, 100, 150].map((clients) => planGraph(clients))).toEqual(
      [3, 3, 4, 5, 67, 101].map((threshold) => ({ shape: { kind: "complete" }, threshold })),
    );
    const graph = graphOf({ kind: "complete" }, { size: 4, hash: hash(1), configHash: hash(2) });
    expect(graph.peers(2)).toEqual([0, 1, 3]);
    expect(graph.holders(2)).toEqual([0, 1, 2, 3]);
  });

  test("is circulant above: regular, symmetric, and decided by roster and configuration alone", () => {
    const shape = { kind: "circulant", neighbours: 60 } as const;
    const roster = { size: 200, hash: hash(1), configHash: hash(2) };
    const graph = graphOf(shape, roster);
    for (let member = 0; member < 200; member++) {
      const peers = graph.peers(member);
      expect(new Set(peers).size).toBe(60);
      expect(peers).not.toContain(member);
      for (const peer of peers) expect(graph.peers(peer)).toContain(member);
    }
    expect(graphOf(shape, roster).peers(7)).toEqual(graph.peers(7));
    expect(graphOf(shape, { ...roster, hash: hash(3) }).peers(7)).not.toEqual(graph.peers(7));
    expect(graphOf(shape, { ...roster, configHash: hash(3) }).peers(7)).not.toEqual(graph.peers(7));
  });

  test("refuses a roster too small for its degree", () => {
    expect(() =>
      graphOf({ kind: "circulant", neighbours: 60 }, { size: 61, hash: hash(1), configHash: hash(2) }),
    ).toThrow(expect.objectContaining({ code: "secure_too_few" }));
  });
});

test("cohorts above 500 are cut into even shards", () => {
  expect(shardSizes(500)).toEqual([500]);
  expect(shardSizes(1000)).toEqual([500, 500]);
  expect(shardSizes(1201).sort()).toEqual([400, 400, 401]);
  for (let clients = 512; clients < 3000; clients += 7) {
    const sizes = shardSizes(clients);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(clients);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(500);
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(256);
  }
});

test("a share's index is its holder's place among the dealer's holders", () => {
  for (const shape of [{ kind: "complete" }, { kind: "circulant", neighbours: 8 }] as const) {
    const graph = graphOf(shape, { size: 40, hash: hash(1), configHash: hash(2) });
    for (let dealer = 0; dealer < 40; dealer++) {
      const holders = graph.holders(dealer);
      expect(holders.map((holder) => graph.shareIndex(dealer, holder))).toEqual(holders.map((_, i) => i + 1));
    }
  }
});
