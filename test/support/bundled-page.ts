import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { onTestFinished } from "vitest";
import { openPage } from "./browser-chromium.ts";

/** A module of this folder in a page of a secure origin, with all that it brings along, once it has set `globalThis.tributary`. */
export async function bundledPage(module: string, flags: readonly string[]): Promise<Page> {
  const { build } = await import("vite");
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const entry = fileURLToPath(new URL(module, import.meta.url));
  const built = await build({
    ...{ root, configFile: false, logLevel: "silent" },
    resolve: { conditions: ["source", "module", "browser", "development|production"] },
    build: { write: false, minify: false, target: "es2022", lib: { entry, formats: ["es"], fileName: "module" } },
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
