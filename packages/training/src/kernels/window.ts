/** How a convolution's or pool's window moves over images; fields in the order that the kernels read them in. */
export interface Window {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** Channels of the output. */
  readonly filters: number;
  readonly windowHeight: number;
  readonly windowWidth: number;
  readonly strideY: number;
  readonly strideX: number;
  readonly padTop: number;
  readonly padLeft: number;
  readonly outHeight: number;
  readonly outWidth: number;
}

/** Integers that a window takes in memory. */
export const windowLength = 13;

/** Writes `window` at `address` for the kernels to read. */
export function writeWindow(window: Window, memory: ArrayBufferLike, address: number): void {
  const { batch, height, width, channels, filters, windowHeight, windowWidth, strideY, strideX } = window;
  const { padTop, padLeft, outHeight, outWidth } = window;
  new Int32Array(memory, address, windowLength).set(
    [batch, height, width, channels, filters, windowHeight, windowWidth, strideY, strideX].concat([
      padTop,
      padLeft,
      outHeight,
      outWidth,
    ]),
  );
}
