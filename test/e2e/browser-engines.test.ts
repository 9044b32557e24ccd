import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { routes } from "@tributary/protocol";
import { createTrainer, digits, partition, subset } from "@tributary/training";
import { expect, onTestFinished } from "vitest";
import { browserTest, chromiumFlags, openPage } from "../support/browser-chromium.ts";
import {
  chooseDigits,
  digitsSpec,
  endlessAlone,
  engineShown,
  startCoordinator,
} from "../support/browser-federation.ts";
import { staticHost } from "../support/static-host.ts";

const layer = (class_name: string, config: object) => ({ class_name, config });
const convolutional = {
  topology: {
    class_name: "Sequential",
    config: {
      name: "small",
      layers: [
        layer("Conv2D", {
          ...{ name: "convolution", filters: 4, kernel_size: [3, 3], strides: [1, 1], padding: "same" },
          ...{ activation: "relu", batch_input_shape: [null, 28, 28, 1] },
        }),
        layer("MaxPooling2D", { name: "pool", pool_size: [2, 2], strides: [2, 2], padding: "valid" }),
        layer("Flatten", { name: "flatten" }),
        layer("Dense", { name: "output", units: 10, activation: "softmax" }),
      ],
    },
  },
};
const dense = { preset: "mlp", hidden: [20] };

for (const [engine, name, model, why] of [
  ["webgpu", "WebGPU", convolutional, /TensorFlow.js on WebGPU/],
  ["webgl", "WebGL", convolutional, /webgpu.*: WebGPU finds no graphics adapter/],
  ["wasm", "WebAssembly", dense, /WebGPU finds no graphics adapter; webgl.*: this browser offers no WebGL 2/],
  // The WebAssembly engine's files do not arrive.
  ["cpu", "plain JavaScript", dense, /wasm.*: its files could not be fetched/],
] as const) {
  browserTest(
    `${name} in a page takes the step that plain JavaScript takes in Node, and the page says why it is used`,
    async () => {
      const coordinator = await startCoordinator();
      const { run } = await coordinator.startRun({
        // One step on the whole shard: the order of the examples, which each device draws for itself, does not matter.
        algorithm: { name: "fedavg", epochs: 1, batchSize: "all", learningRate: 0.5 },
        ...{
          model,
          cohort: { size: 1, minimum: 1, overSelect: 1 },
          evaluation: { on: "nowhere" },
          stop: { rounds: 1 },
        },
      });
      const weights = async (version: number) => {
        const response = await fetch(`${coordinator.url}${routes.modelWeights(run, version)}`);
        return new Float32Array(await response.arrayBuffer());
      };
      const before = await weights(0);

      const { page } = await openPage(chromiumFlags[engine === "cpu" ? "wasm" : engine]);
      if (engine === "cpu") await page.route("**/*.wasm", (route) => route.abort());
      await page.goto(`${coordinator.url}/join`);
      await chooseDigits(page, { device: 1, of: 3 });
      const shown = await engineShown(page);
      expect(shown).toContain(`Trains on ${name}`);
      expect(shown).toMatch(why);
      expect(shown).toMatch(
        /It calculates rightly: a training step on it is within \d\.\de[+-]\d+ of plain JavaScript's/,
      );
      await page.getByRole("button", { name: "Join" }).click();
      expect((await coordinator.rounds(run))[0]!.survivors).toHaveLength(1);
      expect((await coordinator.clientNamed("browser")).engine).toBe(engine);

      const all = digits({ count: 1000, seed: 0, split: "train" });
      const shard = subset(all, partition("dominant:2", all.labels, { clients: 3, random: 0 })[0]!);
      const reference = await createTrainer({ model: model as never, data: digitsSpec.data as never, engine: "cpu" });
      const expected = await reference.train({
        ...{ weights: before, data: shard, epochs: 1, batchSize: Number.POSITIVE_INFINITY, learningRate: 0.5 },
        random: { permutation: (n: number) => Uint32Array.from({ length: n }, (_, i) => i) } as never,
        signal: new AbortController().signal,
      });
      const after = await weights(1);
      const furthest = (a: Float32Array, b: Float32Array) =>
        a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
      expect(furthest(after, before)).toBeGreaterThan(1e-2);
      expect(furthest(after, expected.weights)).toBeLessThan(1e-4);
    },
    // Chromium's software renderer has been seen to stand still for a minute; what a page does then is tested below.
    { retry: engine === "webgl" ? 1 : 0 },
  );
}

