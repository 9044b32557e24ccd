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
} from "../support/browser-federation.ts";

browserTest("whoever leaves at once has left: nothing is sent, and no worker goes on", async () => {
  const coordinator = await coordinatorOfFile();
  const { run } = await coordinator.startRun(endlessAlone);
  const { page } = await openPage(chromiumFlags.wasm);
  await page.goto(`${coordinator.url}/join`);
  await chooseDigits(page, { device: 1, of: 3 });
  await page.evaluate(async () => {
    const press = (name: string) => {
      const button = Array.from(document.querySelectorAll("button")).find(({ textContent }) => textContent === name);
      button?.click();
      return button !== undefined;
    };
    press("Join");
    while (!press("Leave")) await new Promise(requestAnimationFrame);
  });
  await page.getByText("You left.").waitFor();
  await expect.poll(() => page.workers().map((worker) => worker.url())).toEqual([]);
  expect(await coordinator.get(`/v1/runs/${run}`)).toMatchObject({ round: 0 });
  expect(await coordinator.get(`/v1/runs/${run}/clients`)).toEqual([]);
});

/** Names in this browser's storage, and of each what lies there. */
const stored = (page: Page) =>
  page.evaluate(
    () =>
      new Promise<string[]>((resolve, reject) => {
        const opening = indexedDB.open("tributary");
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const devices = opening.result.transaction("devices").objectStore("devices");
          devices.getAllKeys().onsuccess = ({ target }) => {
            resolve((target as IDBRequest<string[]>).result);
            opening.result.close();
          };
        };
      }),
  );

const keeping = [
  { ...endlessTable, model: undefined, algorithm: { name: "cocoa", lambda: 0.01 } },
  { ...endlessTable, algorithm: { name: "scaffold", epochs: 1, batchSize: 10, learningRate: 0.1, clients: 3 } },
];
for (const spec of keeping) {
  browserTest(`what ${spec.algorithm.name} kept goes with the person, and with a closed tab`, () => leaveNothing(spec));
}

async function leaveNothing(spec: Record<string, unknown>): Promise<void> {
  const coordinator = await coordinatorOfFile();
  const { run } = await coordinator.startRun(spec);
  const { page } = await openPage(chromiumFlags.wasm);
  const takePart = async (at: Page) => {
    await at.goto(`${coordinator.url}/join`);
    await at.getByLabel("File", { exact: true }).setInputFiles(csvTable("mine.csv", 20));
    await at.getByRole("button", { name: "Use this table" }).click();
    await at.getByText("20 examples ready").waitFor();
    await expect.poll(() => at.getByRole("button", { name: "Join" }).isEnabled(), { timeout: 60_000 }).toBe(true);
    await at.getByRole("button", { name: "Join" }).click();
    await firstUpdate(at).waitFor();
  };
  const keptOfRun = async () => (await stored(page)).filter((name) => name.endsWith(run));
  await takePart(page);
  expect(await keptOfRun()).toHaveLength(1);
  await page.getByRole("button", { name: "Leave" }).click();
  await page.getByText("You left. Your data was forgotten").waitFor();
  expect(await keptOfRun()).toEqual([]);

  const closed = await page.context().newPage();
  await takePart(closed);
  expect(await keptOfRun()).toHaveLength(1);
  await closed.close();
  await page.reload();
  await expect.poll(keptOfRun, { timeout: 30_000 }).toEqual([]);
}

browserTest("a duplicated tab joins nothing by itself", async () => {
  const coordinator = await coordinatorOfFile();
  const { run } = await coordinator.startRun(endlessAlone);
  const { page } = await openPage(chromiumFlags.wasm);
  await page.goto(`${coordinator.url}/join`);
  await chooseDigits(page, { device: 1, of: 3 });
  await page.getByRole("button", { name: "Join" }).click();
  await page.getByText("Connected", { exact: true }).waitFor();
  // It comes with a copy of what the first one keeps for its reload.
  const opening = page.context().waitForEvent("page");
  await page.evaluate(() => void window.open(location.href));
  const second = await opening;
  await second.getByRole("radio", { name: /Digits, together/ }).waitFor();
  await second.getByText(/^About [\d,.]+ examples a second/).waitFor({ timeout: 60_000 });
  expect(await second.getByRole("button", { name: "Join" }).isDisabled()).toBe(true);
  expect(await coordinator.get<unknown[]>(`/v1/runs/${run}/clients`)).toHaveLength(1);
});

