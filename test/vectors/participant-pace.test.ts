import { expect, test } from "vitest";
import { paceOf } from "../../packages/participant/src/progress-report.ts";

const at = (epoch: number, batch: number) => ({ epoch, epochs: 4, batch, batches: 10, loss: 1 });

test("the pace is the examples behind by the time they took, and the rest is expected to take as long each", () => {
  expect(paceOf(at(2, 10), { examples: 100, elapsedMs: 4000 })).toEqual({ examplesPerSecond: 50, remainingMs: 4000 });
  expect(paceOf(at(4, 10), { examples: 100, elapsedMs: 4000 })).toEqual({ examplesPerSecond: 100, remainingMs: 0 });
});

test("before anything is behind there is no pace", () => {
  expect(paceOf(at(1, 0), { examples: 100, elapsedMs: 10 })).toBeUndefined();
  expect(paceOf(at(1, 5), { examples: 100, elapsedMs: 0 })).toBeUndefined();
});
