import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { watchBreath } from "../../apps/browser-client/src/training/watch-breath.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A watch over something that answers, or not. */
function watched() {
  const seen = { asked: 0, stuck: 0, answers: true };
  const stop = watchBreath({
    ask(onAnswer) {
      seen.asked++;
      if (seen.answers) onAnswer();
    },
    onStuck: () => seen.stuck++,
  });
  return { seen, stop };
}

test("what answers is asked every second and never called stuck", () => {
  const { seen } = watched();
  vi.advanceTimersByTime(120_000);
  expect(seen).toMatchObject({ asked: 120, stuck: 0 });
});

test("what does not answer for twenty seconds is called stuck, once, and asked no more", () => {
  const { seen } = watched();
  vi.advanceTimersByTime(10_000);
  seen.answers = false;
  vi.advanceTimersByTime(20_000);
  expect(seen).toMatchObject({ asked: 11, stuck: 0 });
  vi.advanceTimersByTime(1_000);
  expect(seen.stuck).toBe(1);
  vi.advanceTimersByTime(60_000);
  expect(seen).toMatchObject({ asked: 11, stuck: 1 });
});

test("a late answer counts, and nothing is told once the watch is over", () => {
  const late: (() => void)[] = [];
  let stuck = 0;
  const stop = watchBreath({ ask: (onAnswer) => late.push(onAnswer), onStuck: () => stuck++ });
  for (let times = 0; times < 5; times++) {
    vi.advanceTimersByTime(19_000);
    late.pop()?.();
  }
  expect(stuck).toBe(0);
  vi.advanceTimersByTime(5_000);
  stop();
  vi.advanceTimersByTime(60_000);
  expect(stuck).toBe(0);
});
