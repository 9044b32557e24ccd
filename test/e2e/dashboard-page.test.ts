import { type RunRecord, routes } from "@tributary/protocol";
import axe from "axe-core";
import { expect } from "vitest";
import { browserTest, chromiumFlags, layoutShifts, openPage } from "../support/browser-chromium.ts";
import { call, createRun, runThat } from "../support/coordinator-calls.ts";
import { HandDevice, tinyUpdate } from "../support/coordinator-device.ts";
import { localCoordinator } from "../support/coordinator-local.ts";
import { dataFolder } from "../support/data-folder.ts";
import { oneDevice, playRound } from "../support/one-device-run.ts";
import { specOf } from "../support/specs.ts";

browserTest("rounds appear by themselves, with curve, devices and versions; buttons steer the run", async () => {
  const { url } = await localCoordinator();
  const { page, complaints } = await openPage();
  await page.goto(url);
  await page.getByText("No run yet").waitFor();

  const { run } = await createRun(url, specOf({ ...oneDevice, name: "watched" }), { start: false });
  await page.getByRole("link", { name: "watched" }).click();
  await page.getByText("not secure").waitFor();
  await page.getByText("The curve begins with the first round.").waitFor();
  const tab = (name: string) => page.getByRole("navigation", { name: "Parts of this run" }).getByText(name).click();
  await tab("Devices");
  const device = await HandDevice.joined(url, run, { name: "a device" });
  await page.getByRole("rowheader", { name: "a device" }).waitFor();

  await page.getByRole("button", { name: "Start" }).click();
  await tab("Rounds");
  await playRound(device, 1);
  await playRound(device, 2);
  const rounds = page.getByRole("region", { name: "Rounds" });
  await rounds.getByRole("row", { name: /^2 80.0 % 0.2000/ }).waitFor();
  await rounds.getByRole("row", { name: /^1 80.0 % 0.4000/ }).waitFor();
  await tab("Overview");
  await page.locator(".plot canvas").first().waitFor();
  await page.getByText("Step “update”: 0 of 1 answered").waitFor();

  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByRole("button", { name: "Resume" }).waitFor();
  expect((await call<RunRecord>(url, `GET ${routes.run(run)}`)).body.phase).toBe("paused");
  await tab("Model versions");
  const saving = page.waitForEvent("download");
  await page.getByRole("button", { name: "model.json, Version 2" }).click();
  expect((await saving).suggestedFilename()).toBe("model.json");
  await page.getByRole("button", { name: "Roll back to version 1" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Roll back" }).click();
  await page.getByRole("row", { name: /^3 \(version 1 again\)/ }).waitFor();

  await page.getByRole("button", { name: "Stop" }).click();
  await page.getByRole("button", { name: "Leave it as it is" }).click();
  await page.getByRole("button", { name: "Stop" }).click();
  await page.getByRole("button", { name: "Stop it" }).click();
  await page.locator("article").getByText("stopped", { exact: true }).waitFor();
  expect(complaints).toEqual([]);
});

browserTest("a round's timeline has a lane a device: who was slow, who is missing and why", async () => {
  const { url } = await localCoordinator();
  const cohort = { size: 3, minimum: 2, overSelect: 1 };
  const { run } = await createRun(url, specOf({ cohort, stop: { rounds: 1 } }));
  const devices: HandDevice[] = [];
  for (const name of ["first", "second", "gone"]) devices.push(await HandDevice.joined(url, run, { name }));
  const { page, complaints } = await openPage();
  await page.goto(`${url}/#/runs/${run}/rounds/1`);
  await page.getByRole("row", { name: /^gone/ }).waitFor();
  const [first, second, gone] = devices as [HandDevice, HandDevice, HandDevice];
  await first.answer(await first.asked(), tinyUpdate(0.1));
  await page.getByRole("row", { name: /^first update: after/ }).waitFor();
  await gone.emit("leave", { run });
  await second.answer(await second.asked(), tinyUpdate(0.1));
  await page.getByText("done", { exact: true }).waitFor();
  await page.getByRole("row", { name: /^gone update: no answer. the device left/ }).waitFor();
  const dropped = page.getByRole("region", { name: "Asked, and not in the sum" });
  await dropped.getByRole("row", { name: "gone update the device left" }).waitFor();
  await page.goto(`${url}/#/runs/${run}`);
  const losses = page.getByRole("region", { name: "Who was lost on the way" });
  await losses.getByText("Round 1 1 at “update”: the device left").waitFor();
  await page.goto(`${url}/#/runs/${run}/rounds`);
  await page.getByRole("cell", { name: "1 at “update”: the device left" }).waitFor();
  await page.goto(`${url}/#/runs/${run}/rounds/9`);
  await page.getByText("This round is not committed.").waitFor();
  expect(complaints).toEqual([]);
});

browserTest("a run shows its latest problem until a round gets over it", async () => {
  const { url } = await localCoordinator();
  const { run } = await createRun(url, specOf(oneDevice));
  const gone = await HandDevice.joined(url, run);
  const { page } = await openPage();
  await page.goto(url);
  await gone.asked();
  await gone.emit("leave", { run });
  const problem = page.getByText(/^Last problem, just now: round 1, attempt 1 abandoned: 0 of 1/);
  await problem.waitFor();
  await page.getByText("waiting for clients: 0 of 1 present").waitFor();
  const device = await HandDevice.joined(url, run);
  await device.answer(await device.asked(), tinyUpdate(0.1));
  await problem.waitFor({ state: "hidden" });
});

browserTest("clients are found, sorted and, once it is confirmed, revoked", async () => {
  const { url } = await localCoordinator();
  const { run } = await createRun(url, specOf(), { start: false });
  const capabilities = {
    platform: "Node 20.20.0 on linux x64",
    processors: 8,
    memoryBytes: 2 ** 35,
    adapter: "a card",
  };
  const box = await HandDevice.joined(url, run, { name: "box", engine: "wasm", tags: ["lab"], capabilities });
  await HandDevice.enrol(url, { name: "absent", engine: "plain" });
  const { page, complaints } = await openPage();
  await page.goto(`${url}/#/clients`);
  const rows = page.getByRole("region", { name: "Clients" }).locator("tbody tr");
  await expect
    .poll(() => rows.allTextContents())
    .toEqual([expect.stringMatching(/^absent .*away/), expect.stringMatching(/^box .*connected.*lab/)]);
  await page.getByRole("button", { name: "Name" }).click();
  await expect.poll(() => rows.first().textContent()).toContain("box");
  await page.getByLabel("Find by name").fill("LAB");
  await expect.poll(() => rows.count()).toBe(1);
  await page.getByRole("cell", { name: "Node 20.20.0 on linux x64, a card, 8 processors, 32 GiB" }).waitFor();
  await page.getByLabel("Find by name").fill("a card");
  await expect.poll(() => rows.count()).toBe(1);
  await page.getByLabel("Find by name").fill("nothing like it");
  await page.getByText("No client fits.").waitFor();
  await page.getByLabel("Find by name").fill("");

  await page.getByRole("button", { name: "Revoke box" }).click();
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  await page.getByRole("button", { name: "Revoke box" }).click();
  await page.getByRole("button", { name: "Revoke it" }).click();
  expect(await box.closed()).toBeTruthy();
  await page.getByRole("row", { name: /^box .* revoked/ }).waitFor();
  expect(complaints).toEqual([]);
});

browserTest("the page says that the coordinator is gone, and goes on where it was when it is back", async () => {
  const folder = await dataFolder();
  const first = await localCoordinator({ dataFolder: folder });
  const port = Number(new URL(first.url).port);
  const { run } = await createRun(first.url, specOf(oneDevice));
  const device = await HandDevice.joined(first.url, run);
  const { page } = await openPage();
  await page.goto(`${first.url}/#/runs/${run}/rounds`);
  await playRound(device, 1);
  const rounds = page.getByRole("region", { name: "Rounds" });
  await rounds.getByRole("row", { name: /^1 / }).waitFor();
  await first.close();
  await page.getByText("Connection lost; trying again…").waitFor();
  await page.getByText("The coordinator does not answer. What you see is as of").waitFor();

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

browserTest("the page is light, and nothing on it jumps while it fills", async () => {
  const { url } = await localCoordinator();
  const { run } = await createRun(url, specOf(oneDevice));
  const device = await HandDevice.joined(url, run);
  await playRound(device, 1);
  await runThat(url, run, ({ round }) => round === 1);
  const { page } = await openPage();
  let bytes = 0;
  page.on("response", async (response) => {
    if (/\/assets\/.*\.(js|css)$/.test(response.url())) bytes += (await response.request().sizes()).responseBodySize;
  });
  const shifts = await layoutShifts(page);
  for (const [place, sign] of [
    ["", ".card.run"],
    [`#/runs/${run}`, ".plot canvas"],
    [`#/runs/${run}/rounds/1`, ".track .bar"],
  ] as const) {
    await page.goto("about:blank");
    await page.goto(`${url}/${place}`);
    await page.locator(sign).first().waitFor();
    await page.getByText("Live", { exact: true }).waitFor();
    // What Lighthouse calls good.
    expect(await shifts(), place).toBeLessThan(0.1);
  }
  expect(bytes).toBeGreaterThan(0);
  expect(bytes).toBeLessThan(150_000);
});

for (const colorScheme of ["light", "dark"] as const) {
  browserTest(`nothing keeps anyone from using the pages: ${colorScheme}, wide and narrow`, async () => {
    const { url } = await localCoordinator();
    const { run } = await createRun(url, specOf(oneDevice));
    const other = await createRun(url, specOf({ ...oneDevice, name: "other" }), { start: false });
    const device = await HandDevice.joined(url, run);
    await playRound(device, 1);
    await runThat(url, run, ({ round }) => round === 1);
    const { page, complaints } = await openPage(chromiumFlags.wasm, { colorScheme });
    for (const [path, sign] of [
      ["/", ".runs .card"],
      [`/#/runs/${run}`, ".plot canvas"],
      [`/#/runs/${run}/rounds`, "tbody tr a"],
      [`/#/runs/${run}/devices`, "tbody tr button"],
      [`/#/runs/${run}/versions`, "tbody tr button"],
      [`/#/runs/${run}/specification`, "pre"],
      [`/#/runs/${run}/rounds/1`, ".track .bar"],
      [`/#/compare/${run},${other.run}`, "table"],
      ["/#/clients", "tbody tr button"],
      ["/#/new", "legend"],
      ["/docs/", "details"],
    ] as const) {
      for (const width of [320, 1280]) {
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
