import type { ClientId, RunId } from "@tributary/protocol";
import {
  advance,
  newRun,
  planOf,
  type RunEffect,
  type RunEvent,
  type RunState,
  refusalOf,
  restoreRun,
} from "@tributary/round";
import { expect, test } from "vitest";
import { clientsNamed, specOf } from "../support/specs.ts";

/** A run under the test's own clock; collects the effects of each event. */
function drive(changes: Record<string, unknown> = {}, present: ClientId[] = clientsNamed(3)) {
  const plan = planOf(specOf(changes));
  const world = { now: 1_000_000, present };
  let state: RunState = newRun;
  const take = (next: { state: RunState; effects: readonly RunEffect[] }) => {
    state = next.state;
    return next.effects;
  };
  const send = (event: RunEvent) => take(advance(plan, state, event, world));
  return {
    plan,
    world,
    send,
    get state() {
      return state;
    },
    restore: (saved: Parameters<typeof restoreRun>[1]) => take(restoreRun(plan, saved, world)),
    wait: (ms: number) => {
      world.now += ms;
      return send({ type: "tick" });
    },
    answer: (client: ClientId) => send({ type: "answered", client, address: addressOf(state) }),
    /** Every client that was asked answers, and the shell commits. */
    finishRound: () => {
      if (state.phase !== "collecting") throw new Error(`nothing is collected while ${state.phase}`);
      for (const client of state.attempt.cohort) send({ type: "answered", client, address: addressOf(state) });
      return send({ type: "aggregated", metrics: { loss: 1 } });
    },
  };
}

function addressOf(state: RunState) {
  if (state.phase !== "collecting") throw new Error(`no step is open while ${state.phase}`);
  const { round, attempt } = state.attempt;
  return { run: "run-test00000000" as RunId, round, attempt, step: state.step };
}

const types = (effects: readonly RunEffect[]) => effects.map(({ type }) => type);

test("asks the cohort as soon as it is complete, and commits when all have answered", () => {
  const run = drive();
  expect(types(run.send({ type: "start" }))).toEqual(["ask", "wake"]);
  const [a, b, c] = clientsNamed(3);
  expect(run.answer(a!)).toEqual([]);
  expect(run.answer(b!)).toEqual([]);
  const effects = run.answer(c!);
  expect(effects).toMatchObject([{ type: "aggregate", survivors: [a, b, c] }]);
  expect(types(run.send({ type: "aggregated", metrics: {} }))).toEqual(["ask", "wake"]);
  expect(run.state.progress).toMatchObject({ round: 1, modelVersion: 1 });
});

test("counts a repeated answer once", () => {
  const run = drive();
  run.send({ type: "start" });
  const [a, b] = clientsNamed(3);
  run.answer(a!);
  run.answer(a!);
  run.answer(b!);
  expect(run.state).toMatchObject({ phase: "collecting", answered: [a, b] });
});

test("waits for its window, then goes on with fewer clients", () => {
  const run = drive({ cohort: { size: 5, minimum: 2, overSelect: 1 } });
  expect(run.send({ type: "start" })).toEqual([{ type: "wake", at: run.world.now + 30_000 }]);
  expect(types(run.wait(29_999))).toEqual(["wake"]);
  expect(run.wait(1)).toMatchObject([{ type: "ask", clients: clientsNamed(3) }, { type: "wake" }]);
});

test("keeps waiting where the window ends below the minimum, without spending an attempt", () => {
  const run = drive({}, clientsNamed(1));
  run.send({ type: "start" });
  run.wait(30_000);
  expect(run.state).toMatchObject({ phase: "gathering", until: run.world.now + 30_000 });
  run.world.present = clientsNamed(3);
  expect(run.send({ type: "present" })).toMatchObject([{ type: "ask", attempt: { round: 1, attempt: 1 } }, {}]);
});

test("waits for the population once, and not again in later rounds", () => {
  const run = drive({ cohort: { size: 2, minimum: 2, overSelect: 1, population: 4 } });
  run.send({ type: "start" });
  expect(run.state.phase).toBe("gathering");
  run.world.present = clientsNamed(4);
  run.send({ type: "present" });
  run.world.present = clientsNamed(3);
  run.finishRound();
  expect(run.state).toMatchObject({ phase: "collecting", attempt: { round: 2 } });
});

