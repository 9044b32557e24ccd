import type { Page } from "playwright-core";
import { expect } from "vitest";
import { browserTest, chromiumFlags, openPage } from "../support/browser-chromium.ts";
import { chooseDigits, engineShown, startCoordinator } from "../support/browser-federation.ts";

browserTest("a browser on WebGPU and two Node devices train in the same rounds", async () => {
  const coordinator = await startCoordinator();
  const { run } = await coordinator.startRun();
  const { page, complaints } = await openPage(chromiumFlags.webgpu);
  await page.goto(`${coordinator.url}/join`);
  await chooseDigits(page, { device: 1, of: 3 });
  expect(await engineShown(page)).toContain("Trains on WebGPU");
  expect(await coordinator.get<unknown[]>("/v1/clients")).toEqual([]);

  await page.getByRole("button", { name: "Join" }).click();
  for (const shard of ["2/3", "3/3"]) coordinator.joinNode(run, shard);
  await page.getByText("Training", { exact: true }).waitFor({ timeout: 60_000 });
  const rounds = await coordinator.rounds(run);
  await page.getByText("The run is over. Thank you").waitFor();
  const accuracy = (100 * rounds.at(-1)!.evaluation!["accuracy"]!).toFixed(1);
  await page.getByText(`Over the federation: ${accuracy} %`).waitFor();
  await page.getByText(/^Right on [\d.]+ % of your data, on [\d.]+ % over the federation\.$/).waitFor();

  const [browser, ...nodes] = await Promise.all(
    ["browser", "node 2/3", "node 3/3"].map((name) => coordinator.clientNamed(name)),
  );
  expect(browser!.engine).toBe("webgpu");
  expect(nodes.map(({ engine }) => engine)).toEqual(["wasm", "wasm"]);
  expect(rounds.map(({ round }) => round)).toEqual([1, 2]);
  const everyone = [browser!, ...nodes].map(({ client }) => client).sort();
  for (const { survivors } of rounds) expect([...survivors].sort()).toEqual(everyone);
  expect(browser!.contributions).toBe(2);
  expect(complaints).toEqual([]);
});

browserTest("a tab that is closed in the middle of its training ends no secure round", async () => {
  const coordinator = await startCoordinator();
  const { run } = await coordinator.startRun({
    // Long enough that the browser is still at it when the others are done.
    algorithm: { name: "fedavg", epochs: 15, batchSize: 10, learningRate: 0.01 },
    cohort: { size: 4, minimum: 3, overSelect: 1 },
    secureAggregation: "required",
    deadlines: { trainMs: 8_000 },
    evaluation: { on: "nowhere" },
    stop: { rounds: 1 },
  });
  const { page } = await openPage(chromiumFlags.wasm);
  // Without WebAssembly's files it trains on plain JavaScript, the slowest.
  await page.route("**/*.wasm", (route) => route.abort());
  await page.goto(`${coordinator.url}/join`);
  await chooseDigits(page, { device: 1, of: 4 });
  await page.getByRole("button", { name: "Join" }).click();
  coordinator.joinNode(run, "2-4/4");
  await page.getByText("Training", { exact: true }).waitFor({ timeout: 60_000 });
  await page.close();

  const [round] = await coordinator.rounds(run);
  const { client } = await coordinator.clientNamed("browser");
  expect(round!.attempt).toBe(1);
  expect(round!.cohort).toContain(client);
  expect(round!.survivors).toHaveLength(3);
  expect(round!.survivors).not.toContain(client);
});

browserTest("what a browser gives to a secure sum leaves it masked", async () => {
  const coordinator = await startCoordinator();
  const { run } = await coordinator.startRun({
    cohort: { size: 3, minimum: 3, overSelect: 1 },
    secureAggregation: "required",
    stop: { rounds: 1 },
  });
  const { page, complaints } = await openPage(chromiumFlags.webgpu);
  await page.goto(`${coordinator.url}/join`);
  await page.getByText("Secure aggregation:", { exact: true }).waitFor();
  await chooseDigits(page, { device: 1, of: 3 });
  await page.getByRole("button", { name: "Join" }).click();
  const steps = await seenOf(page, ".work small");
  for (const shard of ["2/3", "3/3"]) coordinator.joinNode(run, shard);
  const [round] = await coordinator.rounds(run);
  expect(round!.survivors).toHaveLength(3);
  expect(await steps()).toContainEqual(expect.stringMatching(/^Step 3 of 5: the masked answer; \d+ s left$/));
  // Ten classes by chance: ln 10 = 2.30. A sum with a mask left in it is noise.
  expect(round!.evaluation!["loss"]).toBeLessThan(2.3);
  await page.getByText("The run is over. Thank you").waitFor();
  await page
    .getByRole("log")
    .getByText(/Round 1: sent the update, .*masked/)
    .waitFor();
  await page.getByText("This round's sum is over 3 devices").waitFor();
  expect(await page.getByText(/sent the update/).allTextContents()).not.toContainEqual(
    expect.not.stringMatching(/masked/),
  );
  expect(complaints).toEqual([]);
});

/** Watches a text of the page; the function returned gives every form that it had. */
async function seenOf(page: Page, selector: string): Promise<() => Promise<string[]>> {
  await page.locator(selector).evaluate((element) => {
    const seen: string[] = [];
    Object.assign(globalThis, { seen });
    const look = () => seen.push(element.textContent ?? "");
    new MutationObserver(look).observe(element, { characterData: true, childList: true, subtree: true });
  });
  return () => page.evaluate(() => (globalThis as unknown as { seen: string[] }).seen);
}
