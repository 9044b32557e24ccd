import { expect } from "vitest";
import { browserTest, chromiumFlags, openPage } from "../support/browser-chromium.ts";
import { chooseDigits, startCoordinator } from "../support/browser-federation.ts";

browserTest("the page answers within 200 ms while its worker trains", async () => {
  const coordinator = await startCoordinator();
  await coordinator.startRun({
    cohort: { size: 1, minimum: 1, overSelect: 1 },
    model: { preset: "2nn" },
    stop: { rounds: 4 },
  });
  const { page } = await openPage(chromiumFlags.wasm);
  await page.goto(`${coordinator.url}/join`);
  await chooseDigits(page, { device: 1, of: 3 });
  await page.evaluate(() => {
    const tasks: number[] = [];
    Object.assign(globalThis, { tasks });
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) tasks.push(Math.round(duration));
    }).observe({ type: "longtask" });
  });
  await page.getByRole("button", { name: "Join" }).click();
  await page.getByText("The run is over").waitFor({ timeout: 120_000 });
  const tasks = await page.evaluate(() => (globalThis as unknown as { tasks: number[] }).tasks);
  expect(tasks.filter((duration) => duration > 200)).toEqual([]);
});
