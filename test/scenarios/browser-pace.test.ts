import { expect, test } from "vitest";
import { Pause } from "../../apps/browser-client/src/device/pause.ts";
import { Pacer } from "../../apps/browser-client/src/training/pace.ts";

/** A clock that stands still until it is told to go on. */
function handClock() {
  let now = 0;
  const timers = new Set<{ at: number; callback: () => void }>();
  return {
    clock: {
      now: () => now,
      setTimeout(callback: () => void, ms: number) {
        const timer = { at: now + ms, callback };
        timers.add(timer);
        return () => void timers.delete(timer);
      },
    },
    async pass(ms: number) {
      now += ms;
      for (const timer of [...timers].filter(({ at }) => at <= now)) {
        timers.delete(timer);
        timer.callback();
      }
      await Promise.resolve();
      await Promise.resolve();
    },
  };
}

function watched(turn: Promise<void>): { done: boolean } {
  const watch = { done: false };
  turn.then(
    () => (watch.done = true),
    () => undefined,
  );
  return watch;
}

const never = new AbortController().signal;

test("a device that gives a quarter of its time rests three times as long as it worked", async () => {
  const { clock, pass } = handClock();
  const pacer = new Pacer(clock);
  pacer.set({ share: 0.25, paused: false });
  await pacer.turn(never);
  await pass(100);
  const turn = watched(pacer.turn(never));
  await pass(299);
  expect(turn.done).toBe(false);
  await pass(1);
  expect(turn.done).toBe(true);
});

test("the share is kept for slow batches too", async () => {
  const { clock, pass } = handClock();
  const pacer = new Pacer(clock);
  pacer.set({ share: 0.1, paused: false });
  let workedMs = 0;
  for (let batch = 0; batch < 5; batch++) {
    const turn = watched(pacer.turn(never));
    while (!turn.done) await pass(1_000);
    await pass(4_000);
    workedMs += 4_000;
  }
  expect(workedMs / (clock.now() + 36_000)).toBeCloseTo(0.1, 2);
});

test("a device that gives all its time never waits", async () => {
  const { clock, pass } = handClock();
  const pacer = new Pacer(clock);
  await pacer.turn(never);
  await pass(100);
  await pacer.turn(never);
});

test("a paused device begins no batch until it may go on, however much time passes", async () => {
  const { clock, pass } = handClock();
  const pacer = new Pacer(clock);
  pacer.set({ share: 1, paused: true });
  const turn = watched(pacer.turn(never));
  await pass(1e9);
  expect(turn.done).toBe(false);
  pacer.set({ share: 1, paused: false });
  await pass(0);
  expect(turn.done).toBe(true);
});

test("a pause ends with the work it holds up, so that the next round's is not kept waiting behind it", async () => {
  const { clock } = handClock();
  const pacer = new Pacer(clock);
  pacer.set({ share: 1, paused: true });
  const round = new AbortController();
  const turn = pacer.turn(round.signal);
  round.abort(new Error("the round went on"));
  await expect(turn).rejects.toThrow("the round went on");
});

test("a rest ends early when the person gives more", async () => {
  const { clock, pass } = handClock();
  const pacer = new Pacer(clock);
  pacer.set({ share: 0.1, paused: false });
  await pacer.turn(never);
  await pass(500);
  const turn = watched(pacer.turn(never));
  pacer.set({ share: 1, paused: false });
  await pass(0);
  expect(turn.done).toBe(true);
});

test("only a pause that lasts withdraws the device, and one from before it joined at once", async () => {
  const { clock, pass } = handClock();
  const calls: string[] = [];
  const participant = { pause: () => calls.push("pause"), resume: () => calls.push("resume") };
  const pause = new Pause(clock);
  pause.attach(participant);
  pause.set(true);
  await pass(1_999);
  pause.set(false);
  await pass(10_000);
  expect(calls).toEqual(["resume"]);
  pause.set(true);
  await pass(2_000);
  expect(calls).toEqual(["resume", "pause"]);

  const early = new Pause(clock);
  early.set(true);
  early.attach(participant);
  expect(calls).toEqual(["resume", "pause", "pause"]);
});
