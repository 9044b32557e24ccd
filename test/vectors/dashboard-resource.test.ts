import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Resource } from "../../apps/dashboard/src/resource.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A resource whose answers the test gives, in the order in which they are asked for. */
function answered() {
  const asked: ((value: number[]) => void)[] = [];
  const resource = new Resource<number[]>(() => new Promise((resolve) => asked.push(resolve)));
  const answer = async (value: number[]) => {
    asked.at(-1)!(value);
    await vi.advanceTimersByTimeAsync(10_000);
  };
  return { resource, asked, answer };
}

test("what an event brings while an answer is on its way is not lost with it", async () => {
  const { resource, asked, answer } = answered();
  resource.watch();
  await vi.advanceTimersByTimeAsync(0);
  await answer([1]);
  resource.stale();
  await vi.advanceTimersByTimeAsync(1_000);
  resource.change((rounds) => [...rounds, 2]);
  expect(resource.value.value).toEqual([1, 2]);
  // From before the event.
  await answer([1]);
  expect(asked).toHaveLength(3);
  await answer([1, 2]);
  expect(resource.value.value).toEqual([1, 2]);
  expect(asked).toHaveLength(3);
});

test("what nobody looks at does not grow with events, and is fetched anew when somebody does", async () => {
  const { resource, asked, answer } = answered();
  const unwatch = resource.watch();
  await vi.advanceTimersByTimeAsync(0);
  await answer([1]);
  unwatch();
  for (let round = 2; round < 100; round++) resource.change((rounds) => [...rounds, round]);
  expect(resource.value.value).toEqual([1]);
  expect(asked).toHaveLength(1);
  resource.watch();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(asked).toHaveLength(2);
});
