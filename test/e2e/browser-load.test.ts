import { expect } from "vitest";
import { browserTest, chromiumFlags, openPage } from "../support/browser-chromium.ts";
import { startCoordinator } from "../support/browser-federation.ts";
import { recordingProxy } from "../support/recording-proxy.ts";

const mostBytes = 150_000;
const isWorkers = (path: string) => path.includes("/assets/worker/") || path.endsWith(".wasm");

browserTest(
  "the page can be used after at most 150 kB, and the engine arrives after that, with its progress",
  async () => {
    const coordinator = await startCoordinator();
    await coordinator.startRun();
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const proxy = await recordingProxy(coordinator.url, ({ path }) => (isWorkers(path) ? released : undefined));
    const paths = () => proxy.captured.flatMap((one) => (one.kind === "request" ? [one.path] : []));
    const { page, complaints } = await openPage(chromiumFlags.wasm);
    await page.goto(`${proxy.url}/join`);
    await page.getByRole("radio", { name: /Digits, together/ }).check();
    await page.getByRole("button", { name: "Draw the digits" }).waitFor();
    const device = page.getByRole("region", { name: "This device" });
    await device.getByText("Loading the training code…").waitFor();
    await device.getByRole("progressbar", { name: "This device" }).waitFor();

    // As they travel: compressed, with their headers.
    const sizes = await page.evaluate(() =>
      [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")].map((entry) => {
        const { name, transferSize } = entry as PerformanceResourceTiming;
        return { path: new URL(name).pathname, bytes: transferSize };
      }),
    );
    const own = sizes.filter(({ path }) => !isWorkers(path));
    expect(own.some(({ path, bytes }) => /assets\/index-.*\.js$/.test(path) && bytes > 0)).toBe(true);
    expect(own.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(mostBytes);
    const before = paths().filter(isWorkers);
    // All that was asked for of the engine so far is the one worker that is held back.
    expect(before.every((path) => /training-worker-/.test(path))).toBe(true);
    expect(paths().findIndex(isWorkers)).toBeGreaterThan(
      paths().findIndex((path) => /assets\/index-.*\.js$/.test(path)),
    );

    release();
    await device.getByText("Trains on").waitFor({ timeout: 60_000 });
    expect(paths().filter(isWorkers).length).toBeGreaterThan(1);
    await device.getByRole("progressbar").waitFor({ state: "hidden" });
    expect(complaints).toEqual([]);
  },
);