test("closes at its goal and tells the stragglers", () => {
  const run = drive({ cohort: { size: 3, minimum: 2, overSelect: 1.34 } }, clientsNamed(6));
  run.send({ type: "start" });
  const asked = run.state.phase === "collecting" ? run.state.asked : [];
  expect(asked).toHaveLength(5);
  run.answer(asked[0]!);
  run.answer(asked[1]!);
  const effects = run.answer(asked[2]!);
  expect(effects).toMatchObject([
    { type: "dismiss", clients: asked.slice(3) },
    { type: "aggregate", survivors: asked.slice(0, 3) },
  ]);
});

test("a timer that rings before the deadline is set again: nothing else may ever move the step on", () => {
  const run = drive();
  run.send({ type: "start" });
  const deadline = run.world.now + 120_000;
  expect(run.wait(119_999.4)).toEqual([{ type: "wake", at: deadline }]);
  expect(run.state.phase).toBe("collecting");
  expect(types(run.wait(0.6))).toEqual(["abandon", "wake"]);
});

test("goes on at the deadline with the quorum, naming who was late", () => {
  const run = drive();
  run.send({ type: "start" });
  const [a, b, c] = clientsNamed(3);
  run.answer(a!);
  run.answer(b!);
  const effects = run.wait(120_000);
  expect(effects).toMatchObject([
    { type: "dismiss", clients: [c] },
    { type: "aggregate", survivors: [a, b], attempt: { dropped: [{ client: c, step: "update" }] } },
  ]);
});

test("goes on without a client that left, at once", () => {
  const run = drive();
  run.send({ type: "start" });
  const [a, b, c] = clientsNamed(3);
  run.answer(a!);
  run.send({ type: "departed", client: c!, reason: "the device left" });
  expect(run.answer(b!)).toMatchObject([{ type: "aggregate", survivors: [a, b] }]);
});

test("counts a client that left and came back with its answer", () => {
  const run = drive();
  run.send({ type: "start" });
  const [a, b, c] = clientsNamed(3);
  run.send({ type: "departed", client: c!, reason: "the device left" });
  run.answer(c!);
  run.answer(a!);
  expect(run.answer(b!)).toMatchObject([{ type: "aggregate", survivors: [a, b, c], attempt: { dropped: [] } }]);
});

test("abandons as soon as too few clients are left, and tries again with a new attempt of the same round", () => {
  const run = drive();
  run.send({ type: "start" });
  const [a, b] = clientsNamed(3);
  run.send({ type: "departed", client: a!, reason: "the device left" });
  const effects = run.send({ type: "departed", client: b!, reason: "the device left" });
  expect(types(effects)).toEqual(["abandon", "wake"]);
  expect(run.wait(1_000)).toMatchObject([{ type: "ask", attempt: { round: 1, attempt: 2 } }, {}]);
  expect(run.state.progress.round).toBe(0);
});

test("a client that declines is lost to the step, with its reason", () => {
  const run = drive();
  run.send({ type: "start" });
  const [a, b, c] = clientsNamed(3);
  run.send({ type: "declined", client: b!, address: addressOf(run.state), reason: "training_diverged: NaN" });
  run.answer(a!);
  expect(run.answer(c!)).toMatchObject([
    { type: "aggregate", attempt: { dropped: [{ client: b, reason: "training_diverged: NaN" }] } },
  ]);
});

test("ends after its rounds", () => {
  const run = drive({ stop: { rounds: 2 } });
  run.send({ type: "start" });
  run.finishRound();
  expect(run.finishRound()).toMatchObject([{ type: "ended", outcome: "finished", reason: "all 2 rounds done" }]);
});

test("stops at its target as soon as an evaluation reaches it", () => {
  const run = drive({
    evaluation: { on: "coordinator" },
    stop: { rounds: 9, target: { metric: "accuracy", atLeast: 0.9 } },
  });
  run.send({ type: "start" });
  expect(types(run.finishRound())).toEqual(["evaluate"]);
  expect(types(run.send({ type: "evaluated", metrics: { accuracy: 0.89 } }))).toEqual(["ask", "wake"]);
  run.finishRound();
  const effects = run.send({ type: "evaluated", metrics: { accuracy: 0.9 } });
  expect(effects).toMatchObject([{ type: "ended", reason: "target reached: accuracy 0.9 ≥ 0.9" }]);
});

