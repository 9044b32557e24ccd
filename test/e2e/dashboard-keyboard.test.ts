import { type ClientRecord, type RunRecord, routes } from "@tributary/protocol";
import type { Page } from "playwright-core";
import { expect } from "vitest";
import { browserTest, openPage } from "../support/browser-chromium.ts";
import { call, createRun, runThat } from "../support/coordinator-calls.ts";
import { HandDevice } from "../support/coordinator-device.ts";
import { localCoordinator } from "../support/coordinator-local.ts";
import { largeFederation } from "../support/large-federation.ts";
import { oneDevice, playRound } from "../support/one-device-run.ts";
import { specOf } from "../support/specs.ts";

/** A machine that is busy with other things takes its time. */
const patient = { timeout: 20_000 };

/** What an operator without a mouse does: press keys, and know where the focus is. */
function keyboard(page: Page) {
  /** What has the focus, as a reader of the page would call it. */
  const focused = () =>
    page.evaluate(() => {
      const element = document.activeElement;
      const label = (element as HTMLInputElement | null)?.labels?.[0]?.textContent;
      return (element?.getAttribute("aria-label") ?? label ?? element?.textContent ?? "").trim();
    });
  const press = (key: string) => page.keyboard.press(key);
  return {
    focused,
    press,
    /** Waits until this has the focus. */
    on: (name: string | RegExp) =>
      typeof name === "string"
        ? expect.poll(focused, { ...patient, message: `on ${name}` }).toBe(name)
        : expect.poll(focused, { ...patient, message: `on ${name}` }).toMatch(name),
    /** Waits until a view's heading has the focus; the link that led there may have the same name. */
    onView: (name: string) => {
      const heading = () => page.evaluate(() => document.querySelector("h1:focus")?.textContent ?? undefined);
      return expect.poll(heading, { ...patient, message: `on the view ${name}` }).toBe(name);
    },
    /** Goes on with the Tab key until this has the focus. */
    async tabTo(name: string | RegExp, key: "Tab" | "Shift+Tab" = "Tab") {
      const passed: string[] = [];
      for (let presses = 0; presses < 60; presses++) {
        await press(key);
        const here = await focused();
        if (typeof name === "string" ? here === name : name.test(here)) return;
        passed.push(here);
      }
      throw new Error(`no way to ${name} by the ${key} key, past ${passed.join(" | ")}`);
    },
  };
}

browserTest("an operator's whole job is done with the keyboard alone", async () => {
  const { url } = await localCoordinator();
  const { run: earlier } = await createRun(url, specOf({ ...oneDevice, name: "earlier" }));
  const device = await HandDevice.joined(url, earlier, { name: "box" });
  await playRound(device, 1);
  await runThat(url, earlier, ({ round }) => round === 1);
  const { page, complaints } = await openPage();
  const { press, tabTo, on, onView } = keyboard(page);
  await page.goto(url);
  await page.getByRole("link", { name: "earlier" }).waitFor();

  // Create a run.
  await press("Tab");
  await on("Skip to the content");
  await press("Enter");
  await on("Runs");
  await tabTo("New run");
  await press("Enter");
  await onView("New run");
  await expect.poll(() => page.title(), patient).toBe("New run · Tributary");
  await page.getByText("The specification is valid.").waitFor();
  await tabTo("Form");
  await press("ArrowRight");
  await page.getByRole("textbox", { name: "RunSpec" }).waitFor();
  await tabTo(/^RunSpec/);
  await press("Control+a");
  await page.keyboard.insertText(JSON.stringify(specOf({ ...oneDevice, name: "by keyboard" })));
  await page.getByText("The specification is valid.").waitFor();
  await tabTo("Create the run");
  await press("Enter");
  await on("by keyboard");

  // Start it, and pause it.
  await tabTo("Start");
  await press("Enter");
  await page.getByRole("button", { name: "Pause" }).waitFor();
  await on("by keyboard");
  await tabTo("Pause");
  await press("Enter");
  await page.getByRole("button", { name: "Resume" }).waitFor();
  const runs = (await call<RunRecord[]>(url, `GET ${routes.runs()}`)).body;
  const { run } = runs.find(({ name }) => name === "by keyboard")!;
  expect((await call<RunRecord>(url, `GET ${routes.run(run)}`)).body.phase).toBe("paused");

  // Stop it, on second thoughts.
  await on("by keyboard");
  await tabTo("Stop");
  await press("Enter");
  await on("Leave it as it is");
  await press("Escape");
  await on("Stop");
  await press("Enter");
  await on("Leave it as it is");
  await press("Tab");
  await on("Stop it");
  await press("Enter");
  await page.locator("article").getByText("stopped", { exact: true }).waitFor();
  await on("by keyboard");

  // Compare two.
  await tabTo("Runs");
  await press("Enter");
  await onView("Runs");
  for (const name of ["by keyboard", "earlier"]) {
    await tabTo(`Mark ${name} for comparison`);
    await press("Space");
  }
  await tabTo("Compare 2 runs", "Shift+Tab");
  await press("Enter");
  await on("Compare runs");
  await tabTo(/by round, one line for each run/);
  const slider = page.getByRole("slider");
  expect(await slider.getAttribute("aria-valuetext")).toContain("earlier 80.0 %");
  await tabTo("earlier", "Tab");
  await press("Enter");
  await on("earlier");

  // Open a round.
  await tabTo("Rounds");
  await press("Enter");
  await page.getByRole("row", { name: /^1 80.0 %/ }).waitFor();
  await on("Rounds");
  await tabTo("Rounds");
  await press("ArrowDown");
  await on(/^180.0 %/);
  await press("Enter");
  await on("Round 1");
  await expect.poll(() => page.title(), patient).toBe("Round 1 · earlier · Tributary");
  await tabTo("Lanes of this attempt: Attempt 1, training");
  await press("ArrowDown");
  await on(/^box/);
  await page
    .locator(".lane-told")
    .first()
    .getByText(/^box .*update: after/)
    .waitFor();

  // Revoke a client.
  await tabTo("Clients", "Shift+Tab");
  await press("Enter");
  await onView("Clients");
  await page.getByRole("rowheader", { name: "box" }).waitFor();
  await tabTo("Revoke box");
  await press("Enter");
  await on("Leave it as it is");
  await press("Tab");
  await press("Enter");
  await page.getByRole("row", { name: /^box .* revoked/ }).waitFor();
  const [client] = (await call<ClientRecord[]>(url, `GET ${routes.clients()}`)).body;
  expect(client!.revoked).toBe(true);
  // The button is gone: its row has the focus.
  await on(/^box .*revoked/);
  expect(complaints).toEqual([]);
});

