import { join } from "node:path";
import { type AttemptTimeline, type RoundSummary, routes } from "@tributary/protocol";
import { expect } from "vitest";
import { openSqliteStore } from "../../apps/coordinator/src/store/sqlite.ts";
import { browserTest, openPage } from "../support/browser-chromium.ts";
import { call, createRun, runThat } from "../support/coordinator-calls.ts";
import { HandDevice, tinyJudgement, tinyUpdate } from "../support/coordinator-device.ts";
import { localCoordinator } from "../support/coordinator-local.ts";
import { dataFolder } from "../support/data-folder.ts";
import { longRun } from "../support/long-run.ts";
import { specOf } from "../support/specs.ts";

browserTest(
  "all of thousands of rounds are on the page, fetched as they come into sight, and new ones appear",
  async () => {
    const rounds = 2_345;
    const { url, run, device } = await longRun(rounds, 5);
    const { page, complaints } = await openPage();
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    await page.goto(`${url}/#/runs/${run}/rounds`);
    const table = page.getByRole("region", { name: "Rounds" });
    await table.getByRole("row", { name: /^2,345 100.0 % 1.0000 1 of 1 none 2.00 s 2.3[45] kB 4.69 kB/ }).waitFor();
    await page.getByText("2,345 rows").waitFor();
    const scrollTo = (part: number) =>
      table.evaluate((element, part) => element.scrollTo(0, part * element.scrollHeight), part);
    await scrollTo(1);
    await table.getByRole("row", { name: /^1 not reported 1.0000 1 of 1 none 1.50 s 1 B 2 B/ }).waitFor();
    await scrollTo(0.5);
    await table.getByRole("row", { name: /^1,175 50.1 % 1.0000 1 of 1 none 2.00 s 1.1[78] kB 2.35 kB/ }).waitFor();
    expect(asked.filter((address) => address.includes("/history")).length).toBeLessThan(8);

    await scrollTo(0);
    await device.connect();
    await device.offer(run);
    await call(url, `POST ${routes.runAction("resume", run)}`);
    for (const round of [2_346, 2_347]) {
      await device.answer(await device.asked((hint) => hint.round === round), tinyUpdate(0.1));
      await table.getByRole("row", { name: new RegExp(`^2,${round - 2_000} not reported `) }).waitFor();
    }
    await page.getByText("2,347 rows").waitFor();
    // A specification never changes; it is not fetched with every event.
    const again = asked.map((address) => new URL(address)).filter(({ pathname }) => pathname === routes.run(run));
    expect(again.length).toBeGreaterThan(0);
    expect(again.filter(({ search }) => search !== "?spec=false")).toEqual([]);
    expect(complaints).toEqual([]);
  },
);

browserTest("runs are compared by what all of their rounds took, and curves keep what was judged", async () => {
  const { url, run } = await longRun(2_500, 5);
  const other = await createRun(url, specOf({ name: "other" }), { start: false });
  const { page } = await openPage();
  await page.goto(`${url}/#/compare/${run},${other.run}`);
  // 2,500 × 1.5 s and 500 × 0.5 s; round r moved 3 r bytes.
  await page.getByRole("row", { name: /^long 100.0 % 100.0 % 2,500 1.60 s 3.75 kB/ }).waitFor();
  await page
    .getByRole("row", {
      name: /^other not reported not reported 0 no round is committed yet no round is committed yet/,
    })
    .waitFor();
  const { body } = await call<RoundSummary[]>(url, `GET ${routes.history(run)}?points=1000`);
  expect(body.filter(({ evaluation }) => evaluation !== undefined)).toHaveLength(500);
});

browserTest("a page that stays open holds a bounded part of a run's rounds", async () => {
  const { url, run, device } = await longRun(100, 1);
  const { page } = await openPage();
  const asked: string[] = [];
  page.on("request", (request) => asked.push(request.url()));
  await page.goto(url);
  const sketches = () => asked.filter((address) => address.includes("points=60")).length;
  await expect.poll(sketches).toBe(1);
  const points = () =>
    page.locator(".sparkline polyline").evaluate((line) => line.getAttribute("points")!.split(" ").length);
  await expect.poll(points).toBe(60);
  await device.connect();
  await device.offer(run);
  await call(url, `POST ${routes.runAction("resume", run)}`);
  for (let round = 101; round <= 165; round++) {
    await device.answer(await device.asked((hint) => hint.round === round && hint.kind === "train"), tinyUpdate(0.1));
    const judging = await device.asked((hint) => hint.round === round && hint.kind === "evaluate");
    await device.answer(judging, tinyJudgement(10, 1, 8));
  }
  await runThat(url, run, ({ round }) => round === 165);
  await expect.poll(sketches).toBeGreaterThan(1);
  await expect.poll(points).toBeLessThan(70);
});

browserTest(
  "a round that was abandoned again and again shows its newest attempts, and older ones when asked",
  async () => {
    const folder = await dataFolder();
    const first = await localCoordinator({ dataFolder: folder });
    const cohort = { size: 1, minimum: 1, overSelect: 1 };
    const { run } = await createRun(first.url, specOf({ cohort }), { start: false });
    await first.close();
    const store = await openSqliteStore(join(folder, "tributary.sqlite"));
    for (let attempt = 1; attempt <= 30; attempt++) {
      const timeline: AttemptTimeline = {
        ...{ kind: "train", attempt, openedAt: 1, outcome: "abandoned", reason: "the deadline passed", endedMs: 9 },
        ...{ cohort: 0, dropped: 0, steps: [], lanes: [] },
      };
      store.noteAttempt({ run, round: 1, timeline, asked: [], answered: [] });
    }
    await store.beginAttempt(run, 1, 30);
    await store.close();
    const { url } = await localCoordinator({ dataFolder: folder });
    const { page, complaints } = await openPage();
    await page.goto(`${url}/#/runs/${run}/rounds/1`);
    await page.getByText("The newest 5 of 30 attempts.").waitFor();
    const shown = () => page.locator(".attempt h3").allTextContents();
    const attempts = (from: number, to: number) =>
      Array.from({ length: to - from + 1 }, (_, index) => expect.stringContaining(`Attempt ${from + index}, training`));
    expect(await shown()).toEqual(attempts(26, 30));
    await page.getByRole("button", { name: "Show older attempts" }).click();
    await page.getByText("The newest 25 of 30 attempts.").waitFor();
    expect(await shown()).toEqual(attempts(6, 30));

    // A live attempt joins them, and none of those in between is lost.
    const device = await HandDevice.joined(url, run);
    await call(url, `POST ${routes.runAction("start", run)}`);
    await device.asked();
    await page.getByText("The newest 26 of 31 attempts.").waitFor();
    expect(await shown()).toEqual(attempts(6, 31));
    await page.getByRole("button", { name: "Show older attempts" }).click();
    await expect.poll(shown).toEqual(attempts(1, 31));
    expect(await page.getByRole("button", { name: "Show older attempts" }).count()).toBe(0);
    expect(complaints).toEqual([]);
  },
);
