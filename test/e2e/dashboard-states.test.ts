import { routes } from "@tributary/protocol";
import type { Page } from "playwright-core";
import { expect } from "vitest";
import { browserTest, openPage } from "../support/browser-chromium.ts";
import { createRun, runThat } from "../support/coordinator-calls.ts";
import { HandDevice, tinyUpdate } from "../support/coordinator-device.ts";
import { localCoordinator } from "../support/coordinator-local.ts";
import { specOf } from "../support/specs.ts";

/** A machine that is busy with other things takes its time. */
const patient = { timeout: 20_000 };

const oneDevice = { cohort: { size: 1, minimum: 1, overSelect: 1 }, stop: { rounds: 20 } };

/** A started run with one committed round. */
async function playedRun(): Promise<{ url: string; run: string }> {
  const { url } = await localCoordinator();
  const { run } = await createRun(url, specOf(oneDevice));
  const device = await HandDevice.joined(url, run, { name: "box" });
  await device.answer(await device.asked(), tinyUpdate(0.1));
  await runThat(url, run, ({ round }) => round === 1);
  return { url, run };
}

/** Has the coordinator answer GET at this path with a problem until the function returned is called. */
async function refuse(page: Page, path: string, status: number): Promise<() => Promise<void>> {
  const isIt = (url: URL) => url.pathname === path;
  await page.route(isIt, (route) =>
    route.fulfill({
      status,
      contentType: "application/problem+json",
      body: JSON.stringify({ type: "about:blank", status, detail: `the disk said ${status}` }),
    }),
  );
  return () => page.unroute(isIt);
}

browserTest("whatever is refused says why and is asked for again; nothing loads for ever", async () => {
  const { url, run } = await playedRun();
  const { page } = await openPage();
  for (const [place, path, sign] of [
    ["", routes.runs(), ".card.run"],
    [`#/runs/${run}`, routes.runs(), ".tabs"],
    [`#/runs/${run}`, routes.history(run), ".plot canvas"],
    [`#/runs/${run}/rounds`, routes.history(run), "tbody tr a"],
    [`#/runs/${run}/devices`, routes.runClients(run), "tbody tr button"],
    [`#/runs/${run}/versions`, routes.models(run), "tbody tr button"],
    [`#/runs/${run}/rounds/1`, routes.round(run, 1), ".facts"],
    [`#/runs/${run}/rounds/1`, routes.timeline(run, 1), ".lanes"],
    [`#/compare/${run}`, routes.history(run), ".plot canvas"],
    [`#/new/${run}`, routes.runs(), "legend"],
    ["#/clients", routes.clients(), "tbody tr button"],
  ] as const) {
    for (const status of [500, 403]) {
      const accept = await refuse(page, path, status);
      await page.goto("about:blank");
      await page.goto(`${url}/${place}`);
      const told = page.locator("main").getByText(`This could not be loaded: the disk said ${status}`).first();
      await told.waitFor();
      const loading = page.locator("main").getByText("Loading…");
      await expect.poll(() => loading.count(), { ...patient, message: `${place} without ${path}` }).toBe(0);
      expect(await page.getByRole("heading", { level: 1 }).count(), place).toBe(1);
      await accept();
      await page.getByRole("button", { name: "Try again" }).first().click();
      await page.locator(sign).first().waitFor({ state: "attached" });
      await told.waitFor({ state: "hidden" });
    }
  }
});

browserTest("an unknown run, an unknown round and an unknown address are called so", async () => {
  const { url, run } = await playedRun();
  const { page, complaints } = await openPage();
  for (const [place, said] of [
    ["#/runs/run-nowhere", "There is no such run here."],
    ["#/runs/run-nowhere/versions", "There is no such run here."],
    ["#/runs/run-nowhere/rounds/1", "There is no such run here."],
    [`#/runs/${run}/rounds/9`, "This round is not committed. The last one is round 1."],
    ["#/new/run-nowhere", "The run that this was to begin as is not here."],
    ["#/compare/run-nowhere", "Mark two or more runs"],
    ["#/somewhere/else", "There is nothing at this address."],
  ] as const) {
    await page.goto(`${url}/${place}`);
    await page.getByText(said).first().waitFor();
    expect(await page.getByRole("heading", { level: 1 }).count(), place).toBe(1);
  }
  expect(complaints).toEqual([]);
});

browserTest("a command that is slow is sent once and says that it is under way; then that it is done", async () => {
  const { url, run } = await playedRun();
  const { page } = await openPage();
  await page.goto(`${url}/#/runs/${run}`);
  const pause = page.getByRole("button", { name: "Pause" });
  await pause.waitFor();
  const sent: string[] = [];
  let answer = () => {};
  const slow = new Promise<void>((resolve) => {
    answer = resolve;
  });
  await page.route(`**${routes.runAction("pause", run)}`, async (route) => {
    sent.push(route.request().method());
    await slow;
    await route.continue();
  });
  await pause.dblclick();
  const busy = page.getByRole("button", { name: "Pausing…" });
  await busy.waitFor();
  await busy.press("Enter");
  await busy.press("Space");
  expect(await page.getByRole("button", { name: "Stop" }).getAttribute("aria-disabled")).toBe("true");
  answer();
  await page.getByRole("status").getByText("The run is paused.").waitFor();
  await page.getByRole("button", { name: "Resume" }).waitFor();
  expect(sent).toEqual(["POST"]);
});

browserTest("a command that gets no answer says so: at once where the line is down, else after a while", async () => {
  const { url, run } = await playedRun();
  const { page } = await openPage();
  await page.clock.install();
  await page.goto(`${url}/#/runs/${run}`);
  const alert = page.getByRole("alert");
  const pause = page.getByRole("button", { name: "Pause" });
  await pause.waitFor();
  await page.route("**/v1/**", (route) => (route.request().method() === "GET" ? route.continue() : route.abort()));
  await pause.click();
  await alert.getByText("The coordinator does not answer").waitFor();
  await page.getByRole("button", { name: "Dismiss" }).click();
  await page.getByRole("button", { name: "Stop" }).click();
  await page.getByRole("button", { name: "Stop it" }).click();
  await alert.getByText("The coordinator does not answer").waitFor();
  await page.goto(`${url}/#/clients`);
  await page.getByRole("button", { name: "Dismiss" }).click();
  await page.getByRole("button", { name: "Revoke box" }).click();
  await page.getByRole("button", { name: "Revoke it" }).click();
  await alert.getByText("The coordinator does not answer").waitFor();

  await page.route("**/v1/runs/*/pause", () => {});
  await page.goto(`${url}/#/runs/${run}`);
  await pause.click();
  await page.getByRole("button", { name: "Pausing…" }).waitFor();
  await page.clock.fastForward(21_000);
  await alert.getByText("The coordinator has not answered for 20 seconds.").waitFor();
  await pause.waitFor();
});