browserTest("a reload that lost the person's files says so, and joins with nothing else", async () => {
  const coordinator = await coordinatorOfFile();
  const { run } = await coordinator.startRun(endlessTable);
  const { page } = await openPage(chromiumFlags.wasm);
  await page.goto(`${coordinator.url}/join`);
  await page.getByLabel("File", { exact: true }).setInputFiles(csvTable("mine.csv", 20));
  await page.getByRole("button", { name: "Use this table" }).click();
  await page.getByRole("button", { name: "Join" }).click();
  await firstUpdate(page).waitFor();
  await page.reload();
  await page.getByText("Choose them again to go on").waitFor();
  await page.getByLabel("File", { exact: true }).setInputFiles(csvTable("other.csv", 30));
  await page.getByRole("button", { name: "Use this table" }).click();
  await page.getByText("30 examples ready").waitFor();
  expect(await page.getByText("Choose them again to go on").count()).toBe(0);
  await expect.poll(() => page.getByRole("button", { name: "Join" }).isEnabled(), { timeout: 60_000 }).toBe(true);
  expect(await coordinator.get(`/v1/runs/${run}/clients`)).toEqual([]);
});

browserTest("only what is kept is said to be kept", async () => {
  const coordinator = await coordinatorOfFile();
  await coordinator.startRun(endlessTable);
  const { page } = await openPage(chromiumFlags.wasm);
  await page.goto(`${coordinator.url}/join`);
  const use = async (name: string, rows: number) => {
    await page.getByLabel("File", { exact: true }).setInputFiles(csvTable(name, rows));
    await page.getByRole("button", { name: "Use this table" }).click();
    await page.getByText(`${rows} examples ready`).waitFor();
  };
  const keep = page.getByRole("checkbox", { name: /Keep these files in this browser/ });
  await use("first.csv", 20);
  await keep.check();
  await page.getByText("They are kept.").waitFor();
  await use("second.csv", 30);
  expect(await keep.isChecked()).toBe(false);
  await page.getByText("This browser keeps data that you chose before.").waitFor();
  await page.getByRole("button", { name: "Use it" }).click();
  await page.getByText("20 examples ready").waitFor();
  expect(await keep.isChecked()).toBe(true);
  // What is gone, as when the browser took the room back, is said to be.
  await page.evaluate(async () =>
    (await navigator.storage.getDirectory()).removeEntry("tributary-data", { recursive: true }),
  );
  await use("third.csv", 40);
  await page.getByRole("button", { name: "Use it" }).click();
  await page.getByRole("alert").getByText("What this browser kept is gone").waitFor();
});

browserTest("how a run ended is told, and that a chosen one has", async () => {
  const coordinator = await coordinatorOfFile();
  const { run } = await coordinator.startRun({ ...endlessAlone, name: "First" });
  const { page } = await openPage(chromiumFlags.wasm);
  await page.goto(`${coordinator.url}/join`);
  await chooseDigits(page, { device: 1, of: 3 });
  await page.getByRole("button", { name: "Join" }).click();
  await firstUpdate(page).waitFor();
  await coordinator.post(`/v1/runs/${run}/stop`);
  await page.getByText("The operator stopped the run. Thank you").waitFor();
  await page.getByRole("button", { name: "Back to the start" }).click();
  const second = await coordinator.startRun({ ...endlessAlone, name: "Second" });
  await page.getByRole("radio", { name: /Second/ }).waitFor();
  await chooseDigits(page, { device: 1, of: 3 });
  await coordinator.post(`/v1/runs/${second.run}/stop`);
  await page.getByText("“Second” was stopped by its operator.").waitFor();
});
