import fc from "fast-check";
import { expect, test } from "vitest";
import { thinned } from "../../apps/coordinator/src/store/thinning.ts";

test("a history is thinned to its points: ends always, judged rounds before others, evenly", () => {
  expect(thinned({ after: 0, newest: 4, points: 4 }, [])).toEqual([1, 2, 3, 4]);
  expect(thinned({ after: 0, newest: 9, points: 1 }, [3])).toEqual([9]);
  expect(thinned({ after: 3, newest: 9, points: 2 }, [5])).toEqual([4, 9]);
  expect(thinned({ after: 0, newest: 9, points: 4 }, [2, 8])).toEqual([1, 2, 8, 9]);
  expect(thinned({ after: 0, newest: 9, points: 4 }, [2, 3, 4, 5, 6])).toEqual([1, 3, 6, 9]);
  expect(thinned({ after: 0, newest: 9, points: 5 }, [1, 9])).toEqual([1, 3, 5, 8, 9]);
});

test("exactly as many as wanted, each once and in order; no judged round goes while another stays", () => {
  fc.assert(
    fc.property(
      fc.record({ after: fc.nat(50), newest: fc.nat(200), points: fc.integer({ min: 1, max: 60 }) }),
      fc.integer({ min: 1, max: 20 }),
      (range, every) => {
        const { after, newest, points } = range;
        const judged = Array.from({ length: 200 }, (_, round) => round).filter((round) => round % every === 0);
        const chosen = thinned(range, judged);
        expect(chosen).toHaveLength(Math.min(points, Math.max(0, newest - after)));
        expect(chosen).toEqual([...new Set(chosen)].sort((a, b) => a - b));
        const inner = chosen.filter((round) => round !== after + 1 && round !== newest);
        const missing = judged.filter((round) => round > after && round < newest && !chosen.includes(round));
        if (inner.some((round) => round % every !== 0)) expect(missing).toEqual([]);
      },
    ),
  );
});
