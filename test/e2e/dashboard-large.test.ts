import { expect } from "vitest";
import { browserTest, openPage } from "../support/browser-chromium.ts";
import { createRun } from "../support/coordinator-calls.ts";
import { localCoordinator } from "../support/coordinator-local.ts";
import { largeFederation, noteReturn } from "../support/large-federation.ts";
import { specOf } from "../support/specs.ts";

const clients = 10_000;
/** As many rows as a table may have on the page: those in sight, and some above and below. */
const mostRows = 60;

browserTest(
  "ten thousand clients: tables hold what is in sight, and finding, sorting and scrolling answer",
  async () => {
    const { url } = await largeFederation(clients, 3);
    const { page, complaints } = await openPage();
    await page.goto(`${url}/#/clients`);
    await page.getByText("10,000 rows").waitFor();
    const table = page.getByRole("region", { name: "Clients" });
    const rows = table.locator("tbody tr:not(.gap)");
    expect(await rows.count()).toBeLessThan(mostRows);
    expect(await table.locator("table").getAttribute("aria-rowcount")).toBe(`${clients + 1}`);

    await table.evaluate((element) => element.scrollTo(0, element.scrollHeight));
    await page.getByRole("rowheader", { name: /^client 9999 / }).waitFor();
    expect(await rows.count()).toBeLessThan(mostRows);
    expect(await rows.last().getAttribute("aria-rowindex")).toBe(`${clients + 1}`);
    await page.getByRole("button", { name: "In a sum" }).click();
    await table.evaluate((element) => element.scrollTo(0, 0));
    await expect.poll(() => rows.first().textContent()).toContain("client 6 ");

    await page.getByLabel("Find by name").fill("client 777");
    await page.getByText("11 rows").waitFor();
    await page.getByLabel("Find by name").fill("gpu");
    await page.getByText(/^6,667 rows$/).waitFor();
    expect(complaints).toEqual([]);
  },
);

browserTest("a round of ten thousand: one strip for everyone, lanes for the lost and the slowest", async () => {
  const { url, run } = await largeFederation(clients, 3);
  const { page, complaints } = await openPage();
  await page.goto(`${url}/#/runs/${run}/rounds/3`);
  await page.getByRole("row", { name: /^All 10,000/ }).waitFor();
  await page.getByText("24 of 10,000 clients have a lane").waitFor();
  const lanes = page.locator(".lanes tbody tr");
  expect(await lanes.count()).toBe(25);
  await page.getByRole("row", { name: /^client 1 update: after 4.00 s/ }).waitFor();
  const dropped = page.getByRole("region", { name: "Asked, and not in the sum" });
  await page.getByText("1,000 rows").waitFor();
  expect(await dropped.locator("tbody tr:not(.gap)").count()).toBeLessThan(mostRows);
  const elements = await page.evaluate(() => document.querySelectorAll("*").length);
  expect(elements).toBeLessThan(2_000);

  // What the overview draws needs none of the members' names.
  const sizes: number[] = [];
  page.on("response", async (response) => {
    if (response.url().includes("/history")) sizes.push((await response.body()).byteLength);
  });
  await page.getByRole("link", { name: "everyone" }).click();
  await page.getByRole("link", { name: "Overview" }).click();
  await page.locator(".plot canvas").first().waitFor();
  await page.getByText("9,000 of 10,000").waitFor();
  await expect.poll(() => sizes.length).toBeGreaterThan(0);
  expect(Math.max(...sizes)).toBeLessThan(3 * 1_000);
  expect(complaints).toEqual([]);
});

browserTest("ten thousand devices that come back at once cost the page a few requests, and it goes on", async () => {
  const { url, run, coordinator, folder } = await largeFederation(clients, 3);
  const { page } = await openPage();
  await page.goto(url);
  await page.getByRole("link", { name: "everyone" }).waitFor();
  await page.getByText("Live", { exact: true }).waitFor();
  // From an event that it has heard of, the page resumes.
  await createRun(url, specOf({ name: "before" }), { start: false });
  await page.getByRole("link", { name: "before" }).waitFor();
  await page.goto(`${url}/#/clients`);
  await page.getByText("10,000 rows").waitFor();

  await coordinator.close();
  await page.getByText("Connection lost; trying again…").waitFor();
  await noteReturn(folder, run, clients);
  const asked: string[] = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  const again = await localCoordinator({ dataFolder: folder, port: Number(new URL(url).port) });
  await page.getByText("Live", { exact: true }).waitFor();
  const after = await createRun(again.url, specOf({ name: "after" }), { start: false });
  // The page asks for a run that it has an event of: the last one, behind eleven thousand.
  await expect.poll(() => asked).toContain(`/v1/runs/${after.run}`);
  // What took long to fetch rests for ten times as long.
  await expect.poll(() => asked, { timeout: 60_000 }).toContain("/v1/clients");
  expect(asked.length).toBeLessThan(100);
  await page.getByRole("link", { name: "Runs" }).click();
  await page.getByRole("link", { name: "after" }).waitFor();
});
