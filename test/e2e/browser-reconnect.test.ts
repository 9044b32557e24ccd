import { expect } from "vitest";
import { browserTest, chromiumFlags, openPage } from "../support/browser-chromium.ts";
import { chooseDigits, startCoordinator } from "../support/browser-federation.ts";

// One device alone is a cohort, so that nothing but the page's own coming back decides these.
const alone = { cohort: { size: 1, minimum: 1, overSelect: 1 }, evaluation: { on: "nowhere" } };

browserTest("a page goes on by itself when its coordinator was killed and comes back", async () => {
  const coordinator = await startCoordinator();
  const { run } = await coordinator.startRun({ ...alone, stop: { rounds: 200 } });
  const { page } = await openPage(chromiumFlags.wasm);
  await page.goto(`${coordinator.url}/join`);
  await chooseDigits(page, { device: 1, of: 3 });
  await page.getByRole("button", { name: "Join" }).click();
  await page
    .getByText(/Round \d+: sent the update/)
    .first()
    .waitFor();

  await coordinator.kill();
  await page.getByText("Connection lost").first().waitFor();
  await coordinator.restart();
  await page.getByText("Connected", { exact: true }).waitFor({ timeout: 60_000 });
  const { round } = await coordinator.get<{ round: number }>(`/v1/runs/${run}`);
  await expect
    .poll(async () => (await coordinator.get<{ round: number }>(`/v1/runs/${run}`)).round, { timeout: 60_000 })
    .toBeGreaterThan(round);
  expect(await coordinator.get<unknown[]>("/v1/clients")).toHaveLength(1);
});

browserTest("a reload joins again as the same device; leaving is for good", async () => {
  const coordinator = await startCoordinator();
  const { run } = await coordinator.startRun({ ...alone, stop: { rounds: 10_000 } });
  const { page } = await openPage(chromiumFlags.wasm);
  await page.goto(`${coordinator.url}/join`);
  await chooseDigits(page, { device: 1, of: 3 });
  await page.getByRole("button", { name: "Join" }).click();
  await page
    .getByText(/Round \d+: sent the update/)
    .first()
    .waitFor();

  await page.reload();
  await page
    .getByText(/Round \d+: sent the update/)
    .first()
    .waitFor({ timeout: 60_000 });
  expect(await coordinator.get<unknown[]>("/v1/clients")).toHaveLength(1);

  await page.getByRole("button", { name: "Leave" }).click();
  await page.getByText("You left. Your data was forgotten").waitFor();
  await expect.poll(() => coordinator.get<unknown[]>(`/v1/runs/${run}/clients`)).toEqual([]);
  await page.reload();
  await page.getByRole("heading", { name: "Open runs" }).waitFor();
  expect(await page.getByRole("button", { name: "Join" }).isDisabled()).toBe(true);
});
