import { expect } from "vitest";
import { browserTest, openPage } from "../support/browser-chromium.ts";
import { createRun } from "../support/coordinator-calls.ts";
import { localCoordinator } from "../support/coordinator-local.ts";
import { specOf } from "../support/specs.ts";
import { stallingProxy } from "../support/stalling-proxy.ts";

const held = /holds its events back/;

browserTest("a line that goes silent without an end is given up, and what it missed is there", async () => {
  const { url } = await localCoordinator();
  const proxy = await stallingProxy(url);
  const { page } = await openPage();
  await page.clock.install();
  await page.goto(proxy.url);
  await page.getByText("Live", { exact: true }).waitFor();
  await createRun(url, specOf({ name: "heard" }), { start: false });
  await page.getByRole("link", { name: "heard" }).waitFor();

  proxy.wedge();
  await createRun(url, specOf({ name: "missed" }), { start: false });
  // Less than three heartbeats prove nothing.
  await page.clock.fastForward(40_000);
  await page.getByText("Live", { exact: true }).waitFor();
  expect(await page.getByRole("link", { name: "missed" }).count()).toBe(0);
  await page.clock.fastForward(10_000);
  await page.getByRole("link", { name: "missed" }).waitFor();
  await page.getByText("Live", { exact: true }).waitFor();
});

browserTest(
  "behind a proxy that holds events back the page says so, asks REST, and is live once it can be",
  async () => {
    const { url } = await localCoordinator();
    await createRun(url, specOf({ name: "before" }), { start: false });
    const proxy = await stallingProxy(url);
    proxy.hold();
    const { page } = await openPage();
    await page.clock.install();
    await page.goto(proxy.url);
    await page.getByText("Connecting…").waitFor();
    await page.clock.fastForward(5_000);
    await page.getByText(held).waitFor();
    await page.getByRole("link", { name: "before" }).waitFor();
    await createRun(url, specOf({ name: "after" }), { start: false });
    await page.clock.fastForward(5_000);
    await page.getByRole("link", { name: "after" }).waitFor();

    // The stream that is held is given up and opened again; meanwhile it is still said.
    await page.clock.fastForward(45_000);
    await page.clock.fastForward(2_000);
    await page.getByText(held).waitFor();
    proxy.release();
    await page.clock.fastForward(45_000);
    await page.getByText("Live", { exact: true }).waitFor();
    await page.getByText(held).waitFor({ state: "hidden" });
    await createRun(url, specOf({ name: "at once" }), { start: false });
    await page.getByRole("link", { name: "at once" }).waitFor();
  },
);
