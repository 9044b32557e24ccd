import { join } from "node:path";
import { isOver, type RunId, routes } from "@tributary/protocol";
import { expect, test } from "vitest";
import { openSqliteStore } from "../../apps/coordinator/src/store/sqlite.ts";
import { call, createRun } from "../support/coordinator-calls.ts";
import { HandDevice, tinyUpdate } from "../support/coordinator-device.ts";
import { localCoordinator } from "../support/coordinator-local.ts";
import { dataFolder } from "../support/data-folder.ts";
import { EventReader } from "../support/event-reader.ts";
import { specOf } from "../support/specs.ts";

const twoDevices = { size: 2, minimum: 2, overSelect: 1 };

/** Answers every question of the run's rounds up to `rounds`. */
async function answerRounds(devices: readonly HandDevice[], rounds: readonly number[]): Promise<void> {
  for (const round of rounds) {
    for (const device of devices) {
      const hint = await device.asked((asked) => asked.round === round);
      expect((await device.answer(hint, tinyUpdate(0.1))).status).toBe(200);
    }
  }
}

test("a run is told from its creation to its end: joins, steps, rounds, figures, phases, in order", async () => {
  const { url } = await localCoordinator();
  const { run } = await createRun(url, specOf({ cohort: twoDevices, stop: { rounds: 2 } }), { start: false });
  const reader = await EventReader.open(`${url}${routes.runEvents(run)}?after=0`);
  const devices = [await HandDevice.joined(url, run), await HandDevice.joined(url, run)];
  await call(url, `POST ${routes.runAction("start", run)}`);
  await answerRounds(devices, [1, 2]);
  await reader.until((event) => event.type === "phase" && isOver(event.phase));

  const told = reader.events.map((event) => {
    if (event.type === "phase") return event.phase;
    if (event.type === "round") return `round ${event.record.round}`;
    return event.type === "metric" ? `${event.from} ${event.name}` : event.type;
  });
  const figures = ["training trainingLoss", "training trainingExamples", "training updateNorm"];
  expect(told).toEqual([
    "created",
    ...["join", "join", "step-opened", "collecting"],
    ...["step-closed", "aggregating", "round 1", ...figures, "collecting", "step-opened"],
    ...["step-closed", "aggregating", "round 2", ...figures, "finished"],
  ]);
  const ids = reader.events.map(({ id }) => id);
  expect(ids).toEqual([...ids].sort((a, b) => a - b));
  expect(new Set(ids).size).toBe(ids.length);
});

test("Last-Event-ID resumes after a lost connection and after a restart: no event is missing, none comes twice", async () => {
  const folder = await dataFolder();
  const first = await localCoordinator({ dataFolder: folder });
  const { run } = await createRun(first.url, specOf({ cohort: twoDevices, stop: { rounds: 3 } }));
  const devices = [await HandDevice.joined(first.url, run), await HandDevice.joined(first.url, run)];

  const before = await EventReader.open(`${first.url}${routes.runEvents(run)}?after=0`);
  await before.until(({ type }) => type === "step-opened");
  before.close();
  await answerRounds(devices, [1]);

  const resumed = await EventReader.open(`${first.url}${routes.runEvents(run)}`, { lastEventId: before.lastId });
  await resumed.until(({ type }) => type === "round");
  await first.close();

  const second = await localCoordinator({ dataFolder: folder });
  const again = await EventReader.open(`${second.url}${routes.runEvents(run)}`, { lastEventId: resumed.lastId });
  const back = devices.map(({ client, token }) => new HandDevice(second.url, { client, token }));
  for (const device of back) {
    await device.connect();
    await device.offer(run);
  }
  await answerRounds(back, [2, 3]);
  await again.until((event) => event.type === "phase" && event.phase === "finished");

  const seen = [...before.events, ...resumed.events, ...again.events];
  const whole = await EventReader.open(`${second.url}${routes.runEvents(run)}?after=0`);
  await whole.until(({ id }) => id === seen.at(-1)!.id);
  expect(seen).toEqual(whole.events);
  const rounds = seen.flatMap((event) => (event.type === "round" ? [event.record.round] : []));
  expect(rounds).toEqual([1, 2, 3]);
});

