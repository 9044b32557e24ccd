import { expect } from "vitest";
import { browserTest, chromiumFlags } from "../support/browser-chromium.ts";
import { bundledPage } from "../support/bundled-page.ts";
import type { TrainingInPage } from "../support/training-in-page.ts";

browserTest(
  "WebGPU in Chromium learns the 2NN as plain JavaScript does, and takes its step of every kind of layer",
  async () => {
    const page = await bundledPage("training-in-page.ts", chromiumFlags.webgpu);
    const found = await page.evaluate(async () => {
      const { parity, losses } = (globalThis as unknown as { tributary: TrainingInPage }).tributary;
      return { proof: await parity("webgpu"), webgpu: await losses("webgpu", 20), cpu: await losses("cpu", 20) };
    });
    expect(found.proof).toMatchObject({ engine: "webgpu", agrees: true });
    expect(found.webgpu).toHaveLength(20);
    expect(found.webgpu.at(-1)).toBeLessThan(found.webgpu[0]!);
    for (const [step, loss] of found.webgpu.entries())
      expect(Math.abs(loss - found.cpu[step]!), `step ${step}`).toBeLessThan(1e-3);
  },
  // SwiftShader compiles every shader on the processor.
  { timeout: 300_000 },
);
