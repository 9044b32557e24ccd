import { routes } from "@tributary/protocol";
import type { Page } from "playwright-core";
import { expect } from "vitest";
import { browserTest, layoutShifts, openPage } from "../support/browser-chromium.ts";
import { call, createRun, runThat } from "../support/coordinator-calls.ts";
import { HandDevice } from "../support/coordinator-device.ts";
import { localCoordinator } from "../support/coordinator-local.ts";
import { oneDevice, playRound } from "../support/one-device-run.ts";
import { specOf } from "../support/specs.ts";

/** A machine that is busy with other things takes its time. */
const patient = { timeout: 20_000 };

/** When what is on the page has been drawn, and whoever watches its layout has heard of it. */
function drawn(page: Page): Promise<void> {
  return page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 100))));
}

/** A run of this name with so many rounds. */
async function playedRun(url: string, name: string, rounds: number): Promise<{ run: string; device: HandDevice }> {
  const { run } = await createRun(url, specOf({ ...oneDevice, name }));
  const device = await HandDevice.joined(url, run, { name: "box" });
  for (let round = 1; round <= rounds; round++) await playRound(device, round);
  await runThat(url, run, (record) => record.round === rounds);
  return { run, device };
}

for (const width of [320, 1280]) {
  browserTest(`nothing jumps while runs go, ${width} wide: on the cards, and on a run's overview`, async () => {
    const { url } = await localCoordinator();
    const { page } = await openPage(undefined, { viewport: { width, height: 800 } });
    const shifts = await layoutShifts(page);
    const { run } = await createRun(url, specOf({ ...oneDevice, name: "goes" }));
    await createRun(url, specOf({ ...oneDevice, name: "waits" }), { start: false });
    let round = 0;
    let device: HandDevice | undefined;
    for (const [place, sign] of [
      ["", ".card.run"],
      [`#/runs/${run}`, ".plot canvas"],
    ] as const) {
      await page.goto("about:blank");
      await page.goto(`${url}/${place}`);
      await page.locator(sign).first().waitFor();
      await page.getByText("Live", { exact: true }).waitFor();
      await drawn(page);
      await shifts();
      device ??= await HandDevice.joined(url, run, { name: "box" });
      for (const last = round + 3; round < last; ) await playRound(device, ++round);
      await page
        .locator("main")
        .getByText(new RegExp(`^(Round )?${round}( of 20)?$`))
        .first()
        .waitFor();
      await drawn(page);
      expect(await shifts(), place).toBeLessThan(0.005);
    }
    // A run that ends has its reason on its card.
    await page.goto("about:blank");
    await page.goto(url);
    await page.getByText("Live", { exact: true }).waitFor();
    await page.locator(".card.run polyline").waitFor({ state: "attached" });
    await drawn(page);
    await shifts();
    await call(url, `POST ${routes.runAction("stop", run)}`);
    await page.getByText("stopped", { exact: true }).waitFor();
    await drawn(page);
    expect(await shifts()).toBeLessThan(0.005);
  });
}

browserTest(
  "runs of one name are told apart, taken out and put back, and more than eight have lines of their own",
  async () => {
    const { url } = await localCoordinator();
    const { run: first } = await playedRun(url, "same", 1);
    const { run: second } = await playedRun(url, "same", 1);
    const others: string[] = [];
    for (let index = 0; index < 8; index++) others.push((await playedRun(url, `other ${index}`, 1)).run);
    const { page, complaints } = await openPage();
    await page.goto(`${url}/#/compare/${[first, second, ...others.slice(0, 7)].join(",")}`);
    const short = (run: string) => `same (${run.slice(4, 12)})`;
    const chosen = page.getByRole("group", { name: "Runs compared" });
    const lines = () =>
      page
        .locator(".legend .line-sample line")
        .evaluateAll((all) =>
          all.map((line) => `${line.getAttribute("style")} ${line.getAttribute("stroke-dasharray")}`),
        );
    await expect.poll(async () => new Set(await lines()).size, patient).toBe(9);
    const before = await lines();
    await page.getByRole("button", { name: "Add" }).press("Enter");
    await page.getByRole("rowheader", { name: "other 7" }).waitFor();
    expect(new Set(await lines()).size).toBe(10);

    await chosen.getByLabel(short(first)).uncheck();
    await page.getByRole("rowheader", { name: short(first) }).waitFor({ state: "hidden" });
    // The others keep their lines.
    expect((await lines()).slice(0, 8)).toEqual(before.slice(1));
    expect(await page.evaluate(() => location.hash)).not.toContain(first);
    await chosen.getByLabel(short(first)).check();
    await page.getByRole("rowheader", { name: short(first) }).waitFor();
    await page.getByRole("rowheader", { name: short(second) }).waitFor();
    expect((await lines())[0]).toBe(before[0]);
    expect(complaints).toEqual([]);
  },
);

