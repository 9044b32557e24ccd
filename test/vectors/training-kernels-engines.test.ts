import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { promisify } from "node:util";
import { getKernel, registerKernel, unregisterKernel } from "@tensorflow/tfjs-core";
import { seededRandom } from "@tributary/algorithm";
import { chooseEngine, createTrainer, engineReport, parity, requireParity } from "@tributary/training";
import { expect, test } from "vitest";
import { testThatNeeds } from "../support/needs.ts";

const canResolve = (name: string) => {
  try {
    return createRequire(import.meta.url).resolve(name) !== "";
  } catch {
    return false;
  }
};

test("every engine of this platform is reported: what runs, and what would add what does not", async () => {
  const report = await engineReport();
  expect(report.map(({ engine }) => engine)).toEqual(["tensorflow-gpu", "tensorflow", "webgpu", "wasm", "cpu"]);
  const packages: Record<string, string> = {
    "tensorflow-gpu": "@tensorflow/tfjs-node-gpu",
    tensorflow: "@tensorflow/tfjs-node",
    webgpu: "webgpu",
  };
  for (const finding of report) {
    if (finding.present) continue;
    expect(finding.why).not.toBe("");
    const name = packages[finding.engine]!;
    if (!canResolve(name)) expect(finding.command).toContain(`npm install ${name}@`);
  }
  expect(report.filter(({ present }) => present).map(({ engine }) => engine)).toEqual(
    expect.arrayContaining(["wasm", "cpu"]),
  );
});

test("an engine that is not there is refused with the command that would add it", async () => {
  const absent = (await engineReport()).filter(({ present }) => !present);
  expect(absent.length).toBeGreaterThan(0);
  for (const finding of absent) {
    const message = `The engine "${finding.engine}" (${finding.what}) cannot run here: ${"why" in finding ? finding.why : ""}.`;
    await expect(chooseEngine({ force: finding.engine })).rejects.toThrow(message);
  }
});

test("the choice says which better engines were passed over, and why", async () => {
  const { engine, reason } = await chooseEngine();
  const report = await engineReport();
  const chosen = report.findIndex((finding) => finding.engine === engine);
  for (const finding of report.slice(0, chosen)) {
    expect(reason).toContain(`${finding.engine}: ${finding.present ? finding.drawback : finding.why}`);
  }
});

test("a model that no device builds is refused before any engine starts", async () => {
  const starting: string[] = [];
  const onStarting = (engine: string) => void starting.push(engine);
  const topology = {
    class_name: "Sequential",
    config: { name: "code", layers: [{ class_name: "Lambda", config: {} }] },
  };
  await expect(chooseEngine({ model: { topology }, onStarting })).rejects.toMatchObject({
    code: "topology_not_approved",
  });
  expect(starting).toEqual([]);
});

test("WebAssembly's step of every kind of layer is plain JavaScript's", async () => {
  const found = await requireParity("wasm");
  expect(found.difference).toBeLessThan(1e-5);
  expect(await parity("cpu")).toMatchObject({ difference: 0, agrees: true });
});

test("an engine that calculates wrongly is refused with the figures and the layers it was found with", async () => {
  await chooseEngine({ force: "wasm" });
  const own = getKernel("AvgPoolGrad", "wasm");
  unregisterKernel("AvgPoolGrad", "wasm");
  // A driver that forgets one gradient.
  registerKernel({
    ...own,
    kernelFunc: (given) =>
      getKernel("ZerosLike", "wasm").kernelFunc({ ...given, inputs: { x: given.inputs["input"]! } }),
  });
  try {
    const found = await parity("wasm");
    expect(found.agrees).toBe(false);
    expect(found.difference).toBeGreaterThan(found.tolerance);
    expect(found.layers.some((layer) => layer.startsWith("AveragePooling"))).toBe(true);
    await expect(requireParity("wasm")).rejects.toThrow(
      /The engine "wasm" calculates wrongly: a step of .*AveragePooling.* differs from plain JavaScript's by \d\.\de[+-]\d+/,
    );
    await expect(chooseEngine({ force: "wasm", proven: true })).rejects.toThrow("calculates wrongly");
    const { engine, reason, parity: proof } = await chooseEngine({ proven: true });
    expect({ engine, agrees: proof?.agrees }).toEqual({ engine: "cpu", agrees: true });
    expect(reason).toMatch(/wasm: The engine "wasm" calculates wrongly: .*AveragePooling.* by \d\.\de[+-]\d+/);
  } finally {
    unregisterKernel("AvgPoolGrad", "wasm");
    registerKernel(own);
  }
  expect((await parity("wasm")).agrees).toBe(true);
});

test("three hundred jobs of one trainer, and three hundred trainers, keep memory as it is", async () => {
  const data = { kind: "images" as const, shape: [8, 8, 1], target: "class" as const, classes: 3 };
  const make = () => createTrainer({ model: { preset: "cnn" }, data, engine: "wasm" });
  const trainer = await make();
  const weights = new Float32Array(trainer.parameters);
  const { signal } = new AbortController();
  const dataset = { examples: 4, shape: [8, 8, 1], classes: 3, batch: () => undefined };
  const job = { weights, data: dataset, epochs: 1, batchSize: 2, learningRate: 0.1, signal };
  const work = async () => {
    await trainer.train({ ...job, random: seededRandom(1, "order") });
    await trainer.evaluate({ weights, data: dataset, signal });
  };
  for (let i = 0; i < 10; i++) await work();
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < 300; i++) await work();
  // One copy of the weights is 1.6 MB: a leak of one for each job would be 500.
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50e6);
  for (let i = 0; i < 300; i++) expect((await make()).parameters).toBe(trainer.parameters);
});

const vulkan = "/usr/lib/chromium/vk_swiftshader_icd.json";
const lacking = canResolve("webgpu") ? vulkan : "the package webgpu";
testThatNeeds(
  canResolve("webgpu") && existsSync(vulkan) ? undefined : lacking,
  "WebGPU through Dawn takes the same step, and is left alone where only software would run it",
  async () => {
    const script = `
      import { chooseEngine, parity } from "@tributary/training";
      const { agrees, difference } = await parity("webgpu");
      console.log(JSON.stringify({ agrees, difference, chosen: await chooseEngine() }));`;
    const env = { ...process.env, LD_LIBRARY_PATH: "/usr/lib/chromium", VK_ICD_FILENAMES: vulkan };
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], { env });
    const { agrees, chosen } = JSON.parse(stdout) as { agrees: boolean; chosen: { engine: string; reason: string } };
    expect(agrees).toBe(true);
    expect(chosen.engine).toBe("wasm");
    expect(chosen.reason).toContain("webgpu: WebGPU has no graphics processor here, only software (SwiftShader");
  },
);
