import { type Random, seededRandom } from "@tributary/algorithm";
import { defaultAim, findDegree, type Graph, graphOf } from "@tributary/secure-agg";
import { describe, expect, test } from "vitest";
import { long } from "../support/long.ts";
import { openSums, openSumsByRank, type Situation } from "../support/secure-agg-knowledge.ts";

// `npm run test:long` tries 10⁵ sets; every run tries 10³.
const dropSets = long ? 100_000 : 1000;
const clients = 200;
const degree = findDegree(clients, defaultAim)!;
const everyone = new Set(Array.from({ length: clients }, (_, member) => member));
const hash = (fill: number) => new Uint8Array(32).fill(fill);
const sparse = (fill: number): Graph =>
  graphOf(
    { kind: "circulant", neighbours: degree.neighbours },
    { size: clients, hash: hash(fill), configHash: hash(0) },
  );
const complete = (size: number) => graphOf({ kind: "complete" }, { size, hash: hash(1), configHash: hash(0) });

/** The members in the order of the ring, walking from one to the peer that it shares most with. */
function ringOf(graph: Graph): number[] {
  const overlap = (a: number, b: number) => graph.peers(a).filter((peer) => graph.peers(b).includes(peer)).length;
  const ring = [0];
  const placed = new Set(ring);
  while (ring.length < graph.size) {
    const last = ring.at(-1)!;
    const next = graph
      .peers(last)
      .filter((peer) => !placed.has(peer))
      .reduce((best, peer) => (overlap(last, peer) > overlap(last, best) ? peer : best));
    ring.push(next);
    placed.add(next);
  }
  return ring;
}

/** Accomplices with fewer than t − k/2 of them around any honest member: what the threshold was found for. */
function accomplices(graph: Graph, random: Random): Set<number> {
  const corrupt = new Set<number>();
  for (const member of random.permutation(clients).subarray(0, 10)) corrupt.add(member);
  const worst = (member: number) => graph.peers(member).filter((peer) => corrupt.has(peer)).length;
  for (const member of everyone) {
    for (const peer of graph.peers(member)) {
      if (worst(member) < degree.threshold - degree.neighbours / 2) break;
      corrupt.delete(peer);
    }
  }
  return corrupt;
}

/** An honest member answers if it is a survivor and a threshold of its holders are. */
function consistentView({ graph, threshold }: Pick<Situation, "graph" | "threshold">, survivors: ReadonlySet<number>) {
  const answers = (member: number) =>
    survivors.has(member) && graph.holders(member).filter((holder) => survivors.has(holder)).length >= threshold;
  return (member: number) => (answers(member) ? survivors : undefined);
}

/** No sum comes out but that of all honest survivors. */
function expectOnlyTheWhole(situation: Situation, survivors: ReadonlySet<number>, label: string): number {
  const open = openSums(situation);
  const honest = [...survivors].filter((member) => !situation.corrupt.has(member));
  for (const sum of open)
    expect(
      sum.sort((a, b) => a - b),
      label,
    ).toEqual(honest.sort((a, b) => a - b));
  return open.length;
}

