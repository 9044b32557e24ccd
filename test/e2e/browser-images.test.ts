import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openData } from "@tributary/training/node";
import { expect } from "vitest";
import { browserTest, chromiumFlags } from "../support/browser-chromium.ts";
import { bundledPage } from "../support/bundled-page.ts";
import { dataFolder } from "../support/data-folder.ts";
import type { ImagesInPage } from "../support/images-in-page.ts";
import { clearPng } from "../support/png.ts";

const side = 32;
/** Black ink on transparent paper, every alpha and many colours. */
const pixels = Uint8Array.from({ length: side * side * 4 }, (_, i) => {
  const [pixel, channel] = [Math.floor(i / 4), i % 4];
  return channel === 3 ? pixel % 256 : pixel < 256 ? 0 : (pixel * (37 + 20 * channel)) % 256;
});

browserTest("a page reads a transparent image as a Node device does, in grey and in colour", async () => {
  const image = clearPng(side, side, pixels);
  const folder = await dataFolder();
  for (const name of ["a", "b"]) {
    await mkdir(join(folder, name));
    await writeFile(join(folder, name, "1.png"), image);
  }
  const page = await bundledPage("images-in-page.ts", chromiumFlags.wasm);
  for (const channels of [1, 3]) {
    const { dataset } = await openData({ source: `images:${folder}?size=${side}x${side}x${channels}` });
    const features = new Float32Array(side * side * channels);
    await dataset.batch(Uint32Array.of(0), features, new Int32Array(1));
    const inNode = Array.from(features, (value) => Math.round(255 * value));
    const inPage = await page.evaluate(
      ({ bytes, shape }) => {
        const { tributary } = globalThis as unknown as { tributary: ImagesInPage };
        return tributary.bytesOf(bytes, shape);
      },
      { bytes: [...image], shape: [side, side, channels] as [number, number, number] },
    );
    expect(inNode.slice(0, channels)).toEqual(Array(channels).fill(255));
    expect(inPage.map(Math.round)).toEqual(inNode);
  }
});
