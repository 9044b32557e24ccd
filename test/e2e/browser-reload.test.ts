import type { Page } from "playwright-core";
import { expect } from "vitest";
import { browserTest, chromiumFlags, openPage } from "../support/browser-chromium.ts";
import {
  chooseDigits,
  coordinatorOfFile,
  csvTable,
  endlessAlone,
  endlessTable,
  firstUpdate,
  startCoordinator,
} from "../support/browser-federation.ts";

/** Chooses a table of so many rows, and keeps it. */
async function keepTable(page: Page, rows: number): Promise<void> {
  await page.getByLabel("File", { exact: true }).setInputFiles(csvTable("mine.csv", rows));
  await page.getByRole("button", { name: "Use this table" }).click();
  await page.getByText(`${rows} examples ready`).waitFor();
  await page.getByRole("checkbox", { name: /Keep these files in this browser/ }).check();
  await page.getByText("They are kept.").waitFor();
}

browserTest("a reload goes on with the terms that the person set", async () => {
  const coordinator = await coordinatorOfFile();
  const { run } = await coordinator.startRun(endlessAlone);
  const { page } = await openPage(chromiumFlags.wasm);
  await page.goto(`${coordinator.url}/join`);
  await chooseDigits(page, { device: 1, of: 3 });
  await page.getByLabel("Time given to training").fill("10");
  await page.getByRole("button", { name: "Join" }).click();
  await firstUpdate(page).waitFor();
  await page.getByRole("button", { name: "Pause" }).click();
  await page.reload();
  await page.getByText("Paused by you.").waitFor({ timeout: 60_000 });
  await page.getByText("Connected", { exact: true }).waitFor();
  const { round } = await coordinator.get<{ round: number }>(`/v1/runs/${run}`);
  await page.getByText("How much of this device to use").click();
  expect(await page.getByLabel("Time given to training").inputValue()).toBe("10");
  expect(await coordinator.get(`/v1/runs/${run}`)).toMatchObject({ round });

  await page.getByRole("button", { name: "Go on" }).click();
  await firstUpdate(page).waitFor();
  // What left counts from when the tab was opened, as the ledger does.
  expect(Number(await page.locator("dt:text-is('Updates sent') + dd").textContent())).toBeGreaterThan(round);
});

browserTest("a reload joins with no files but those that this tab joined with", async () => {
  const coordinator = await coordinatorOfFile();
  const { run } = await coordinator.startRun(endlessTable);
  const { page } = await openPage(chromiumFlags.wasm);
  await page.goto(`${coordinator.url}/join`);
  await keepTable(page, 20);
  await page.getByRole("button", { name: "Join" }).click();
  await firstUpdate(page).waitFor();

  const other = await page.context().newPage();
  await other.goto(`${coordinator.url}/join`);
  await keepTable(other, 30);
  await page.reload();
  await page.getByText("Choose them again to go on").waitFor({ timeout: 60_000 });
  await page.getByText("This browser keeps data that you chose before.").waitFor();
  expect(await coordinator.get(`/v1/runs/${run}/clients`)).toEqual([]);
});

browserTest("a run that ended while the page was away is told of, and its model can be had", async () => {
  const coordinator = await startCoordinator();
  const { run } = await coordinator.startRun(endlessAlone);
  const { page } = await openPage(chromiumFlags.wasm);
  await page.goto(`${coordinator.url}/join`);
  await chooseDigits(page, { device: 1, of: 3 });
  await page.getByRole("button", { name: "Join" }).click();
  await firstUpdate(page).waitFor();
  await page.goto("about:blank");
  await coordinator.post(`/v1/runs/${run}/stop`);
  await page.goto(`${coordinator.url}/join`);
  await page.getByText("“Digits, together” was stopped by its operator.").waitFor({ timeout: 60_000 });
  const fetch = page.getByRole("button", { name: "Fetch the newest model" });
  await fetch.click();
  await page.getByRole("button", { name: "Save weights.bin" }).waitFor();

  // One that was fetched stays, whatever comes of fetching a newer one.
  await coordinator.kill();
  await fetch.click();
  await page.getByRole("alert").getByText("does not answer").waitFor();
  expect(await page.getByRole("button", { name: "Save weights.bin" }).isVisible()).toBe(true);
});

browserTest("a duplicated tab registers nobody: it asks for the join token, as a new one does", async () => {
  const coordinator = await startCoordinator("--host", "0.0.0.0", "--tls", "self-signed");
  const { joinToken } = coordinator.started;
  const { page } = await openPage(chromiumFlags.wasm, { ignoreHTTPSErrors: true });
  await page.goto(`${coordinator.url.replace("0.0.0.0", "127.0.0.1")}/join`);
  await page.getByRole("textbox", { name: "Join token" }).fill(joinToken!);
  await page.getByRole("button", { name: "Register this browser" }).click();
  await page.getByText("No run is open just now").waitFor();
  // Its storage is a copy of the first one's.
  const opening = page.context().waitForEvent("page");
  await page.evaluate(() => void window.open(location.href));
  const second = await opening;
  await second.getByRole("textbox", { name: "Join token" }).waitFor();
  const left = second.getByRole("region", { name: "What left this device" });
  await left.getByText(/in all\.$/).click();
  await left.getByRole("cell", { name: "Request without content" }).first().waitFor();
  expect(await left.getByRole("cell", { name: /^Enrolment/ }).count()).toBe(0);
  await page.reload();
  await page.getByText("No run is open just now").waitFor();
});
