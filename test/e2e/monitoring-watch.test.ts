import { routes } from "@tributary/protocol";
import { expect, test } from "vitest";
import { call, createRun } from "../support/coordinator-calls.ts";
import { HandDevice, tinyUpdate } from "../support/coordinator-device.ts";
import { localCoordinator } from "../support/coordinator-local.ts";
import { dataFolder } from "../support/data-folder.ts";
import { EventReader } from "../support/event-reader.ts";
import { lineProcess } from "../support/line-process.ts";
import { longRun } from "../support/long-run.ts";
import { specOf } from "../support/specs.ts";

const oneDevice = { size: 1, minimum: 1, overSelect: 1 };

async function answerRound(device: HandDevice, round: number): Promise<void> {
  await device.answer(await device.asked((hint) => hint.round === round), tinyUpdate(0.1));
}

test("tributary runs watch tells every round once, over a restart of the coordinator, and ends with the run", async () => {
  const folder = await dataFolder();
  const first = await localCoordinator({ dataFolder: folder });
  const { run } = await createRun(first.url, specOf({ cohort: oneDevice, stop: { rounds: 3 } }));
  const watcher = lineProcess(
    "../../apps/cli/bin/tributary.js",
    "runs",
    "watch",
    run,
    "--json",
    "--coordinator",
    first.url,
  );
  const device = await HandDevice.joined(first.url, run);
  await answerRound(device, 1);
  await device.asked((hint) => hint.round === 2);
  await first.close();

  const second = await localCoordinator({ dataFolder: folder, port: Number(new URL(first.url).port) });
  const back = await HandDevice.joined(second.url, run);
  await answerRound(back, 2);
  await answerRound(back, 3);
  expect(await watcher.ended).toBe(0);
  const told = watcher.lines.map(
    (line) => JSON.parse(line) as { type: string; round?: { round: number }; run?: object },
  );
  expect(told.flatMap(({ round }) => (round === undefined ? [] : [round.round]))).toEqual([1, 2, 3]);
  expect(told.at(-1)!.run).toMatchObject({ phase: "finished" });
});

test("a reader that takes nothing keeps nobody waiting", async () => {
  const { url } = await localCoordinator();
  const { run } = await createRun(url, specOf({ cohort: oneDevice, stop: { rounds: 40 } }));
  const idle = await Promise.all(Array.from({ length: 5 }, () => EventReader.open(`${url}${routes.events()}?after=0`)));
  const reader = await EventReader.open(`${url}${routes.runEvents(run)}?after=0`);
  const device = await HandDevice.joined(url, run);
  for (let round = 1; round <= 40; round++) await answerRound(device, round);
  await reader.until((event) => event.type === "phase" && event.phase === "finished");
  const rounds = (from: EventReader) =>
    from.events.flatMap((event) => (event.type === "round" ? [event.record.round] : []));
  expect(rounds(reader)).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
  // And it still gets everything once it reads.
  await idle[0]!.until((event) => event.type === "phase" && event.phase === "finished");
  expect(idle[0]!.events).toEqual(reader.events);
});

for (const command of ["show", "watch"]) {
  test(`tributary runs ${command} tells all of more than a thousand rounds`, async () => {
    const { url, run } = await longRun(1_234, 5);
    await call(url, `POST ${routes.runAction("stop", run)}`);
    const told = lineProcess("../../apps/cli/bin/tributary.js", "runs", command, run, "--coordinator", url);
    expect(await told.ended).toBe(0);
    const rounds = told.lines.flatMap((line) => /^\s*round\s+(\d+)/.exec(line)?.[1] ?? []);
    expect(rounds).toEqual(Array.from({ length: 1_234 }, (_, index) => `${index + 1}`));
  });
}
