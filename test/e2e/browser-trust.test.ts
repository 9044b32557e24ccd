import { expect } from "vitest";
import { browserTest, chromiumFlags, openPage } from "../support/browser-chromium.ts";
import { chooseDigits, firstUpdate, startCoordinator } from "../support/browser-federation.ts";

const alone = { cohort: { size: 1, minimum: 1, overSelect: 1 }, evaluation: { on: "nowhere" } };

browserTest("a coordinator that shows another key than before is not trusted until the person says so", async () => {
  const coordinator = await startCoordinator();
  await coordinator.startRun({ ...alone, stop: { rounds: 10_000 } });
  const { page } = await openPage(chromiumFlags.wasm);
  await page.goto(`${coordinator.url}/join`);
  await chooseDigits(page, { device: 1, of: 3 });
  await page.getByRole("button", { name: "Join" }).click();
  await page.getByText("known to this browser since").waitFor();

  await coordinator.kill();
  await coordinator.replace();
  await coordinator.startRun({ ...alone, stop: { rounds: 10_000 } });
  await page.getByText("This is not the coordinator that this browser knew").waitFor({ timeout: 60_000 });
  await page.getByText("It shows another key than before").waitFor();
  expect(await coordinator.get<unknown[]>("/v1/clients")).toEqual([]);

  // Another tab of the same browser knows the coordinator too.
  const tab = await page.context().newPage();
  await tab.goto(`${coordinator.url}/join`);
  await chooseDigits(tab, { device: 2, of: 3 });
  await tab.getByRole("button", { name: "Join" }).click();
  await tab.getByText("This is not the coordinator that this browser knew").waitFor();
  expect(await coordinator.get<unknown[]>("/v1/clients")).toEqual([]);

  await page.getByRole("button", { name: "Trust the new key" }).click();
  await chooseDigits(page, { device: 1, of: 3 });
  await page.getByRole("button", { name: "Join" }).click();
  await firstUpdate(page).waitFor({ timeout: 60_000 });
  expect(await coordinator.get<unknown[]>("/v1/clients")).toHaveLength(1);
});

browserTest(
  "the page says in plain words what a secure sum withstands without an operator's roster, and with one",
  async () => {
    const coordinator = await startCoordinator();
    await coordinator.startRun({ secureAggregation: "required" });
    const { page } = await openPage(chromiumFlags.wasm);
    await page.goto(`${coordinator.url}/join`);
    await page.getByText("holds against an honest-but-curious coordinator").waitFor();
    const key = `${"A".repeat(21)}+${"B".repeat(21)}=`;
    await page.goto(`${coordinator.url}/join?operator-key=${key}`);
    await page.getByText("Only devices on the roster that the operator signed count").waitFor();
    // The coordinator has no such roster, so this device gives it nothing.
    await chooseDigits(page, { device: 1, of: 3 });
    await page.getByRole("button", { name: "Join" }).click();
    await page.getByText(/This device had to stop: .*roster/).waitFor();
  },
);
