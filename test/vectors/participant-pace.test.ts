import { expect, test } from "vitest";
import { paceOf, throttled } from "../../packages/participant/src/progress-report.ts";

const at = (epoch: number, batch: number) => ({ epoch, epochs: 4, batch, batches: 10, loss: 1 });

test("the pace is the examples behind by the time they took, and the rest is expected to take as long each", () => {
  expect(paceOf(at(2, 10), { examples: 100, elapsedMs: 4000 })).toEqual({ examplesPerSecond: 50, remainingMs: 4000 });
  expect(paceOf(at(4, 10), { examples: 100, elapsedMs: 4000 })).toEqual({ examplesPerSecond: 100, remainingMs: 0 });
});

test("before anything is behind there is no pace", () => {
  expect(paceOf(at(1, 0), { examples: 100, elapsedMs: 10 })).toBeUndefined();
  expect(paceOf(at(1, 5), { examples: 100, elapsedMs: 0 })).toBeUndefined();
});

test("of many batches those are told that are 250 ms apart, and always the last one", () => {
  let now = 0;
  const told: number[] = [];
  const tell = throttled({ now: () => now, setTimeout: () => () => {} }, ({ batch }) => told.push(batch));
  for (let batch = 1; batch <= 10; batch++) {
    now += 60;
    tell({ ...at(4, batch) });
  }
  expect(told).toEqual([5, 10]);
  told.length = 0;
  for (let batch = 1; batch <= 10; batch++) tell(at(4, batch));
  expect(told).toEqual([10]);
});
