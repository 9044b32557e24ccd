import { randomFrom, seededRandom } from "@tributary/algorithm";
import { platformRandom } from "@tributary/participant";
import fc from "fast-check";
import { expect, test } from "vitest";
import { backoffMs } from "../../packages/participant/src/retry.ts";

test("a wait is below 1 s at first, below 30 s always, and never shorter than the coordinator asked for", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5_000 }), fc.integer({ min: 0, max: 60_000 }), fc.nat(), (n, after, seed) => {
      const wait = backoffMs(n, seededRandom(seed, "jitter"), after);
      expect(wait).toBeGreaterThanOrEqual(after);
      expect(wait - after).toBeLessThan(Math.min(30_000, 1_000 * 2 ** (n - 1)) + 1e-9);
    }),
  );
  const longest = randomFrom({ uint32: () => 0xffff_ffff });
  expect([1, 2, 5, 6, 99].map((n) => Math.round(backoffMs(n, longest)))).toEqual([
    1_000, 2_000, 16_000, 30_000, 30_000,
  ]);
});

test("the platform's stream is uniform and never the same twice", () => {
  const [a, b] = [platformRandom(), platformRandom()];
  const drawn = Array.from({ length: 20_000 }, () => a.uniform());
  const mean = drawn.reduce((sum, value) => sum + value, 0) / drawn.length;
  expect(Math.abs(mean - 0.5)).toBeLessThan(6 / Math.sqrt(12 * drawn.length));
  expect(new Set(drawn).size).toBe(drawn.length);
  expect(drawn.slice(0, 4)).not.toEqual(Array.from({ length: 4 }, () => b.uniform()));
});
