import type { Page } from "playwright-core";
import { expect } from "vitest";
import { browserTest, chromiumFlags, openPage } from "../support/browser-chromium.ts";
import { firstUpdate, startCoordinator } from "../support/browser-federation.ts";

const alone = { cohort: { size: 1, minimum: 1, overSelect: 1 }, stop: { rounds: 10_000 } };

/** Goes from field to field until the one wanted has the focus. */
async function tabTo(page: Page, role: "button" | "radio" | "spinbutton" | "application", name: string | RegExp) {
  const wanted = page.getByRole(role, { name, exact: typeof name === "string" });
  await wanted.first().waitFor();
  for (let stops = 0; stops < 60; stops++) {
    if (await wanted.first().evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`the focus never came to ${role} ${name}`);
}

/** The text of what has the focus; the whole page's where nothing has. */
const focused = (page: Page) => page.evaluate(() => document.activeElement?.textContent ?? "");

browserTest("everything is done with the keyboard alone, and its place is never lost", async () => {
  const coordinator = await startCoordinator();
  await coordinator.startRun({ ...alone, name: "By hand" });
  const { page, complaints } = await openPage(chromiumFlags.wasm);
  await page.goto(`${coordinator.url}/join`);
  await tabTo(page, "radio", /By hand/);
  await tabTo(page, "spinbutton", "Digits in all");
  await page.keyboard.press("Control+A");
  await page.keyboard.type("1000");
  await tabTo(page, "button", "Draw the digits");
  await page.keyboard.press("Enter");
  await page.getByText("examples ready").waitFor();
  await expect.poll(() => page.getByRole("button", { name: "Join" }).isEnabled(), { timeout: 60_000 }).toBe(true);
  await tabTo(page, "button", "Join");
  await page.keyboard.press("Enter");
  await expect.poll(() => focused(page)).toBe("Taking part in By hand");

  await firstUpdate(page).waitFor();
  await tabTo(page, "button", "Fetch the newest model");
  await page.keyboard.press("Enter");
  await page.getByText(/^Version \d+/).waitFor();
  expect(await focused(page)).toBe("Fetch the newest model");
  await tabTo(page, "application", /A pad to draw a digit on/);
  await page.keyboard.press("Space");
  for (let i = 0; i < 4; i++) await page.keyboard.press("ArrowDown");
  await page.getByText(/^The model says: \d/).waitFor();

  await page.keyboard.press("Home");
  await page.getByRole("button", { name: "Leave" }).focus();
  await page.keyboard.press("Enter");
  await page.getByText("You left.").waitFor();
  expect(await focused(page)).toBe("Back to the start");
  await tabTo(page, "button", "Back to the start");
  await page.keyboard.press("Enter");
  await expect.poll(() => focused(page)).toBe("Open runs");
  expect(complaints).toEqual([]);
});

browserTest("a join token that is refused gets the focus back, and a good one leads on to the runs", async () => {
  const coordinator = await startCoordinator("--host", "0.0.0.0", "--tls", "self-signed");
  const { page } = await openPage(chromiumFlags.wasm, { ignoreHTTPSErrors: true });
  await page.goto(`${coordinator.url.replace("0.0.0.0", "127.0.0.1")}/join`);
  const token = page.getByRole("textbox", { name: "Join token" });
  await token.fill("wrong");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").getByText("needs the join token").waitFor();
  await expect.poll(() => token.evaluate((field) => field === document.activeElement)).toBe(true);
  expect(await token.getAttribute("aria-invalid")).toBe("true");
  await token.fill(coordinator.started.joinToken!);
  await page.keyboard.press("Enter");
  await expect.poll(() => focused(page)).toBe("Open runs");
});