browserTest(
  "times are the reader's own, exact under the mouse and for machines; what is not known says why",
  async () => {
    const { url } = await localCoordinator();
    const { run } = await playedRun(url, "timed", 1);
    const { page } = await openPage(undefined, { locale: "de-DE", timezoneId: "Europe/Berlin" });
    await page.goto(`${url}/#/runs/${run}/versions`);
    const made = page.locator("tbody time").first();
    await made.waitFor();
    expect(await made.textContent()).toMatch(/^\d\d\.\d\d\.\d{4}, \d\d:\d\d:\d\d$/);
    expect(await made.getAttribute("title")).toMatch(/ um \d\d:\d\d:\d\d MEZ|MESZ/);
    const { createdAt } = (await call<{ createdAt: number }[]>(url, `GET ${routes.models(run)}`)).body.at(-1)!;
    expect(await made.getAttribute("datetime")).toBe(new Date(createdAt).toISOString());
    await page.goto(`${url}/#/clients`);
    await page.getByRole("cell", { name: "the device did not say" }).waitFor();
    await page.getByRole("cell", { name: "no tags" }).waitFor();
  },
);

/** How many pixels of a canvas are neither clear nor of the page's ground. */
function drawnPixels(page: Page, selector: string): Promise<number> {
  return page
    .locator(selector)
    .first()
    .evaluate((canvas: HTMLCanvasElement) => {
      const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
      const ground = getComputedStyle(document.body).backgroundColor.match(/\d+/g)!.map(Number);
      let drawn = 0;
      for (let at = 0; at < data.length; at += 4) {
        const isGround = [0, 1, 2].every((part) => Math.abs(data[at + part]! - ground[part]!) < 48);
        if (data[at + 3]! > 128 && !isGround) drawn += 1;
      }
      return drawn;
    });
}

for (const colorScheme of ["light", "dark"] as const) {
  browserTest(
    `with the reader's own colours, ${colorScheme}, lines, bars and states are still told apart`,
    async () => {
      const { url } = await localCoordinator();
      const { run } = await playedRun(url, "coloured", 3);
      const { page } = await openPage(undefined, { colorScheme, forcedColors: "active" });
      await page.goto(`${url}/#/runs/${run}`);
      await page.locator(".plot canvas").first().waitFor();
      await expect.poll(() => drawnPixels(page, ".plot canvas"), patient).toBeGreaterThan(2_000);
      const dashes = await page
        .locator(".legend")
        .first()
        .locator("line")
        .evaluateAll((all) => all.map((line) => line.getAttribute("stroke-dasharray")));
      expect(new Set(dashes).size).toBe(dashes.length);
      const badge = page.locator(".badge").first();
      expect(await badge.evaluate((element) => getComputedStyle(element).borderStyle)).toBe("solid");
      await page.goto(`${url}/#/runs/${run}/rounds/1`);
      const bars = page.locator(".track .bar");
      await bars.first().waitFor();
      const grounds = await page.locator(".attempt .legend .bar").evaluateAll((all) =>
        all.map((bar) => {
          const { backgroundColor, backgroundImage } = getComputedStyle(bar);
          return `${backgroundColor} ${backgroundImage}`;
        }),
      );
      expect(new Set(grounds.slice(0, 4)).size).toBe(4);
    },
  );
}