test("a device that declines, one that leaves and one that is too late are told with why", async () => {
  const { url } = await localCoordinator();
  const cohort = { size: 4, minimum: 1, goal: 1, overSelect: 1 };
  const { run } = await createRun(url, specOf({ cohort, stop: { rounds: 1 } }));
  const reader = await EventReader.open(`${url}${routes.runEvents(run)}?after=0`);
  const names = ["a", "b", "c", "d"];
  const devices = [];
  for (const name of names) devices.push(await HandDevice.joined(url, run, { name }));
  const [declining, leaving, late, good] = devices as [HandDevice, HandDevice, HandDevice, HandDevice];
  const hint = await good.asked();
  const { kind: _, question: __, ...address } = hint;
  await declining.emit("decline", { ...address, code: "bad_data", detail: "no such column" });
  await leaving.emit("leave", { run });
  await good.answer(hint, tinyUpdate(0.1));
  await reader.until(({ type }) => type === "round");

  const of = (type: string) => reader.events.filter((event) => event.type === type);
  expect(of("join")).toMatchObject(names.map((name) => ({ name })));
  expect(of("decline")).toMatchObject([{ client: declining.client, name: "a", reason: "bad_data: no such column" }]);
  expect(of("leave")).toMatchObject([{ client: leaving.client, name: "b", reason: "the device left" }]);
  expect(of("dropped")).toMatchObject([
    { client: declining.client, name: "a", reason: "bad_data: no such column" },
    { client: leaving.client, name: "b", reason: "the device left" },
    { client: late.client, name: "c", reason: "the step closed before it answered" },
  ]);
});

test("what a device may read names no client; who reads names is an operator", async () => {
  const { url } = await localCoordinator();
  const { run } = await createRun(url, specOf({ cohort: { size: 2, minimum: 1, overSelect: 1 }, stop: { rounds: 1 } }));
  const reader = await EventReader.open(`${url}${routes.runEvents(run)}?after=0`);
  const leaving = await HandDevice.joined(url, run, { name: "Ward 7 of the General" });
  const good = await HandDevice.joined(url, run, { name: "another" });
  const hint = await good.asked();
  await leaving.emit("leave", { run });
  await good.answer(hint, tinyUpdate(0.1));
  await reader.until(({ type }) => type === "round");
  const { token } = good;
  for (const path of [
    ...[routes.runs(), routes.run(run), routes.rounds(run), routes.round(run, 1)],
    ...[routes.timeline(run, 1), routes.history(run), routes.models(run), routes.state()],
  ]) {
    const { status, body } = await call(url, `GET ${path}`, { token });
    expect([path, status]).toEqual([path, 200]);
    expect(JSON.stringify(body)).not.toContain("Ward 7");
  }
  for (const path of [routes.events(), routes.runEvents(run), routes.clients(), routes.runClients(run)]) {
    expect([path, (await call(url, `GET ${path}`, { token })).status]).toEqual([path, 403]);
  }
});

test("whoever asks for events that are no longer kept hears which are missing, and gets the rest", async () => {
  const folder = await dataFolder();
  const store = await openSqliteStore(join(folder, "tributary.sqlite"));
  const run = "run-00000001" as RunId;
  for (let n = 1; n <= 101_000; n++) {
    store.noteEvent({ type: "metric", at: n, run, round: n, from: "training", name: "loss", value: n });
  }
  await store.writeEvents();
  const { oldest, newest } = await store.eventRange();
  expect({ oldest, newest }).toEqual({ oldest: 1_001, newest: 101_000 });
  await store.close();

  const { url } = await localCoordinator({ dataFolder: folder });
  const reader = await EventReader.open(`${url}${routes.events()}`, { lastEventId: 500 });
  await reader.until(({ id }) => id === newest);
  expect(reader.events[0]).toEqual({ type: "gap", after: 500, before: 1_001 });
  const ids = reader.events.slice(1).map(({ id }) => id);
  expect(ids).toEqual(Array.from({ length: 100_000 }, (_, index) => 1_001 + index));
});

test("large events are read a few at a time, and none is left out", async () => {
  const folder = await dataFolder();
  const store = await openSqliteStore(join(folder, "tributary.sqlite"));
  const run = "run-00000001" as RunId;
  const large = [0.1, 0.7, 0.7, 3, 0.1, 0.1];
  for (const [at, megabytes] of large.entries()) {
    store.noteEvent({ type: "created", at, run, name: "x".repeat(1e6 * megabytes) });
  }
  await store.writeEvents();
  const pages: number[][] = [];
  for (let after = 0; ; ) {
    const page = await store.events({ after, limit: 200, run });
    if (page.length === 0) break;
    pages.push(page.map(({ at }) => at));
    after = page.at(-1)!.id;
  }
  expect(pages).toEqual([[0, 1], [2], [3], [4, 5]]);
  await store.close();

  const { url } = await localCoordinator({ dataFolder: folder });
  const reader = await EventReader.open(`${url}${routes.events()}?after=0`);
  await reader.until(({ id }) => id === large.length);
  expect(reader.events).toHaveLength(large.length);
});

test("a Last-Event-ID that is no number of an event is refused", async () => {
  const { url } = await localCoordinator();
  const { status, body } = await call(url, `GET ${routes.events()}`, { headers: { "last-event-id": "yesterday" } });
  expect(status).toBe(400);
  expect(body.detail).toBe('Last-Event-ID: expected the number of an event, found "yesterday"');
});
