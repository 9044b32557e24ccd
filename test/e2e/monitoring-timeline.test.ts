import {
  type ClientRecord,
  isOver,
  type RoundSummary,
  type RoundTimeline,
  routes,
  trafficOf,
} from "@tributary/protocol";
import { expect, test } from "vitest";
import { call, createRun, runThat } from "../support/coordinator-calls.ts";
import { HandDevice, tinyJudgement, tinyUpdate } from "../support/coordinator-device.ts";
import { localCoordinator, sharedCoordinator } from "../support/coordinator-local.ts";
import { dataFolder } from "../support/data-folder.ts";
import { EventReader } from "../support/event-reader.ts";
import { specOf } from "../support/specs.ts";

const shared = sharedCoordinator();

test("a round's timeline shows who fetched and who answered when, while it is open and after a restart", async () => {
  const folder = await dataFolder();
  const first = await localCoordinator({ dataFolder: folder });
  const { url } = first;
  const { run } = await createRun(url, specOf({ cohort: { size: 2, minimum: 1, overSelect: 1 }, stop: { rounds: 1 } }));
  const prompt = await HandDevice.joined(url, run, { name: "prompt" });
  const absent = await HandDevice.joined(url, run, { name: "absent" });
  const hint = await prompt.asked();
  await prompt.question(hint);
  expect((await prompt.answer(hint, tinyUpdate(0.1))).status).toBe(200);

  const open = await call<RoundTimeline>(url, `GET ${routes.timeline(run, 1)}`);
  expect(open.body).toMatchObject({ run, round: 1, attempts: [{ kind: "train", attempt: 1, outcome: "open" }] });
  const lanes = new Map(open.body.attempts[0]!.lanes.map((lane) => [lane.client, lane]));
  const { fetchedMs, answeredMs } = lanes.get(prompt.client)!.steps[0]!;
  expect(answeredMs!).toBeGreaterThanOrEqual(fetchedMs!);
  expect(lanes.get(absent.client)!.steps[0]).not.toHaveProperty("answeredMs");

  await absent.emit("leave", { run });
  await runThat(url, run, ({ phase }) => isOver(phase));
  await first.close();
  const { url: again } = await localCoordinator({ dataFolder: folder });
  const { body } = await call<RoundTimeline>(again, `GET ${routes.timeline(run, 1)}`);
  expect(body.attempts).toMatchObject([{ outcome: "done", cohort: 2, dropped: 1 }]);
  expect(body.attempts[0]!.lanes.find(({ client }) => client === absent.client)!.dropped).toEqual({
    step: "update",
    reason: "the device left",
  });
  const clients = (await call<ClientRecord[]>(again, `GET ${routes.clients()}`)).body;
  expect(clients.map(({ name, asked, answered }) => [name, asked, answered])).toEqual([
    ["prompt", 1, 1],
    ["absent", 1, 0],
  ]);
  const history = (await call<RoundSummary[]>(again, `GET ${routes.history(run)}`)).body;
  expect(history).toMatchObject([{ round: 1, asked: 2, survived: 1, steps: [{ name: "update", answered: 1 }] }]);
  expect(history[0]!.lost).toEqual([{ step: "update", reason: expect.any(String), clients: 1 }]);
  expect(history[0]).not.toHaveProperty("cohort");
});

test("a run's totals are those of all its rounds and their judging, also after a restart", async () => {
  const folder = await dataFolder();
  const first = await localCoordinator({ dataFolder: folder });
  const cohort = { size: 1, minimum: 1, overSelect: 1 };
  const spec = specOf({ cohort, evaluation: { on: "clients" }, stop: { rounds: 2 } });
  const { run } = await createRun(first.url, spec);
  const device = await HandDevice.joined(first.url, run);
  for (const round of [1, 2]) {
    const of = (kind: string) => device.asked((hint) => hint.round === round && hint.kind === kind);
    const training = await of("train");
    await device.question(training);
    await device.answer(training, tinyUpdate(0.1));
    await device.answer(await of("evaluate"), tinyJudgement(10, 1, 8));
  }
  const { totals } = await runThat(first.url, run, ({ phase }) => isOver(phase));
  const rounds = (await call<RoundSummary[]>(first.url, `GET ${routes.history(run)}`)).body;
  const sum = (part: (round: RoundSummary) => number) => rounds.reduce((total, round) => total + part(round), 0);
  expect(rounds.every(({ judging }) => judging !== undefined && judging.bytesUp > 0)).toBe(true);
  expect(totals!.bytesUp).toBe(sum((round) => trafficOf(round).up));
  expect(totals!.bytesDown).toBe(sum((round) => trafficOf(round).down));
  const wall = sum(({ seconds }) => Object.values(seconds).reduce((all, part) => all + part, 0));
  expect(totals!.seconds).toBeCloseTo(wall, 9);
  // Who follows the events knows what a judgement took without asking.
  const reader = await EventReader.open(`${first.url}${routes.runEvents(run)}?after=0`);
  await reader.until((event) => event.type === "phase" && isOver(event.phase));
  const told = reader.events.flatMap((event) => (event.type === "evaluation" ? [event.seconds] : []));
  expect(told).toEqual(rounds.map(({ seconds }) => seconds.evaluating));
  expect(Math.min(...(told as number[]))).toBeGreaterThan(0);
  await first.close();
  const { url } = await localCoordinator({ dataFolder: folder });
  expect((await runThat(url, run, () => true)).totals).toEqual(totals);
});

for (const [what, path] of [
  ["a round before the first", "rounds/0/timeline"],
  ["a round that is no number", "rounds/last/timeline"],
  ["more attempts than are given", "rounds/1/timeline?limit=21"],
  ["no points at all", "history?points=0"],
  ["more points than are given", "history?points=2001"],
  ["rounds before the first", "history?before=0"],
  ["rounds after something that is no number", "history?after=yesterday"],
] as const) {
  test(`${what} is refused with what was expected`, async () => {
    const { run } = await createRun(shared.url, specOf(), { start: false });
    const { status, body } = await call(shared.url, `GET ${routes.run(run)}/${path}`);
    expect([status, body.code]).toEqual([400, "bad_request"]);
    expect(body.detail).toMatch(/must be/);
  });
}

test("a run that nobody knows has neither timeline nor history; a round to come has no attempts", async () => {
  for (const path of [routes.timeline("run-00000000", 1), routes.history("run-00000000")]) {
    expect((await call(shared.url, `GET ${path}`)).status).toBe(404);
  }
  const { run } = await createRun(shared.url, specOf(), { start: false });
  expect((await call(shared.url, `GET ${routes.timeline(run, 7)}`)).body).toEqual({
    ...{ run, round: 7, known: 0, attempts: [] },
  });
  expect((await call(shared.url, `GET ${routes.history(run)}`)).body).toEqual([]);
});
