import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished } from "vitest";
import { browserTest, chromiumFlags, openPage } from "../support/browser-chromium.ts";
import type { TrainingInPage } from "../support/training-in-page.ts";

/** The training package in a page of a secure origin, as `globalThis.tributary`, with all that it brings along. */
async function pageWithTraining(flags: readonly string[]) {
  const { build } = await import("vite");
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const entry = fileURLToPath(new URL("../support/training-in-page.ts", import.meta.url));
  const built = await build({
    ...{ root, configFile: false, logLevel: "silent" },
    resolve: { conditions: ["source", "module", "browser", "development|production"] },
    build: { write: false, minify: false, target: "es2022", lib: { entry, formats: ["es"], fileName: "training" } },
  });
  const { output } = (Array.isArray(built) ? built[0]! : built) as {
    output: readonly { type: string; fileName: string; code?: string }[];
  };
  const files = new Map(output.map(({ fileName, code }) => [`/${fileName}`, code ?? ""]));
  const main = output.find((chunk) => "isEntry" in chunk && chunk.isEntry)!;
  const server = createServer((request, response) => {
    const script = files.get(request.url!);
    response.setHeader("content-type", script === undefined ? "text/html" : "text/javascript");
    response.end(script ?? `<!doctype html><script type="module" src="/${main.fileName}"></script>`);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const { page } = await openPage(flags);
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  await page.waitForFunction(() => "tributary" in globalThis);
  return page;
}

browserTest(
  "WebGPU in Chromium learns the 2NN as plain JavaScript does, and takes its step of every kind of layer",
  async () => {
    const page = await pageWithTraining(chromiumFlags.webgpu);
    const found = await page.evaluate(async () => {
      const { parity, losses } = (globalThis as unknown as { tributary: TrainingInPage }).tributary;
      return { proof: await parity("webgpu"), webgpu: await losses("webgpu", 50), cpu: await losses("cpu", 50) };
    });
    expect(found.proof).toMatchObject({ engine: "webgpu", agrees: true });
    expect(found.webgpu).toHaveLength(50);
    expect(found.webgpu.at(-1)).toBeLessThan(found.webgpu[0]!);
    for (const [step, loss] of found.webgpu.entries())
      expect(Math.abs(loss - found.cpu[step]!), `step ${step}`).toBeLessThan(1e-3);
  },
  // SwiftShader compiles every shader on the processor.
  300_000,
);
