import { randomFrom, seededRandom } from "@tributary/algorithm";
import { expect, test } from "vitest";

test("one seed and name give one stream, another name another", () => {
  const draw = (seed: number, name: string) => Array.from({ length: 4 }, seededRandom(seed, name).uint32);
  expect(draw(7, "data")).toEqual(draw(7, "data"));
  expect(draw(7, "data")).not.toEqual(draw(7, "model"));
  expect(draw(7, "data")).not.toEqual(draw(8, "data"));
});

test("a permutation holds every index once", () => {
  const order = seededRandom(1, "order").permutation(1000);
  expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
  expect([...order.slice(0, 10)]).not.toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test("uniform, below and normal have the moments they should", () => {
  const random = seededRandom(3, "moments");
  const n = 100_000;
  const mean = (draw: () => number) => Array.from({ length: n }, draw).reduce((a, b) => a + b) / n;
  expect(Math.abs(mean(random.uniform) - 0.5)).toBeLessThan(5 / Math.sqrt(12 * n));
  expect(Math.abs(mean(() => random.below(3)) - 1)).toBeLessThan((5 * Math.sqrt(2 / 3)) / Math.sqrt(n));
  expect(Math.abs(mean(random.normal))).toBeLessThan(5 / Math.sqrt(n));
  expect(Math.abs(mean(() => random.normal() ** 2) - 1)).toBeLessThan((5 * Math.SQRT2) / Math.sqrt(n));
});

test("a source without its own bounded draw rejects the biased tail", () => {
  const values = [4_294_967_295, 5];
  expect(randomFrom({ uint32: () => values.shift()! }).below(10)).toBe(5);
});
