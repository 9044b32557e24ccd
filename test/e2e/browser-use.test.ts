import { expect } from "vitest";
import { browserTest, chromiumFlags, openPage } from "../support/browser-chromium.ts";
import { chooseDigits, coordinatorOfFile, firstUpdate, startCoordinator } from "../support/browser-federation.ts";

const alone = { cohort: { size: 1, minimum: 1, overSelect: 1 } };

browserTest("a device on its battery trains nothing until it is charged, or the person says so", async () => {
  const coordinator = await coordinatorOfFile();
  const { run } = await coordinator.startRun({ ...alone, stop: { rounds: 3 } });
  const { page, complaints } = await openPage(chromiumFlags.wasm);
  await page.addInitScript(() => {
    const battery = Object.assign(new EventTarget(), { charging: false });
    Object.assign(navigator, { getBattery: async () => battery });
  });
  await page.goto(`${coordinator.url}/join`);
  await chooseDigits(page, { device: 1, of: 3 });
  await page.getByRole("button", { name: "Join" }).click();
  await page.getByText("Paused: the device runs on its battery").waitFor();
  await page.getByText("It trains nothing until it is charged. Until then it is asked nothing").waitFor();
  expect((await coordinator.get<{ phase: string }>(`/v1/runs/${run}`)).phase).toBe("gathering");
  await page.getByText("How much of this device to use").click();
  await page.getByLabel("Time given to training").fill("50");
  expect((await coordinator.get<{ round: number }>(`/v1/runs/${run}`)).round).toBe(0);

  await page.getByLabel("Pause while this device runs on its battery").uncheck();
  await page.getByText("The run is over").waitFor({ timeout: 60_000 });
  expect(await coordinator.rounds(run)).toHaveLength(3);
  expect(complaints).toEqual([]);
});

browserTest("a person pauses by hand, and goes on", async () => {
  const coordinator = await coordinatorOfFile();
  const { run } = await coordinator.startRun({ ...alone, stop: { rounds: 10_000 } });
  const { page } = await openPage(chromiumFlags.wasm);
  await page.goto(`${coordinator.url}/join`);
  await chooseDigits(page, { device: 1, of: 3 });
  await page.getByRole("button", { name: "Join" }).click();
  const round = async () => (await coordinator.get<{ round: number }>(`/v1/runs/${run}`)).round;
  await expect.poll(round, { timeout: 30_000 }).toBeGreaterThan(0);
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByText("Paused by you").waitFor();
  await page.getByRole("button", { name: "Go on" }).click();
  const before = await round();
  await expect.poll(round, { timeout: 30_000 }).toBeGreaterThan(before + 1);
});

browserTest("the screen is kept on by one lock, which is given back", async () => {
  const coordinator = await coordinatorOfFile();
  await coordinator.startRun({ ...alone, evaluation: { on: "nowhere" }, stop: { rounds: 10_000 } });
  const { page } = await openPage(chromiumFlags.wasm);
  await page.addInitScript(() => {
    const locks = { asked: 0, held: 0 };
    // As slow as a browser may be, while the page hears of its training many times a second.
    const request = async () => {
      locks.asked += 1;
      await new Promise((resolve) => setTimeout(resolve, 300));
      locks.held += 1;
      const release = async () => {
        locks.held -= 1;
      };
      return { release };
    };
    Object.defineProperty(navigator, "wakeLock", { value: { request } });
    Object.assign(globalThis, { locks });
  });
  const locks = () => page.evaluate(() => (globalThis as unknown as { locks: { asked: number; held: number } }).locks);
  await page.goto(`${coordinator.url}/join`);
  await chooseDigits(page, { device: 1, of: 3 });
  await page.getByLabel("Keep the screen on").check();
  await page.getByRole("button", { name: "Join" }).click();
  await firstUpdate(page).waitFor();
  await expect.poll(locks).toEqual({ asked: 1, held: 1 });
  await page.getByText("How much of this device to use").click();
  await page.getByLabel("Keep the screen on").uncheck();
  await expect.poll(locks).toEqual({ asked: 1, held: 0 });
});

browserTest("rounds do not wait for a device that is paused at work, and ask it again when it goes on", async () => {
  const coordinator = await coordinatorOfFile();
  const trainMs = 60_000;
  const { run } = await coordinator.startRun({
    // So long that the page is at it when it is paused.
    algorithm: { name: "fedavg", epochs: 10_000, batchSize: 20, learningRate: 0.01 },
    cohort: { size: 2, minimum: 1, overSelect: 1 },
    deadlines: { joinMs: 2_000, trainMs },
    evaluation: { on: "nowhere" },
    stop: { rounds: 10_000 },
  });
  const { page, complaints } = await openPage(chromiumFlags.wasm);
  await page.goto(`${coordinator.url}/join`);
  await chooseDigits(page, { device: 1, of: 3 });
  await page.getByRole("button", { name: "Join" }).click();
  const asked = () => coordinator.get<{ phase: string }>(`/v1/runs/${run}`);
  await expect.poll(async () => (await asked()).phase, { timeout: 30_000 }).toBe("collecting");
  await page.getByText(/^Training$/).waitFor();
  const pausedAt = Date.now();
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByText("Until then it is asked nothing").waitFor();
  // Nobody else is there, so the attempt is over at once.
  await expect.poll(async () => (await asked()).phase).toBe("gathering");
  expect(Date.now() - pausedAt).toBeLessThan(trainMs / 2);
  expect(await page.getByText(/s left$/).count()).toBe(0);

  await page.getByRole("button", { name: "Go on" }).click();
  await page.getByText(/^Training$/).waitFor();
  expect((await asked()).phase).toBe("collecting");
  expect(complaints).toEqual([]);
});

browserTest("before joining the page says what leaves, what stays, what protects it and what it costs", async () => {
  const coordinator = await startCoordinator();
  await coordinator.startRun({ name: "In the clear" });
  await coordinator.startRun({ name: "Under a sum", secureAggregation: "required", model: { preset: "2nn" } });
  const { page } = await openPage(chromiumFlags.wasm);
  await page.goto(`${coordinator.url}/join`);
  await chooseDigits(page, { device: 1, of: 3 });
  const about = page.getByRole("region", { name: "What you would take part in" });
  for (const said of [
    /The operator of 127\.0\.0\.1:\d+ has devices train one model together: “Under a sum”/,
    /the change that training makes to the model.*It is masked, which is noise to whoever gets it/,
    /Your examples and their labels/,
    /never one of fewer than three/,
    /Clipping: one weight's change counts up to 0\.5/,
    // Words of 22 bits: three devices, 16 weight levels, values of 16 bits, and a sign.
    /for the model's 199,210 weights: 5[45]\d\.\d kB up and about 80\d\.\d kB down in a round of 3 devices/,
    /Work in each round: about/,
  ]) {
    await about.getByText(said).waitFor();
  }
  await page.getByRole("radio", { name: /In the clear/ }).check();
  await about.getByText("Nothing hides this device's update from the coordinator").waitFor();
  await about.getByText(/how many examples it trained on, and the sum of their losses, in the clear/).waitFor();
  expect(await coordinator.get<unknown[]>("/v1/clients")).toEqual([]);
});