/** A coordinator, and another host whose copy of the page has the one file of the training worker changed that can be. */
async function withBrokenDriver(change: (code: string) => string) {
  const built = join(
    dirname(createRequire(import.meta.url).resolve("@tributary/browser-client/package.json")),
    "dist/page",
  );
  const broken = mkdtempSync(join(tmpdir(), "tributary-page-"));
  onTestFinished(() => rmSync(broken, { recursive: true }));
  cpSync(built, broken, { recursive: true });
  let changed = 0;
  for (const name of readdirSync(join(broken, "assets/worker")).filter((file) => file.endsWith(".js"))) {
    const path = join(broken, "assets/worker", name);
    const code = readFileSync(path, "utf8");
    if (change(code) === code) continue;
    writeFileSync(path, change(code));
    changed += 1;
  }
  expect(changed).toBe(1);
  const host = await staticHost(broken);
  const coordinator = await startCoordinator("--allow-origin", host.url);
  return { coordinator, address: `${host.url}/?coordinator=${coordinator.url}` };
}

browserTest("an engine that calculates wrongly is passed over, with the figures, for the next", async () => {
  // What a broken driver would do, done to the code: WebGPU's rectifier lets a tenth of what it should hold back through.
  const { coordinator, address } = await withBrokenDriver((code) => {
    const rectifier = "select(a, vec4<f32>(0.0), a < vec4<f32>(0.0))";
    if (!code.includes(rectifier)) return code;
    return code
      .replaceAll(rectifier, "select(a, 0.1 * a, a < vec4<f32>(0.0))")
      .replaceAll("select(a, 0.0, a < 0.0)", "select(a, 0.1 * a, a < 0.0)");
  });
  await coordinator.startRun();
  const { page } = await openPage(chromiumFlags.webgpu);
  await page.goto(address);
  await page.getByText(/^Trains on (WebGL: .*SwiftShader|WebAssembly$)/).waitFor({ timeout: 120_000 });
  const shown = await engineShown(page);
  expect(shown).toMatch(
    /webgpu: The engine "webgpu" calculates wrongly: a step of .* differs from plain JavaScript's by \d\.\de[+-]\d+/,
  );
  expect(shown).toContain("It calculates rightly");
  await page.getByText(/^About [\d,.]+ examples a second/).waitFor();
});

browserTest(
  "an engine in whose driver everything stands still is passed over, and what was chosen is read anew",
  async () => {
    const { coordinator, address } = await withBrokenDriver((code) =>
      code.replace(/await \w+\.gpu\.requestAdapter\(\)/, "await (()=>{for(;;);})()"),
    );
    const { run } = await coordinator.startRun(endlessAlone);
    const { page } = await openPage(chromiumFlags.wasm);
    await page.goto(address);
    await page.getByText("Starting WebGPU").waitFor();
    await chooseDigits(page, { device: 1, of: 3 });
    const shown = await engineShown(page);
    expect(shown).toContain("Trains on WebAssembly");
    expect(shown).toContain("webgpu: it stood still when it was started");
    await page.getByRole("button", { name: "Join" }).click();
    await expect
      .poll(async () => (await coordinator.get<{ round: number }>(`/v1/runs/${run}`)).round)
      .toBeGreaterThan(0);
    // The one that stands still is gone, too.
    await expect.poll(() => page.workers()).toHaveLength(2);
  },
);