describe("on a circulant graph with t > k/2 + c", () => {
  test("no part of the cohort can be opened, whoever is declared dropped: adversarial sets", {
    timeout: 3_600_000,
  }, () => {
    const random = seededRandom(27, "drops");
    const graphs = [1, 2, 3, 4].map((fill) => ({ graph: sparse(fill), ring: ringOf(sparse(fill)) }));
    let opened = 0;
    for (let trial = 0; trial < dropSets; trial++) {
      const { graph, ring } = graphs[trial % graphs.length]!;
      const corrupt = accomplices(graph, random);
      const dropped = new Set<number>();
      // Arcs cut the ring where it is thinnest; scattered drops and a spared arc are tried too.
      const arcs = 1 + random.below(4);
      for (let arc = 0; arc < arcs; arc++) {
        const [start, length] = [random.below(clients), random.below(1 + Math.floor(clients / (2 * arcs)))];
        for (let i = 0; i < length; i++) dropped.add(ring[(start + i) % clients]!);
      }
      if (trial % 3 === 0) for (const member of random.permutation(clients).subarray(0, 20)) dropped.add(member);
      const survivors = new Set([...everyone].filter((member) => !dropped.has(member)));
      const view = consistentView({ graph, threshold: degree.threshold }, survivors);
      // The coordinator holds every upload, those of the clients it declares dropped as well.
      const situation = { graph, threshold: degree.threshold, uploaders: everyone, corrupt, view };
      opened += expectOnlyTheWhole(situation, survivors, `trial ${trial}`);
    }
    // Some of the sets are small enough for the honest sum, or the test would say nothing.
    expect(opened).toBeGreaterThan(dropSets / 20);
  });

  test("and with a threshold of a third of the neighbours an arc can: the check bites", () => {
    const graph = sparse(1);
    const ring = ringOf(graph);
    const gap = degree.neighbours / 2;
    const dropped = new Set([...ring.slice(0, gap), ...ring.slice(100, 100 + gap)]);
    const survivors = new Set([...everyone].filter((member) => !dropped.has(member)));
    const threshold = Math.floor(degree.neighbours / 3);
    const view = consistentView({ graph, threshold }, survivors);
    const situation = { graph, threshold, uploaders: everyone, corrupt: new Set<number>(), view };
    expect(openSums(situation).length).toBe(2);
  });

  test("views split along an arc: devices inside pass the consistency round, and still nothing opens", () => {
    const graph = sparse(2);
    const ring = ringOf(graph);
    const halves = [new Set(ring.slice(0, 100)), new Set(ring.slice(100))];
    const viewOf = (member: number) => halves.find((half) => half.has(member))!;
    const { threshold } = degree;
    // R2's count over the view, then R3's: at least t peers that count and were told the same.
    const counts = (member: number) =>
      graph.peers(member).filter((peer) => viewOf(member).has(peer)).length >= threshold;
    const confirmed = (member: number) =>
      graph.peers(member).filter((peer) => counts(peer) && viewOf(peer) === viewOf(member)).length >= threshold;
    const passes = [...everyone].filter((member) => counts(member) && confirmed(member));
    expect(passes.length).toBeGreaterThan(20);
    expect(passes.length).toBeLessThan(clients);
    const view = (member: number) => (passes.includes(member) ? viewOf(member) : undefined);
    const situation = { graph, threshold, uploaders: everyone, corrupt: new Set<number>(), view };
    expect(openSums(situation)).toEqual([]);
    expect(openSumsByRank(situation)).toBe(0);
  });
});

describe("on a complete graph", () => {
  test("t − 1 accomplices and everything the coordinator saw do not give a device's vector", () => {
    for (const [size, threshold] of [
      [6, 5],
      [10, 7],
      [21, 15],
    ] as const) {
      const graph = complete(size);
      const members = new Set(Array.from({ length: size }, (_, member) => member));
      const corrupt = new Set(Array.from({ length: threshold - 1 }, (_, member) => member));
      // Two honest devices at least: the honest sum is theirs together, and no one's alone.
      const view = () => members;
      const situation = { graph, threshold, uploaders: members, corrupt, view };
      const honest = [...members].filter((member) => !corrupt.has(member));
      expect(openSums(situation)).toEqual([honest]);
      expect(openSumsByRank(situation)).toBe(1);
      // Before anyone revealed, not even that.
      const silent = { ...situation, view: () => undefined };
      expect(openSumsByRank(silent)).toBe(0);
    }
  });
});

test("components and rank agree on random situations, consistent or not", () => {
  const random = seededRandom(30, "rank");
  for (let trial = 0; trial < 60; trial++) {
    const size = 4 + random.below(8);
    const graph = complete(size);
    const pick = (share: number) => {
      const members = Array.from({ length: size }, (_, member) => member);
      return new Set(members.filter(() => random.uniform() < share));
    };
    const views = Array.from({ length: size }, () => (random.uniform() < 0.8 ? pick(0.8) : undefined));
    const situation: Situation = {
      graph,
      threshold: 1 + random.below(size),
      uploaders: pick(0.9),
      corrupt: pick(0.2),
      view: (member) => views[member],
    };
    expect(openSums(situation).length, `trial ${trial}`).toBe(openSumsByRank(situation));
  }
});
