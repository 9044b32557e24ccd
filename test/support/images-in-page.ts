import { imageReader } from "../../apps/browser-client/src/training/image-folders.ts";

// What a test bundles for a page, to read images as the page's worker does.

/** An image's values in a shape, as bytes. */
async function bytesOf(image: readonly number[], shape: [number, number, number]): Promise<number[]> {
  const values = await imageReader(shape)(new File([Uint8Array.from(image)], "image.png"), "image.png");
  return Array.from(values, (value) => 255 * value);
}

const tributary = { bytesOf };
export type ImagesInPage = typeof tributary;
Object.assign(globalThis, { tributary });
