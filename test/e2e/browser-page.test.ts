import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { type RunRecord, routes } from "@tributary/protocol";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { browserTest, chromiumFlags, layoutShifts, openPage } from "../support/browser-chromium.ts";
import { chooseDigits, coordinatorOfFile, firstUpdate, startCoordinator } from "../support/browser-federation.ts";

const require = createRequire(import.meta.url);
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const built = join(dirname(require.resolve("@tributary/browser-client/package.json")), "dist/page");
const alone = { cohort: { size: 1, minimum: 1, overSelect: 1 } };

const builtIn = (folder: string) => readdirSync(join(built, folder)).filter((name) => name.endsWith(".js"));
const read = (path: string) => readFileSync(join(built, path));

test("the page's own code is small", () => {
  const sizes = builtIn("assets").map((name) => gzipSync(read(`assets/${name}`)).length);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(150_000);
});

test("no code that the training worker can load holds a socket", () => {
  const loaded = new Set<string>();
  const load = (name: string) => {
    if (loaded.has(name)) return;
    loaded.add(name);
    for (const [, other] of read(`assets/worker/${name}`)
      .toString()
      .matchAll(/["'`]\.\/([\w.-]+\.js)["'`]/g))
      load(other!);
  };
  load(builtIn("assets/worker").find((name) => name.startsWith("training-worker-"))!);
  expect([...loaded].join(" ")).toMatch(/webgpu-.*|wasm-.*/);
  for (const name of loaded) expect(read(`assets/worker/${name}`).toString()).not.toMatch(/WebSocket|XMLHttpRequest\(/);
});

test("every file comes with the policy that its place asks for", async () => {
  const { url } = await startCoordinator();
  const page = await fetch(`${url}/join/`);
  const html = await page.text();
  expect(page.headers.get("content-security-policy")).toBe(
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob: data:; " +
      "connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  );
  expect(page.headers.get("cache-control")).toBe("no-cache");
  const worker = (kind: string) => `assets/worker/${builtIn("assets/worker").find((name) => name.startsWith(kind))}`;
  for (const [path, connect] of [
    [/assets\/index-[^"]+\.js/.exec(html)![0], "connect-src 'self'"],
    [worker("device-worker-"), "connect-src 'self'"],
    [worker("training-worker-"), "connect-src blob:"],
  ] as const) {
    const { headers } = await fetch(`${url}/join/${path}`);
    expect(headers.get("content-security-policy")).toContain(connect);
    expect(headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect(headers.get("cross-origin-embedder-policy")).toBe("require-corp");
    expect(headers.get("cross-origin-opener-policy")).toBe("same-origin");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("referrer-policy")).toBe("no-referrer");
    expect(headers.get("content-encoding")).toMatch(/br|gzip/);
  }
  expect((await fetch(`${url}/join/assets/absent.js`)).status).toBe(404);
});

browserTest("nothing jumps while the page fills, while it takes part, or at the end", async () => {
  const coordinator = await coordinatorOfFile();
  for (const [width, name] of [
    [390, "on a phone"],
    [1280, "on a desk"],
  ] as const) {
    await coordinator.startRun({ ...alone, name, stop: { rounds: 3 } });
    const { page } = await openPage(chromiumFlags.wasm, { viewport: { width, height: 850 } });
    const shifts = await layoutShifts(page);
    // What Lighthouse calls good.
    const expectStill = async (when: string) => expect(await shifts(), `${when}, ${name}`).toBeLessThan(0.1);
    await page.goto(`${coordinator.url}/join`);
    await page.getByText(/^About [\d,.]+ examples a second/).waitFor({ timeout: 60_000 });
    await expectStill("filling");
    await chooseDigits(page, { device: 1, of: 3 });
    await page.getByRole("button", { name: "Join" }).click();
    await page.getByText("The run is over").waitFor();
    await expectStill("taking part");
  }
});

browserTest("on a narrow screen nothing moves from round to round, and what stands empty is left alone", async () => {
  const coordinator = await coordinatorOfFile();
  const { run } = await coordinator.startRun({ ...alone, stop: { rounds: 10_000 } });
  const { page } = await openPage(chromiumFlags.wasm, { viewport: { width: 320, height: 640 } });
  const shifts = await layoutShifts(page);
  await page.goto(`${coordinator.url}/join`);
  await chooseDigits(page, { device: 1, of: 3 });
  await page.getByRole("button", { name: "Join" }).click();
  await page.getByText("Connected", { exact: true }).waitFor();
  await shifts();
  const seen = await page.evaluateHandle(() => {
    const tops = {
      figures: new Set<number>(),
      chart: new Set<number>(),
      plot: new Set<number>(),
      log: new Set<number>(),
    };
    const look = () => {
      if (document.querySelector(".connection")?.textContent !== "Connected") return;
      for (const [name, set] of Object.entries(tops)) {
        const box = document.querySelector(`.part .${name}`)!.getBoundingClientRect();
        set.add(Math.round(box.top + scrollY));
      }
      requestAnimationFrame(look);
    };
    look();
    const empty = { touched: 0 };
    new MutationObserver((records) => {
      for (const { target } of records) {
        const isLive = target.parentElement?.closest("[role=alert], [role=status]") != null;
        if (isLive && target.textContent === "") empty.touched++;
      }
    }).observe(document.querySelector("main")!, { subtree: true, characterData: true });
    return { tops, empty };
  });
  const round = async () => (await coordinator.get<RunRecord>(routes.run(run))).round;
  const before = await round();
  await expect.poll(round).toBeGreaterThan(before + 8);
  expect(await shifts()).toBeLessThan(0.01);
  await coordinator.post(routes.runAction("stop", run));
  await page.getByText("The operator stopped the run").waitFor();
  const { empty, ...places } = await seen.evaluate(({ tops, empty: { touched } }) => ({
    ...Object.fromEntries(Object.entries(tops).map(([name, set]) => [name, set.size])),
    empty: touched,
  }));
  expect(places).toEqual({ figures: 1, chart: 1, plot: 1, log: 1 });
  expect(empty).toBe(0);
});

browserTest("on an address that is not secure the page says what is missing and what to do", async () => {
  const coordinator = await startCoordinator("--host", "0.0.0.0", "--insecure");
  const { port } = new URL(coordinator.url);
  const { page, complaints } = await openPage([
    ...chromiumFlags.wasm,
    "--host-resolver-rules=MAP coordinator.example 127.0.0.1",
  ]);
  await page.goto(`http://coordinator.example:${port}/join`);
  const notice = page.getByRole("region", { name: "This address is not secure" });
  await notice.waitFor();
  const text = (await notice.textContent())!;
  for (const word of [`http://coordinator.example:${port}`, "WebGPU", "WebCrypto", `http://localhost:${port}/join`]) {
    expect(text).toContain(word);
  }
  expect(await page.getByRole("button").count()).toBe(0);
  expect(complaints.filter((complaint) => !complaint.includes("Cross-Origin-Opener-Policy"))).toEqual([]);
});

browserTest("where the coordinator asks for a join token, the page does too", async () => {
  const coordinator = await startCoordinator("--host", "0.0.0.0", "--tls", "self-signed");
  const { joinToken } = coordinator.started;
  const { page } = await openPage(chromiumFlags.wasm, { ignoreHTTPSErrors: true });
  await page.goto(`${coordinator.url.replace("0.0.0.0", "127.0.0.1")}/join`);
  await page.getByRole("textbox", { name: "Join token" }).fill("wrong");
  await page.getByRole("button", { name: "Register this browser" }).click();
  await page.getByRole("alert").getByText("needs the join token").waitFor();
  await page.getByRole("textbox", { name: "Join token" }).fill(joinToken!);
  await page.getByRole("button", { name: "Register this browser" }).click();
  await page.getByText("No run is open just now").waitFor();
});

browserTest("axe finds nothing serious before, during and after, light or dark", async () => {
  const coordinator = await coordinatorOfFile();
  const data = { kind: "table", shape: [1], target: "class", classes: 2 };
  await coordinator.startRun({ ...alone, name: "Rows", data, stop: { rounds: 10_000 } });
  await coordinator.startRun({ ...alone, name: "n".repeat(128), stop: { rounds: 10_000 } });
  await coordinator.startRun({ ...alone, stop: { rounds: 10_000 } });
  for (const colorScheme of ["light", "dark"] as const) {
    const { page } = await openPage(chromiumFlags.wasm, { colorScheme, bypassCSP: true });
    await page.goto(`${coordinator.url}/join`);
    await page.getByRole("radio", { name: /Digits, together/ }).waitFor();
    expect(await seriousFaults(page)).toEqual([]);
    await page.getByRole("radio", { name: "Rows" }).check();
    const rows = { name: "rows.csv", mimeType: "text/csv", buffer: Buffer.from("x,kind\n1,a\n2,b\n") };
    await page.getByLabel("File", { exact: true }).setInputFiles(rows);
    await page.getByRole("button", { name: "Use this table" }).click();
    await page.getByText("2 examples ready").waitFor();
    expect(await seriousFaults(page)).toEqual([]);
    await page.getByRole("radio", { name: /Digits, together/ }).check();
    await page.getByRole("alert").getByText("Your file has").waitFor();
    expect(await seriousFaults(page)).toEqual([]);
    await chooseDigits(page, { device: 1, of: 3 });
    expect(await seriousFaults(page)).toEqual([]);
    await page.getByRole("button", { name: "Join" }).click();
    await firstUpdate(page).waitFor();
    expect(await seriousFaults(page)).toEqual([]);
    await page.getByRole("button", { name: "Fetch the newest model" }).click();
    await page.getByText(/^Version \d+/).waitFor();
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByText("Paused by you").waitFor();
    expect(await seriousFaults(page)).toEqual([]);
    await page.getByRole("button", { name: "Leave" }).click();
    await page.getByText("You left.").waitFor();
    expect(await seriousFaults(page)).toEqual([]);
  }
});

async function seriousFaults(page: Page): Promise<string[]> {
  // Nothing is cut off or has to be scrolled to sideways on a phone either.
  const size = page.viewportSize()!;
  for (const width of [320, size.width]) {
    await page.setViewportSize({ ...size, width });
    expect(
      await page.evaluate(() => document.documentElement.scrollWidth - innerWidth),
      `${width} wide`,
    ).toBeLessThanOrEqual(0);
  }
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const { violations } = await (
      globalThis as unknown as {
        axe: { run(): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }> };
      }
    ).axe.run();
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
  });
}
