import { cohortSize, Fold } from "@tributary/round";
import { expect, test } from "vitest";
import { specOf } from "../support/specs.ts";

const update = { name: "update", length: 2, encoding: { kind: "update", clip: 1, bits: 16 } } as const;
const count = { name: "examples", length: 1, encoding: { kind: "exact", scaleBits: 0 } } as const;

test("a mean of updates is weighted by examples, and counts are added", () => {
  const fold = new Fold([update, count]);
  fold.add({ values: Float32Array.of(1, 2, 1), weight: 1 });
  fold.add({ values: Float32Array.of(3, 6, 3), weight: 3 });
  const { lanes, weight, contributors } = fold.total();
  expect([...lanes["update"]!]).toEqual([2.5, 5]);
  expect([...lanes["examples"]!]).toEqual([4]);
  expect([weight, contributors]).toEqual([4, 2]);
});

test("over-selection asks thirty per cent more, and never more than there are", () => {
  const { cohort } = specOf({ cohort: { size: 10, minimum: 5, overSelect: 1.3 } });
  expect(cohortSize(cohort, 100)).toEqual({ asked: 13, goal: 10, minimum: 5 });
  expect(cohortSize(cohort, 11)).toEqual({ asked: 11, goal: 10, minimum: 5 });
  expect(cohortSize(cohort, 6)).toEqual({ asked: 6, goal: 6, minimum: 5 });
  const share = specOf({ cohort: { fraction: 0.1, minimum: 2, overSelect: 1 } }).cohort;
  expect(cohortSize(share, 100)).toEqual({ asked: 10, goal: 10, minimum: 2 });
  expect(cohortSize(share, 5)).toEqual({ asked: 2, goal: 2, minimum: 2 });
});
