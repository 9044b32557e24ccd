import { advance, newRun, planOf, type RunEvent, type RunState } from "@tributary/round";
import { expect, test } from "vitest";
import { Timeline } from "../../apps/coordinator/src/timeline.ts";
import { clientsNamed, specOf } from "../support/specs.ts";

/** A run's machine with a timeline beside it, as the session has them. */
function watchedRun(cohort: number, changes: Record<string, unknown> = {}) {
  const plan = planOf(specOf({ cohort: { size: cohort, minimum: cohort - 2, overSelect: 1 }, ...changes }));
  const timeline = new Timeline(plan);
  const present = clientsNamed(cohort);
  let state: RunState = newRun;
  const give = (event: RunEvent, now: number) => {
    const before = state;
    const transition = advance(plan, before, event, { now, present });
    state = transition.state;
    return timeline.observe(before, transition, now);
  };
  const answer = (client: number, now: number) => {
    if (state.phase !== "collecting") throw new Error(`the run is ${state.phase}`);
    const { attempt, step } = state;
    const address = { run: "run-00000000", round: attempt.round, attempt: attempt.attempt, step } as never;
    return give({ type: "answered", client: present[client]!, address }, now);
  };
  return { timeline, give, answer, present, phase: () => state.phase };
}

test("each client's lane says when it fetched its question, when it answered, and where it was lost", () => {
  const { timeline, give, answer, present } = watchedRun(4);
  give({ type: "start" }, 1_000);
  timeline.fetched(present[0]!, 1_010);
  timeline.fetched(present[0]!, 1_015);
  answer(0, 1_250);
  answer(1, 1_300);
  give({ type: "departed", client: present[2]!, reason: "the connection was lost" }, 1_400);
  expect(timeline.open(1, 1_500)).toMatchObject({
    outcome: "open",
    dropped: 1,
    steps: [{ name: "update", openedMs: 0, limitMs: 120_000, asked: 4, answered: 2 }],
  });
  expect(timeline.open(2, 1_500)).toBeUndefined();
  answer(3, 1_900);
  expect(timeline.records).toEqual([{ name: "update", seconds: 0.9, asked: 4, answered: 3 }]);
  const [end] = give({ type: "aggregated", metrics: {} }, 2_000);
  expect(end).toMatchObject({ round: 1, asked: present, answered: [present[0], present[1], present[3]] });
  expect(end!.timeline).toMatchObject({ kind: "train", attempt: 1, outcome: "done", endedMs: 1_000, cohort: 4 });
  expect(end!.timeline.lanes).toEqual([
    { client: present[0], steps: [{ fetchedMs: 10, answeredMs: 250 }] },
    { client: present[1], steps: [{ answeredMs: 300 }] },
    { client: present[2], steps: [{}], dropped: { step: "update", reason: "the connection was lost" } },
    { client: present[3], steps: [{ answeredMs: 900 }] },
  ]);
});

test("a secure attempt has its five steps, those who fell behind in one are not asked in the next", () => {
  const secure = { secureAggregation: "required", cohort: { size: 5, minimum: 3, overSelect: 1 } };
  const { timeline, give, answer, present, phase } = watchedRun(5, secure);
  give({ type: "start" }, 0);
  for (const client of [0, 1, 2, 3, 4]) answer(client, 10 + client);
  for (const client of [0, 1, 2, 3]) answer(client, 30 + client);
  give({ type: "departed", client: present[4]!, reason: "gone" }, 40);
  for (const client of [0, 1, 2, 3]) answer(client, 50 + client);
  for (const client of [0, 1, 2, 3]) answer(client, 60 + client);
  expect(phase()).toBe("collecting");
  expect(timeline.open(1, 70)!.steps.map(({ name, asked, answered }) => [name, asked, answered])).toEqual([
    ["keys", 5, 5],
    ["shares", 5, 4],
    ["masked", 4, 4],
    ["consistency", 4, 4],
    ["unmask", 4, 0],
  ]);
});

test("an attempt that fails says why, and what a run that is paused leaves behind is abandoned", () => {
  const { give, present } = watchedRun(4);
  give({ type: "start" }, 0);
  const reason = "bad data";
  const ends = present.slice(0, 3).flatMap((client) => give({ type: "departed", client, reason }, 20));
  expect(ends).toMatchObject([{ timeline: { outcome: "abandoned", dropped: 3 }, answered: [] }]);
  expect(ends[0]!.timeline.reason).toContain("too few are left");
  give({ type: "tick" }, 60_000);
  expect(give({ type: "pause" }, 61_000)).toMatchObject([
    { timeline: { outcome: "abandoned", attempt: 2, reason: "the run is paused" } },
  ]);
});

test("of a large cohort the lost and the slowest are kept, and everyone in the spread", () => {
  const { give, answer, present } = watchedRun(1_000);
  give({ type: "start" }, 0);
  give({ type: "departed", client: present[500]!, reason: "gone" }, 1);
  let ends: ReturnType<typeof give> = [];
  for (let client = 0; client < 1_000; client++) if (client !== 500) answer(client, 10 * client);
  ends = give({ type: "aggregated", metrics: {} }, 20_000);
  const { lanes, steps, cohort } = ends[0]!.timeline;
  expect([cohort, steps[0]!.asked, steps[0]!.answered]).toEqual([1_000, 1_000, 999]);
  expect(steps[0]!.spread.reduce((sum, part) => sum + part)).toBe(999);
  expect(steps[0]!.spread).toHaveLength(40);
  expect(lanes.length).toBe(24);
  expect(lanes.slice(0, 3).map(({ client }) => client)).toEqual([present[500], present[999], present[998]]);
});
