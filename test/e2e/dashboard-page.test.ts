import { type RunRecord, routes } from "@tributary/protocol";
import axe from "axe-core";
import { expect } from "vitest";
import { browserTest, chromiumFlags, openPage } from "../support/browser-chromium.ts";
import { call, createRun, runThat } from "../support/coordinator-calls.ts";
import { HandDevice, tinyJudgement, tinyUpdate } from "../support/coordinator-device.ts";
import { localCoordinator } from "../support/coordinator-local.ts";
import { dataFolder } from "../support/data-folder.ts";
import { specOf } from "../support/specs.ts";

const oneDevice = {
  cohort: { size: 1, minimum: 1, overSelect: 1 },
  evaluation: { on: "clients" },
  stop: { rounds: 20 },
};

/** Trains and judges one round; 8 of 10 examples are right. */
async function playRound(device: HandDevice, round: number): Promise<void> {
  const of = (kind: string) => device.asked((hint) => hint.round === round && hint.kind === kind);
  await device.answer(await of("train"), tinyUpdate(0.1));
  await device.answer(await of("evaluate"), tinyJudgement(10, 4 / round, 8));
}

browserTest("rounds appear by themselves, with curve, devices and versions; buttons steer the run", async () => {
  const { url } = await localCoordinator();
  const { page, complaints } = await openPage();
  await page.goto(url);
  await page.getByText("No run yet").waitFor();

  const { run } = await createRun(url, specOf({ ...oneDevice, name: "watched" }), { start: false });
  await page.getByRole("link", { name: /watched/ }).click();
  await page.getByText("The curve begins with the first round.").waitFor();
  const device = await HandDevice.joined(url, run, { name: "a device" });
  await page.getByRole("rowheader", { name: "a device" }).waitFor();

  await page.getByRole("button", { name: "Start" }).click();
  await playRound(device, 1);
  await playRound(device, 2);
  const rounds = page.getByRole("region", { name: "Rounds" });
  await rounds.getByRole("row", { name: /^2 80.0 % 0.2000 1 of 1/ }).waitFor();
  await rounds.getByRole("row", { name: /^1 80.0 % 0.4000 1 of 1/ }).waitFor();
  await page.locator(".plot canvas").waitFor();
  await page
    .getByRole("region", { name: "Model versions" })
    .getByRole("row", { name: /^2 2 80.0 %/ })
    .waitFor();

  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByRole("button", { name: "Resume" }).waitFor();
  const { body } = await call<RunRecord>(url, `GET ${routes.run(run)}`);
  expect(body.phase).toBe("paused");
  const saving = page.waitForEvent("download");
  await page.getByRole("button", { name: "model.json, Version 2" }).click();
  expect((await saving).suggestedFilename()).toBe("model.json");
  await page.getByRole("button", { name: "Stop" }).click();
  await page.getByRole("button", { name: "Stop it" }).click();
  await page.locator("article").getByText("stopped", { exact: true }).waitFor();
  expect(complaints).toEqual([]);
});

browserTest("the page says that the coordinator is gone, and goes on where it was when it is back", async () => {
  const folder = await dataFolder();
  const first = await localCoordinator({ dataFolder: folder });
  const port = Number(new URL(first.url).port);
  const { run } = await createRun(first.url, specOf(oneDevice));
  const device = await HandDevice.joined(first.url, run);
  const { page } = await openPage();
  await page.goto(`${first.url}/#/runs/${run}`);
  await playRound(device, 1);
  const rounds = page.getByRole("region", { name: "Rounds" });
  await rounds.getByRole("row", { name: /^1 / }).waitFor();
  await first.close();
  await page.getByText("Connection lost; trying again…").waitFor();

  const second = await localCoordinator({ dataFolder: folder, port });
  const back = new HandDevice(second.url, { client: device.client, token: device.token });
  await back.connect();
  await back.offer(run);
  await playRound(back, 2);
  await rounds.getByRole("row", { name: /^2 / }).waitFor();
  expect(await rounds.getByRole("row").count()).toBe(3);
  await page.getByText("Live", { exact: true }).waitFor();
});

browserTest("off loopback the page asks for the admin key, and keeps it in its tab alone", async () => {
  const { url, minted } = await localCoordinator({ host: "0.0.0.0", tls: "self-signed" });
  const { page } = await openPage(chromiumFlags.wasm, { ignoreHTTPSErrors: true });
  await page.goto(url.replace("0.0.0.0", "127.0.0.1"));
  const field = page.getByLabel("Admin key");
  await field.fill("not the key");
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByText("The coordinator does not take this key.").waitFor();
  await field.fill(minted!.adminKey);
  await page.getByRole("button", { name: "Continue" }).click();
  await page.getByText("No run yet").waitFor();
  expect(await page.evaluate(() => [JSON.stringify({ ...localStorage }), document.cookie])).toEqual(["{}", ""]);
});

for (const colorScheme of ["light", "dark"] as const) {
  browserTest(`nothing keeps anyone from using the pages: ${colorScheme}, wide and narrow`, async () => {
    const { url } = await localCoordinator();
    const { run } = await createRun(url, specOf(oneDevice));
    const device = await HandDevice.joined(url, run);
    await playRound(device, 1);
    await runThat(url, run, ({ round }) => round === 1);
    const { page, complaints } = await openPage(chromiumFlags.wasm, { colorScheme });
    for (const [path, sign] of [
      ["/", ".runs a.card"],
      [`/#/runs/${run}`, ".plot canvas"],
      ["/docs/", "details"],
    ] as const) {
      for (const width of [380, 1280]) {
        await page.setViewportSize({ width, height: 900 });
        await page.goto(`${url}${path}`);
        await page.locator(sign).first().waitFor({ state: "attached" });
        await page.evaluate(axe.source);
        const found = await page.evaluate(() => (globalThis as unknown as { axe: typeof axe }).axe.run());
        const told = found.violations.map(({ id, nodes }) => `${path} ${width}: ${id} ${nodes[0]!.html}`);
        expect(told).toEqual([]);
        const overflows = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
        expect(overflows, `${path} at ${width}`).toBe(false);
      }
    }
    expect(complaints).toEqual([]);
  });
}
