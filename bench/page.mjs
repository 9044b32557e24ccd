// Whether the contributor's page stays smooth while its worker trains: frames a second (requestAnimationFrame) in real
// headless Chromium, before joining and during rounds of the 2NN, on one engine after the other. Nothing else should run.
// WebGPU is in software (SwiftShader) where there is no graphics processor, and shares the processor with the page then.
// Run after a build: npm run bench:page -- [--json] [--seconds N]
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { startCoordinator } from "../apps/coordinator/dist/index.js";

const executablePath = process.env.TRIBUTARY_CHROMIUM ?? "/usr/bin/chromium";
const seconds = Number(process.argv[process.argv.indexOf("--seconds") + 1]) || 10;
const json = process.argv.includes("--json");
const engines = {
  wasm: ["--disable-gpu", "--disable-software-rasterizer"],
  webgpu: [
    ...["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"],
    ...["--enable-features=Vulkan", "--ignore-gpu-blocklist"],
  ],
};
const spec = {
  name: "smooth",
  algorithm: { name: "fedavg", epochs: 1, batchSize: 20, learningRate: 0.05 },
  model: { preset: "2nn" },
  data: { kind: "images", shape: [28, 28, 1], classes: 10 },
  cohort: { size: 1, minimum: 1, overSelect: 1 },
  ...{ secureAggregation: "none", evaluation: { on: "clients" }, stop: { rounds: 100_000 } },
};

/** Frames of the page over some seconds: how many a second, the longest wait for one, and tasks of over 50 ms. */
const frames = (page) =>
  page.evaluate(async (ms) => {
    const [times, tasks] = [[], []];
    const observer = new PerformanceObserver((list) => tasks.push(...list.getEntries().map((entry) => entry.duration)));
    observer.observe({ type: "longtask" });
    const end = performance.now() + ms;
    await new Promise((resolve) => {
      const frame = (now) => {
        times.push(now);
        if (now < end) requestAnimationFrame(frame);
        else resolve();
      };
      requestAnimationFrame(frame);
    });
    observer.disconnect();
    const gaps = times.slice(1).map((time, i) => time - times[i]);
    const perSecond = (1000 * gaps.length) / (times.at(-1) - times[0]);
    const [rounded, worst] = [Number(perSecond.toPrecision(3)), Math.round(Math.max(...gaps))];
    return { perSecond: rounded, longestMs: worst, longTasks: tasks.length };
  }, 1000 * seconds);

const folder = mkdtempSync(join(tmpdir(), "tributary-page-"));
const results = {};
for (const [engine, flags] of Object.entries(engines)) {
  const dataFolder = join(folder, engine);
  const coordinator = await startCoordinator({ host: "127.0.0.1", port: 0, logLevel: "silent", dataFolder });
  const post = async (path, body) => {
    const sent =
      body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } };
    const response = await fetch(`${coordinator.url}${path}`, { method: "POST", ...sent });
    if (!response.ok) throw new Error(await response.text());
    return response.json();
  };
  const { run } = await post("/v1/runs", spec);
  await post(`/v1/runs/${run}/start`);
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", ...flags] });
  const page = await browser.newPage();
  await page.goto(`${coordinator.url}/join/`);
  await page.getByRole("button", { name: "Draw the digits" }).click();
  await page.getByText("examples ready").waitFor();
  await page.getByText(/^About [\d,.]+ examples a second/).waitFor({ timeout: 180_000 });
  const before = await frames(page);
  await page.getByRole("button", { name: "Join", exact: true }).click();
  await page
    .getByRole("log")
    .getByText(/Round 1: sent the update/)
    .waitFor({ timeout: 180_000 });
  const training = await frames(page);
  const { round } = await (await fetch(`${coordinator.url}/v1/runs/${run}`)).json();
  const ratio = Number((training.perSecond / before.perSecond).toPrecision(3));
  results[engine] = { before, training, ratio, rounds: round };
  await browser.close();
  await coordinator.close();
}
rmSync(folder, { recursive: true });
if (json)
  console.log(JSON.stringify({ machine: { cpu: cpus()[0].model, node: process.versions.node, seconds }, results }));
else
  console.table(
    Object.fromEntries(
      Object.entries(results).map(([engine, { before, training, ratio }]) => [
        engine,
        {
          before: before.perSecond,
          training: training.perSecond,
          ratio,
          longestMs: training.longestMs,
          longTasks: training.longTasks,
        },
      ]),
    ),
  );
