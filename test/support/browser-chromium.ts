import { existsSync } from "node:fs";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, onTestFinished, test } from "vitest";

const executablePath = process.env["TRIBUTARY_CHROMIUM"] ?? "/usr/bin/chromium";
const found = existsSync(executablePath);

const always = [
  "--no-sandbox",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Flags that leave a page these engines and no better one, on a machine without a graphics processor. */
export const chromiumFlags = {
  webgpu: [
    "--enable-unsafe-webgpu",
    "--use-webgpu-adapter=swiftshader",
    "--enable-features=Vulkan",
    "--ignore-gpu-blocklist",
  ],
  webgl: ["--disable-features=WebGPUService", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"],
  wasm: ["--disable-gpu", "--disable-software-rasterizer"],
} as const;

let skipped = 0;

/**
 * A test that needs Chromium: skipped, and counted aloud, where there is none. TRIBUTARY_REQUIRE_BROWSER=1 makes it fail
 * instead. `retry`: how often more it is tried, which the report then says.
 */
export function browserTest(name: string, run: () => Promise<void>, { timeout = 180_000, retry = 0 } = {}): void {
  if (found || process.env["TRIBUTARY_REQUIRE_BROWSER"] === "1") {
    test(name, { timeout, retry }, run);
    return;
  }
  test.skip(name, run);
  skipped += 1;
  if (skipped === 1) {
    // Once all tests of the file are known.
    queueMicrotask(() => setImmediate(() => console.log(`SKIPPED ${skipped} browser tests: apt-get install chromium`)));
  }
}

const browsers = new Map<string, Promise<Browser>>();

afterAll(async () => {
  for (const browser of browsers.values()) await (await browser).close();
  browsers.clear();
});

function launch(args: readonly string[]): Promise<Browser> {
  const key = args.join(" ");
  let browser = browsers.get(key);
  if (browser === undefined) {
    browser = chromium.launch({ executablePath, args: [...always, ...args] });
    browsers.set(key, browser);
  }
  return browser;
}

/** A page of its own, and all that it complained of: errors, refused policies, warnings of the console. */
export interface WatchedPage {
  readonly page: Page;
  readonly complaints: string[];
}

/**
 * Adds up how far what is on the page jumps (the Layout Instability API's score; what a person did to cause it does not
 * count), from the next address on that it opens. The function returned gives the sum since it was last called.
 */
export async function layoutShifts(page: Page): Promise<() => Promise<number>> {
  await page.addInitScript(() => {
    const shifts = globalThis as unknown as { shifted: number };
    shifts.shifted = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        const { value, hadRecentInput } = entry as unknown as { value: number; hadRecentInput: boolean };
        if (!hadRecentInput) shifts.shifted += value;
      }
    }).observe({ type: "layout-shift", buffered: true });
  });
  return () =>
    page.evaluate(() => {
      const shifts = globalThis as unknown as { shifted: number };
      const { shifted } = shifts;
      shifts.shifted = 0;
      return shifted;
    });
}

/** What a failed test's page shows; one that stands still shows that. */
async function tell(page: Page, complaints: readonly string[]): Promise<void> {
  const silence = new Promise<string>((resolve) => setTimeout(resolve, 5_000, "the page does not answer"));
  const shown = page
    .locator("body")
    .ariaSnapshot()
    .catch((error: Error) => error.message);
  const workers = page.workers().map((worker) => worker.url());
  console.error(["FAILED ON", page.url(), await Promise.race([shown, silence]), ...workers, ...complaints].join("\n"));
}

/** A new page in a browser with these flags; closed when the test ends. */
export async function openPage(
  flags: readonly string[] = chromiumFlags.wasm,
  context: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const browser = await launch(flags);
  const opened = await browser.newContext(context);
  opened.setDefaultTimeout(60_000);
  const page = await opened.newPage();
  const complaints: string[] = [];
  onTestFinished(async ({ task }) => {
    if (task.result?.state === "fail") await tell(page, complaints);
    await opened.close();
  });
  page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(`${message.type()}: ${message.text()}`);
  });
  page.on("worker", (worker) => {
    worker.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complaints.push(`worker ${message.type()}: ${message.text()}`);
    });
  });
  return { page, complaints };
}