test("gives up when nothing has improved for as many rounds as its patience", () => {
  const run = drive({ evaluation: { on: "coordinator" }, stop: { rounds: 99, patienceRounds: 2 } });
  run.send({ type: "start" });
  for (const accuracy of [0.5, 0.6, 0.55]) {
    run.finishRound();
    run.send({ type: "evaluated", metrics: { accuracy } });
  }
  run.finishRound();
  const effects = run.send({ type: "evaluated", metrics: { accuracy: 0.6 } });
  expect(effects).toMatchObject([{ type: "ended", reason: "no better accuracy for 2 rounds" }]);
});

test("without an evaluation its patience watches the training loss", () => {
  const run = drive({ stop: { rounds: 99, patienceRounds: 2 } });
  run.send({ type: "start" });
  for (const trainingLoss of [0.9, 0.5, 0.6, 0.5]) {
    for (const client of clientsNamed(3)) run.answer(client);
    run.send({ type: "aggregated", metrics: { trainingLoss } });
  }
  expect(run.state).toMatchObject({ phase: "finished", reason: "no better trainingLoss for 2 rounds" });
});

test("a secure attempt goes through its five steps, and the last closes only when there is enough", () => {
  const run = drive({ secureAggregation: "required", cohort: { size: 3, minimum: 3 } });
  run.send({ type: "start" });
  for (let step = 0; step < 4; step++) for (const client of clientsNamed(3)) run.answer(client);
  expect(run.state).toMatchObject({ phase: "collecting", step: 4 });
  for (const client of clientsNamed(3)) run.answer(client);
  expect(run.state).toMatchObject({ phase: "collecting", step: 4 });
  expect(run.send({ type: "pause" })).toEqual([]);
  const effects = run.send({ type: "enough", address: addressOf(run.state) });
  expect(effects).toMatchObject([{ type: "aggregate", survivors: clientsNamed(3) }]);
});

test("a secure attempt that loses too many before the last step is tried again, in it the run fails", () => {
  const run = drive({ secureAggregation: "required", cohort: { size: 3, minimum: 3 } });
  run.send({ type: "start" });
  const [a] = clientsNamed(3);
  expect(types(run.send({ type: "departed", client: a!, reason: "the device left" }))).toEqual(["abandon", "wake"]);
  run.wait(1_000);
  for (let step = 0; step < 4; step++) for (const client of clientsNamed(3)) run.answer(client);
  run.send({ type: "departed", client: a!, reason: "the device left" });
  expect(run.state).toMatchObject({ phase: "collecting", step: 4 });
  run.wait(600_000);
  expect(run.state).toMatchObject({ phase: "failed", reason: expect.stringMatching(/can never be finished/) });
});

test("a restart in the last step of a secure attempt asks the same devices again", () => {
  const run = drive({ secureAggregation: "required", cohort: { size: 3, minimum: 3 } });
  run.send({ type: "start" });
  for (let step = 0; step < 4; step++) for (const client of clientsNamed(3)) run.answer(client);
  if (run.state.phase !== "collecting") throw new Error("not collecting");
  const { attempt, step, asked, progress } = run.state;
  const later = drive({ secureAggregation: "required", cohort: { size: 3, minimum: 3 } });
  const effects = later.restore({ progress, phase: "collecting", unfinished: { attempt, step, asked } });
  expect(effects).toMatchObject([{ type: "ask", step: 4, clients: clientsNamed(3), attempt: { attempt: 1 } }, {}]);
});

test("stops when its minutes are over, pauses not counted", () => {
  const run = drive({ stop: { rounds: 99, maxMinutes: 1 } });
  run.send({ type: "start" });
  run.wait(40_000);
  run.send({ type: "pause" });
  run.wait(3_600_000);
  run.send({ type: "resume" });
  run.finishRound();
  expect(run.state.phase).toBe("collecting");
  run.world.now += 20_000;
  expect(run.finishRound()).toMatchObject([{ type: "ended", reason: "1 minutes are over" }]);
});

test("evaluates on clients in an attempt of its own, with a number no training attempt had", () => {
  const run = drive({ evaluation: { on: "clients" }, stop: { rounds: 2 } });
  run.send({ type: "start" });
  expect(run.finishRound()).toMatchObject([{ type: "ask", attempt: { kind: "evaluate", round: 1, attempt: 2 } }, {}]);
  expect(run.finishRound()).toMatchObject([{ type: "ask", attempt: { kind: "train", round: 2, attempt: 1 } }, {}]);
});

