import { type RoundRecord, type RunRecord, routes } from "@tributary/protocol";
import { expect, test } from "vitest";
import { call, createRun, runThat } from "../support/coordinator-calls.ts";
import { HandDevice, tinyUpdate } from "../support/coordinator-device.ts";
import { localCoordinator } from "../support/coordinator-local.ts";
import { dataFolder } from "../support/data-folder.ts";
import { specOf } from "../support/specs.ts";

const cohort = { size: 1, minimum: 1, overSelect: 1 };

test("a run's latest problem outlives a restart, and goes with the next round", async () => {
  const folder = await dataFolder();
  const first = await localCoordinator({ dataFolder: folder });
  const { run } = await createRun(first.url, specOf({ cohort, stop: { rounds: 9 } }));
  const began = Date.now();
  const gone = await HandDevice.joined(first.url, run);
  await gone.asked();
  await gone.emit("leave", { run });
  const troubled = await runThat(first.url, run, ({ problem }) => problem !== undefined);
  expect(troubled.reason).toBe("waiting for clients: 0 of 1 present");
  expect(troubled.problem!.text).toMatch(/^round 1, attempt 1 abandoned: 0 of 1/);
  expect(troubled.problem!.at).toBeGreaterThanOrEqual(began - 1_000);
  await first.close();

  const second = await localCoordinator({ dataFolder: folder });
  const of = async (url: string) => (await call<RunRecord>(url, `GET ${routes.run(run)}`)).body;
  expect((await of(second.url)).problem).toEqual(troubled.problem);
  const device = await HandDevice.joined(second.url, run);
  await device.answer(await device.asked(), tinyUpdate(0.1));
  const mended = await runThat(second.url, run, ({ round }) => round === 1);
  expect(mended).not.toHaveProperty("problem");
  await second.close();
  const { url } = await localCoordinator({ dataFolder: folder });
  // Round 2 may have one of its own by now.
  expect((await of(url)).problem?.text ?? "").not.toContain("round 1");
});

test("an answer that is refused, and a device that declines, are a run's problem", async () => {
  const { url } = await localCoordinator();
  const { run } = await createRun(url, specOf({ cohort: { ...cohort, size: 2, minimum: 1 } }));
  const wrong = await HandDevice.joined(url, run);
  const declining = await HandDevice.joined(url, run);
  const hint = await wrong.asked();
  expect((await wrong.answer(hint, Buffer.from("no frame at all"))).status).toBe(422);
  const { problem } = await runThat(url, run, ({ problem }) => problem !== undefined);
  expect(problem!.text).toContain(`an answer of client ${wrong.client} was refused: `);
  const { kind: _, question: __, ...address } = await declining.asked();
  await declining.emit("decline", { ...address, code: "bad_data", detail: "no such column" });
  const declined = await runThat(url, run, ({ problem }) => problem!.text.includes("declined"));
  expect(declined.problem!.text).toBe(`client ${declining.client} declined: no such column`);
});

test("a device that its owner paused is no problem of the run's: the round goes on without it, and says why", async () => {
  const { url } = await localCoordinator();
  const { run } = await createRun(url, specOf({ cohort: { ...cohort, size: 2, minimum: 1 }, stop: { rounds: 9 } }));
  const [working, paused] = [await HandDevice.joined(url, run), await HandDevice.joined(url, run)];
  const { kind: _, question: __, ...address } = await paused.asked();
  await paused.emit("decline", { ...address, code: "paused", detail: "its owner paused this device" });
  await paused.emit("leave", { run });
  await working.answer(await working.asked(), tinyUpdate(0.1));
  const committed = await runThat(url, run, ({ round }) => round === 1);
  expect(committed).not.toHaveProperty("problem");
  const rounds = (await call<RoundRecord[]>(url, `GET ${routes.rounds(run)}`)).body;
  expect(rounds[0]!.dropped).toEqual([
    expect.objectContaining({ client: paused.client, reason: "paused: its owner paused this device" }),
  ]);
});
