import { seededRandom } from "@tributary/algorithm";
import { parsePartition, partition } from "@tributary/training";
import fc from "fast-check";
import { expect, test } from "vitest";

const schemes = ["contiguous", "iid", "sorted", "shards:2", "dirichlet:0.5", "dirichlet:0.01", "dominant:2"];
const deals = fc.record({
  scheme: fc.constantFrom(...schemes),
  seed: fc.nat(),
  clients: fc.integer({ min: 1, max: 20 }),
  labels: fc.array(fc.nat({ max: 9 }), { minLength: 200, maxLength: 600 }),
});

test("no row goes to two clients, no client goes empty, and all rows are dealt where that is promised", () => {
  fc.assert(
    fc.property(deals, ({ scheme, seed, clients, labels }) => {
      const parts = partition(scheme, labels, { clients, random: seed });
      const dealt = parts.flatMap((part) => [...part]);
      expect(parts.length).toBe(clients);
      expect(parts.every((part) => part.length > 0)).toBe(true);
      expect(new Set(dealt).size).toBe(dealt.length);
      expect(dealt.every((row) => row < labels.length)).toBe(true);
      if (!scheme.startsWith("dominant")) expect(dealt.length).toBe(labels.length);
    }),
  );
});

test("equal seeds deal equally, as does an equal stream", () => {
  fc.assert(
    fc.property(deals, ({ scheme, seed, clients, labels }) => {
      const deal = () => partition(scheme, labels, { clients, random: seed });
      expect(deal()).toEqual(deal());
      const streamed = () => partition(scheme, labels, { clients, random: seededRandom(seed, "own") });
      expect(streamed()).toEqual(streamed());
    }),
  );
});

const balanced = Array.from({ length: 6000 }, (_, i) => i % 10);
const classesOf = (part: Uint32Array) => {
  const counts = new Array<number>(10).fill(0);
  for (const row of part) counts[balanced[row]!]!++;
  return counts;
};

test("equal blocks differ by one row at most", () => {
  for (const scheme of ["contiguous", "iid", "sorted"]) {
    const lengths = partition(scheme, balanced, { clients: 7, random: 1 }).map((part) => part.length);
    expect(Math.max(...lengths) - Math.min(...lengths)).toBeLessThanOrEqual(1);
  }
});

test("two shards of 300 hold at most two digits on most of McMahan's clients", () => {
  const labels = Array.from({ length: 60_000 }, (_, i) => i % 10);
  const parts = partition("shards:2", labels, { clients: 100, random: 3 });
  for (const part of parts) {
    expect(part.length).toBe(600);
    expect(new Set([...part].map((row) => labels[row])).size).toBeLessThanOrEqual(2);
  }
});

test("a small alpha gives each client few classes, a large one all of them alike", () => {
  const most = (alpha: number) => {
    const parts = partition({ scheme: "dirichlet", alpha }, balanced, { clients: 10, random: 5 });
    return parts.reduce((sum, part) => sum + Math.max(...classesOf(part)) / part.length / 10, 0);
  };
  expect(most(0.05)).toBeGreaterThan(0.5);
  expect(most(1000)).toBeLessThan(0.13);
});

test("two dominant classes make up nine tenths of a client, and every class dominates somewhere", () => {
  const parts = partition("dominant:2", balanced, { clients: 10, random: 5 });
  const dominated = new Set<number>();
  for (const part of parts) {
    const ranked = classesOf(part)
      .map((count, label) => ({ count, label }))
      .sort((a, b) => b.count - a.count);
    const share = (ranked[0]!.count + ranked[1]!.count) / part.length;
    expect(share).toBeGreaterThan(0.88);
    expect(share).toBeLessThan(0.92);
    dominated.add(ranked[0]!.label).add(ranked[1]!.label);
  }
  expect(dominated.size).toBe(10);
});

test("what is no partition is refused with the list of those there are", () => {
  for (const text of [
    "random",
    "",
    "iid:2",
    "shards",
    "shards:0",
    "shards:1.5",
    "dirichlet:-1",
    "dirichlet:x",
    "shards:2:3",
    "dominant:",
  ]) {
    expect(() => parsePartition(text)).toThrow(
      `"${text}" is not a way to partition data; there are contiguous, iid, natural, sorted, shards:S, dirichlet:A, dominant:K`,
    );
  }
  expect(parsePartition("dirichlet:0.5")).toEqual({ scheme: "dirichlet", alpha: 0.5 });
});

test("more clients than rows are refused", () => {
  expect(() => partition("iid", [0, 1], { clients: 3, random: 1 })).toThrow("2 examples cannot be dealt to 3 clients");
});

test("examples without classes are dealt in their order or at random, and in no other way", () => {
  const parts = partition("iid", 10, { clients: 3, random: 1 });
  expect(parts.flatMap((part) => [...part]).sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(partition("contiguous", 5, { clients: 2, random: 1 })).toEqual([
    Uint32Array.of(0, 1),
    Uint32Array.of(2, 3, 4),
  ]);
  for (const scheme of ["sorted", "shards:2", "dirichlet:0.5", "dominant:2"]) {
    expect(() => partition(scheme, 100, { clients: 2, random: 1 })).toThrow(
      `"${scheme.split(":")[0]}" deals examples by their classes, and these have none; take contiguous or iid.`,
    );
  }
});

test("whole groups stay together, and each client gets one", () => {
  const groups = [5, 5, 2, 9, 2, 5];
  const deal = (clients: number) => partition("natural", 6, { clients, random: 1, groups });
  expect(deal(2)).toEqual([Uint32Array.of(0, 1, 3, 5), Uint32Array.of(2, 4)]);
  expect(() => deal(4)).toThrow("3 groups of examples cannot be dealt to 4 clients");
  expect(() => partition("natural", 6, { clients: 2, random: 1 })).toThrow("does not say whose they are");
});
