import { expect } from "vitest";
import { browserTest, openPage } from "../support/browser-chromium.ts";
import { largeFederation } from "../support/large-federation.ts";

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
