import { type RoundRecord, routes } from "@tributary/protocol";
import { expect } from "vitest";
import { browserTest, chromiumFlags, openPage } from "../support/browser-chromium.ts";
import { chooseDigits, firstUpdate, startCoordinator } from "../support/browser-federation.ts";
import { recordingProxy } from "../support/recording-proxy.ts";

// One device alone is a cohort, so that nothing but the page's own coming back decides these.
const alone = { cohort: { size: 1, minimum: 1, overSelect: 1 }, evaluation: { on: "nowhere" } };

browserTest("a page goes on by itself when its coordinator was killed and comes back", async () => {
  const coordinator = await startCoordinator();
  const { run } = await coordinator.startRun({ ...alone, stop: { rounds: 10_000 } });
  const { page } = await openPage(chromiumFlags.wasm);
  await page.goto(`${coordinator.url}/join`);
  await chooseDigits(page, { device: 1, of: 3 });
  await page.getByRole("button", { name: "Join" }).click();
  await firstUpdate(page).waitFor();

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

browserTest("a page goes on by itself when its network was gone, and nothing it worked out is lost", async () => {
  const coordinator = await startCoordinator();
  const { run } = await coordinator.startRun({ ...alone, model: { preset: "2nn" }, stop: { rounds: 10_000 } });
  const proxy = await recordingProxy(coordinator.url);
  const { page } = await openPage(chromiumFlags.wasm);
  await page.goto(`${proxy.url}/join`);
  await chooseDigits(page, { device: 1, of: 3 });
  await page.getByRole("button", { name: "Join" }).click();
  await page
    .getByRole("log")
    .getByText(/Round 2: sent the update/)
    .waitFor();
  const restore = proxy.cut();
  await page.getByText(/^Connection lost: .*It comes back by itself/).waitFor();
  const rounds = () => coordinator.get<RoundRecord[]>(routes.rounds(run));
  const before = (await rounds()).length;
  restore();
  await page.getByText("Connected", { exact: true }).waitFor();
  await expect.poll(async () => (await rounds()).length, { timeout: 60_000 }).toBeGreaterThan(before + 1);
  // What was under way is what was committed: no round took a second attempt.
  expect((await rounds()).filter(({ attempt }) => attempt !== 1)).toEqual([]);
  expect(await coordinator.get<unknown[]>("/v1/clients")).toHaveLength(1);
});

browserTest("a reload joins again as the same device; leaving is for good", async () => {
  const coordinator = await startCoordinator();
  const { run } = await coordinator.startRun({ ...alone, stop: { rounds: 10_000 } });
  const { page } = await openPage(chromiumFlags.wasm);
  await page.goto(`${coordinator.url}/join`);
  await chooseDigits(page, { device: 1, of: 3 });
  await page.getByRole("button", { name: "Join" }).click();
  await firstUpdate(page).waitFor();

  await page.reload();
  await page.getByRole("button", { name: "Do not join again" }).click();
  await page.getByRole("heading", { name: "Open runs" }).waitFor();
  await expect.poll(() => page.getByRole("button", { name: "Join" }).isEnabled(), { timeout: 60_000 }).toBe(true);
  await expect.poll(() => coordinator.get<unknown[]>(`/v1/runs/${run}/clients`)).toEqual([]);

  await page.getByRole("button", { name: "Join" }).click();
  await page.getByText("Connected", { exact: true }).waitFor();
  await page.reload();
  await page.getByRole("heading", { name: "Going on where you were" }).waitFor();
  await firstUpdate(page).waitFor({ timeout: 60_000 });
  expect(await coordinator.get<unknown[]>("/v1/clients")).toHaveLength(1);

  await page.getByRole("button", { name: "Leave" }).click();
  await page.getByText("You left. Your data was forgotten").waitFor();
  await expect.poll(() => coordinator.get<unknown[]>(`/v1/runs/${run}/clients`)).toEqual([]);
  await page.reload();
  await page.getByRole("heading", { name: "Open runs" }).waitFor();
  expect(await page.getByRole("button", { name: "Join" }).isDisabled()).toBe(true);
});

browserTest("joining one run is never taken for joining another", async () => {
  const coordinator = await startCoordinator();
  await coordinator.startRun({ ...alone, name: "First run", stop: { rounds: 1 } });
  const { page } = await openPage(chromiumFlags.wasm);
  await page.goto(`${coordinator.url}/join`);
  await chooseDigits(page, { device: 1, of: 3 });
  await page.getByRole("button", { name: "Join" }).click();
  await page.getByText("The run is over").waitFor();
  const second = await coordinator.startRun({ ...alone, name: "Second run", stop: { rounds: 10_000 } });
  const third = await coordinator.startRun({ ...alone, name: "Third run", stop: { rounds: 10_000 } });
  const devices = async () =>
    (await Promise.all([second, third].map(({ run }) => coordinator.get<unknown[]>(`/v1/runs/${run}/clients`)))).flat();

  // A reload after a run that is over.
  await page.reload();
  await page.getByRole("radio", { name: /Third run/ }).waitFor();
  expect(await page.getByRole("button", { name: "Join" }).isDisabled()).toBe(true);

  // A run that ends while its button is about to be pressed.
  await page.getByRole("radio", { name: /Second run/ }).check();
  await chooseDigits(page, { device: 1, of: 3 });
  await coordinator.post(`/v1/runs/${second.run}/stop`);
  await page.getByRole("radio", { name: /Second run/ }).waitFor({ state: "detached" });
  expect(await page.getByRole("radio", { name: /Third run/ }).isChecked()).toBe(false);
  expect(await page.getByRole("button", { name: "Join" }).isDisabled()).toBe(true);

  // A run that ends while a reloaded page is about to go on with it.
  await page.getByRole("radio", { name: /Third run/ }).check();
  await page.getByRole("button", { name: "Join" }).click();
  await expect.poll(devices).toHaveLength(1);
  await page.goto("about:blank");
  await coordinator.post(`/v1/runs/${third.run}/stop`);
  const fourth = await coordinator.startRun({ ...alone, name: "Fourth run", stop: { rounds: 10_000 } });
  await page.goto(`${coordinator.url}/join`);
  await page.getByText("examples ready").waitFor({ timeout: 60_000 });
  await page.getByRole("radio", { name: /Fourth run/ }).check();
  await expect.poll(() => page.getByRole("button", { name: "Join" }).isEnabled(), { timeout: 60_000 }).toBe(true);
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(await coordinator.get<unknown[]>(`/v1/runs/${fourth.run}/clients`)).toEqual([]);
});