browserTest("ten thousand rows are one stop of the Tab key; arrows go through them, wherever they are", async () => {
  const { url } = await largeFederation(10_000, 3);
  const { page } = await openPage();
  const { press, tabTo, on } = keyboard(page);
  await page.goto(`${url}/#/clients`);
  await page.getByText("10,000 rows").waitFor();
  await tabTo("Only those connected");
  await tabTo("Clients");
  await press("ArrowDown");
  await on(/^client 0 /);
  await press("ArrowDown");
  await on(/^client 1 /);
  await press("End");
  await on(/^client 9999 /);
  const isInSight = () =>
    page.evaluate(() => {
      const { top, bottom } = document.activeElement!.getBoundingClientRect();
      const box = document.querySelector(".virtual")!;
      const head = box.querySelector("thead")!.getBoundingClientRect();
      return top >= head.bottom - 1 && bottom <= Math.min(innerHeight, box.getBoundingClientRect().bottom) + 1;
    });
  expect(await isInSight()).toBe(true);
  await press("PageUp");
  await press("ArrowUp");
  expect(await isInSight()).toBe(true);
  await press("Home");
  await on(/^client 0 /);
  expect(await isInSight()).toBe(true);
  await press("ArrowDown");
  await press("Tab");
  await on(/^Revoke client 1\D*$/);
  await press("Tab");
  await on("REST resources behind this view");
});

browserTest("what happens meanwhile takes neither the focus nor the place", async () => {
  const { url, close } = await localCoordinator();
  const { run } = await createRun(url, specOf(oneDevice));
  const device = await HandDevice.joined(url, run, { name: "box" });
  for (const round of [1, 2, 3]) await playRound(device, round);
  await runThat(url, run, ({ round }) => round === 3);
  const { page } = await openPage(undefined, { viewport: { width: 1280, height: 500 } });
  const { press, tabTo, on, focused } = keyboard(page);
  await page.goto(`${url}/#/runs/${run}/rounds`);
  await page.getByRole("row", { name: /^3 / }).waitFor();
  await tabTo("Specification");
  await tabTo("Rounds");
  await press("ArrowDown");
  await press("ArrowDown");
  await on(/^280.0 %/);
  const topOfFocused = () => page.evaluate(() => Math.round(document.activeElement!.getBoundingClientRect().top));
  await playRound(device, 4);
  await page.getByRole("row", { name: /^4 / }).waitFor();
  await on(/^280.0 %/);
  await press("ArrowUp");
  await on(/^380.0 %/);
  const top = await topOfFocused();
  await close();
  await page.getByText("The coordinator does not answer. What you see is as of").waitFor();
  expect(await focused()).toMatch(/^380.0 %/);
  expect(await topOfFocused()).toBe(top);
});

browserTest("a chart is read round by round with the arrow keys, and stays where it is while rounds come", async () => {
  const { url } = await localCoordinator();
  const { run } = await createRun(url, specOf(oneDevice));
  const device = await HandDevice.joined(url, run, { name: "box" });
  for (const round of [1, 2, 3]) await playRound(device, round);
  await runThat(url, run, ({ round }) => round === 3);
  const { page } = await openPage();
  const { press } = keyboard(page);
  await page.goto(`${url}/#/runs/${run}`);
  const chart = page.getByRole("slider", { name: /^Accuracy, Loss by round/ });
  const read = () => chart.getAttribute("aria-valuetext");
  await expect.poll(read, patient).toMatch(/^Round 3: Accuracy 80.0 %, Loss 0.1333/);
  await chart.focus();
  for (const [key, round] of [
    ["ArrowLeft", 2],
    ["Home", 1],
    ["ArrowRight", 2],
    ["End", 3],
    ["ArrowRight", 3],
    ["ArrowLeft", 2],
  ] as const) {
    await press(key);
    await expect.poll(read, { ...patient, message: key }).toContain(`Round ${round}:`);
  }
  await playRound(device, 4);
  await expect.poll(() => chart.getAttribute("aria-valuemax"), patient).toBe("4");
  expect(await read()).toContain("Round 2:");
  await press("ArrowRight");
  await expect.poll(read, patient).toContain("Round 3:");
});