test("leaves an evaluation out after two attempts that failed, and goes on training", () => {
  const run = drive({ evaluation: { on: "clients" } });
  run.send({ type: "start" });
  run.finishRound();
  run.wait(120_000);
  expect(run.state).toMatchObject({ phase: "collecting", attempt: { kind: "evaluate", attempt: 3 } });
  run.wait(120_000);
  expect(run.state).toMatchObject({ phase: "collecting", attempt: { kind: "train", round: 2 } });
});

test("a pause voids the attempt and tells its clients; a resume opens another", () => {
  const run = drive();
  run.send({ type: "start" });
  expect(types(run.send({ type: "pause" }))).toEqual(["abandon", "dismiss"]);
  expect(run.send({ type: "resume" })).toMatchObject([{ type: "ask", attempt: { round: 1, attempt: 2 } }, {}]);
});

test("a stop during the commit lets the commit finish", () => {
  const run = drive();
  run.send({ type: "start" });
  for (const client of clientsNamed(3)) run.answer(client);
  expect(run.send({ type: "stop" })).toEqual([]);
  expect(run.send({ type: "aggregated", metrics: {} })).toMatchObject([{ type: "ended", outcome: "stopped" }]);
  expect(run.state.progress.round).toBe(1);
});

test("after a restart it opens a new attempt of the round that was under way", () => {
  const run = drive();
  run.send({ type: "start" });
  run.finishRound();
  const { progress } = run.state;
  const later = drive();
  const effects = later.restore({ progress, phase: "collecting" });
  expect(effects).toMatchObject([{ type: "ask", attempt: { round: 2, attempt: 2 } }, {}]);
});

test("after a restart it evaluates a committed round that was not evaluated yet", () => {
  const run = drive({ evaluation: { on: "coordinator" } });
  run.send({ type: "start" });
  run.finishRound();
  const later = drive({ evaluation: { on: "coordinator" } });
  expect(types(later.restore({ progress: run.state.progress, phase: "evaluating" }))).toEqual(["evaluate"]);
});

test("a restart leaves a paused or finished run as it was", () => {
  for (const phase of ["paused", "finished", "failed"] as const) {
    const run = drive();
    expect(run.restore({ progress: newRun.progress, phase, reason: "r" })).toEqual([]);
    expect(run.state.phase).toBe(phase);
  }
});

test("says of every answer that is not wanted why it is not", () => {
  const run = drive({ cohort: { size: 2, minimum: 1, overSelect: 1 } });
  const clients = clientsNamed(3);
  run.send({ type: "start" });
  if (run.state.phase !== "collecting") throw new Error("not collecting");
  const { asked } = run.state;
  const stranger = clients.find((client) => !asked.includes(client))!;
  const here = addressOf(run.state);
  expect(refusalOf(run.state, here, asked[0]!)).toBeUndefined();
  expect(refusalOf(run.state, here, stranger)).toBe("not_asked");
  expect(refusalOf(run.state, { ...here, step: 1 }, asked[0]!)).toBe("too_early");
  expect(refusalOf(run.state, { ...here, attempt: 2 }, asked[0]!)).toBe("wrong_round");
  expect(refusalOf(run.state, { ...here, round: 7 }, asked[0]!)).toBe("wrong_round");
  run.finishRound();
  expect(refusalOf(run.state, here, asked[0]!)).toBe("phase_closed");
});

test("samples each client equally often over many rounds, and the same ones for the same seed", () => {
  const counts = new Map<ClientId, number>();
  const cohorts = Array.from({ length: 2 }, () => {
    const run = drive({ cohort: { size: 2, minimum: 2, overSelect: 1 }, stop: { rounds: 600 } }, clientsNamed(6));
    run.send({ type: "start" });
    const seen: string[] = [];
    while (run.state.phase === "collecting") {
      seen.push(run.state.attempt.cohort.join());
      for (const client of run.state.attempt.cohort) counts.set(client, (counts.get(client) ?? 0) + 1);
      run.finishRound();
    }
    return seen;
  });
  expect(cohorts[0]).toEqual(cohorts[1]);
  // 1,200 draws of 2 in 6: mean 400, standard deviation √(1200 · ⅓ · ⅔) = 16.3
  for (const count of counts.values()) expect(Math.abs(count - 400)).toBeLessThan(5 * 16.4);
});
