import axe from "axe-core";
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

/** A run that is paused after a round. */
async function pausedRun(): Promise<{ url: string; run: string; page: Page }> {
  const { url } = await localCoordinator();
  const { run } = await createRun(url, specOf(oneDevice));
  const device = await HandDevice.joined(url, run, { name: "box" });
  await device.answer(await device.asked(), tinyUpdate(0.1));
  await runThat(url, run, ({ round }) => round === 1);
  const { page } = await openPage();
  await page.goto(`${url}/#/runs/${run}`);
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByRole("button", { name: "Resume" }).waitFor();
  return { url, run, page };
}

browserTest(
  "every question has a name, says what follows, begins at the safe answer and gives the focus back",
  async () => {
    const { url, run, page } = await pausedRun();
    for (const [place, button, question, consequence] of [
      [`runs/${run}`, "Stop", "Stop this run for good?", "What is committed stays."],
      [`runs/${run}/devices`, "Revoke box", "Revoke box for good?", "It is put out at once"],
      [`runs/${run}/versions`, "Roll back to version 0", "Serve version 0 again?", "It becomes the newest version"],
      ["clients", "Revoke box", "Revoke box for good?", "It is put out at once"],
      ["new", "Start over", "Start over?", "What you wrote here is given up."],
    ] as const) {
      await page.goto(`${url}/#/${place}`);
      const opener = page.getByRole("button", { name: button });
      for (const leave of ["Escape", "Enter"]) {
        await opener.click();
        const dialog = page.getByRole("dialog", { name: question });
        await dialog.waitFor();
        const described = await dialog.evaluate(
          (element) => document.getElementById(element.getAttribute("aria-describedby")!)?.textContent,
        );
        expect(described, place).toContain(consequence);
        await page.evaluate(axe.source);
        const found = await page.evaluate(() => (globalThis as unknown as { axe: typeof axe }).axe.run());
        expect(found.violations.map(({ id, nodes }) => `${place}: ${id} ${nodes[0]!.html}`)).toEqual([]);
        expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Leave it as it is");
        await page.keyboard.press(leave);
        await dialog.waitFor({ state: "hidden" });
        expect(await opener.evaluate((element) => element === document.activeElement), `${place} ${leave}`).toBe(true);
      }
    }
  },
);

browserTest("a question that is asked at once after another stays", async () => {
  const { page } = await pausedRun();
  await page.getByRole("button", { name: "Stop" }).click();
  await page.getByRole("dialog").waitFor();
  // All in one task: the first one's close event comes after it.
  const isOpen = await page.evaluate(async () => {
    const dialog = document.querySelector("dialog")!;
    const press = (text: string) =>
      [...document.querySelectorAll("button")].find((one) => one.textContent === text)!.click();
    const closed = new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
    press("Leave it as it is");
    while (dialog.open) await Promise.resolve();
    press("Stop");
    while (!dialog.open) await Promise.resolve();
    await closed;
    await new Promise(requestAnimationFrame);
    return dialog.open;
  });
  expect(isOpen).toBe(true);
  await page.getByRole("button", { name: "Leave it as it is" }).click();
  await page.getByRole("dialog").waitFor({ state: "hidden" });
});

browserTest("what a yes takes off the page leaves the focus at the heading", async () => {
  const { page } = await pausedRun();
  await page.getByRole("button", { name: "Stop" }).click();
  await page.getByRole("button", { name: "Stop it" }).click();
  await page.locator("article").getByText("stopped", { exact: true }).waitFor();
  await expect.poll(() => page.evaluate(() => document.activeElement?.tagName), patient).toBe("H1");
});
