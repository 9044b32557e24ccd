// Convolutions without im2col. Each image is copied once between borders of zeros; one row of a window is then one
// stretch of memory, which the row kernels walk as it lies. The gradient by the input is a convolution too, of the output
// gradient spread out by the strides, with the kernel turned round; the one by the kernel is a product whose inner
// dimension is an image's pixels.
import { finishTile, stripOfPanels } from "./matmul";
import { packPanels, packTransposed } from "./pack";
import { rows4 } from "./tile";
import { imageFloats, outFloats, scratchHead, tileAt, windowAt } from "./window";

/** Pixels at a time of the kernel's gradient: a panel of them fits a first-level cache. */
const blockPixels: i32 = 512;

function roundUp(columns: i32): i32 {
  return (columns + 7) & ~7;
}

/** Bytes of scratch memory that the three functions below need for this window. */
export function convolutionScratch(shape: usize): usize {
  const s = windowAt(shape);
  const taps = s.windowHeight * s.windowWidth;
  const offsets = max(s.outHeight * s.outWidth, s.height * s.width);
  const forward = ((s.outHeight - 1) * s.strideY + s.windowHeight) * ((s.outWidth - 1) * s.strideX + s.windowWidth);
  const backward = (s.height + s.windowHeight - 1) * (s.width + s.windowWidth - 1);
  const image = max(forward * s.channels, backward * s.filters);
  const panels = max(
    taps * max(s.channels * roundUp(s.filters), s.filters * roundUp(s.channels)),
    blockPixels * (roundUp(s.filters) + 4),
  );
  return scratchHead + 64 + ((<usize>(offsets + image + panels)) << 2);
}

/** 16 bytes is a vector. */
function align(address: usize): usize {
  return (address + 15) & ~15;
}

/** Copies an image into a larger one of zeros, its pixels `stepY` and `stepX` apart from (top, left) on. */
function spread(
  source: usize,
  height: i32,
  width: i32,
  channels: i32,
  target: usize,
  targetHeight: i32,
  targetWidth: i32,
  top: i32,
  left: i32,
  stepY: i32,
  stepX: i32,
): void {
  const pixel = (<usize>channels) << 2;
  const row = <usize>targetWidth * pixel;
  memory.fill(target, 0, <usize>targetHeight * row);
  // What lies beyond the last window is left out.
  const columns = min(width, (targetWidth - left + stepX - 1) / stepX);
  for (let y = 0; y < height; y++) {
    const into = y * stepY + top;
    if (into >= targetHeight) break;
    let to = target + <usize>into * row + <usize>left * pixel;
    let from = source + <usize>(y * width) * pixel;
    if (stepX === 1) memory.copy(to, from, <usize>columns * pixel);
    else {
      for (let x = 0; x < columns; x++) {
        memory.copy(to, from, pixel);
        to += <usize>stepX * pixel;
        from += pixel;
      }
    }
  }
}

/** Where in an image of rows `row` bytes long the windows of all output pixels begin. */
function windowOffsets(offsets: usize, outHeight: i32, outWidth: i32, stepY: usize, stepX: usize): void {
  for (let y = 0; y < outHeight; y++) {
    let at = <usize>y * stepY;
    for (let x = 0; x < outWidth; x++) {
      store<u32>(offsets, <u32>at);
      offsets += 4;
      at += stepX;
    }
  }
}

/** y[pixels × filters] = start + windows of `image` · panels. A window is `segments` stretches of `bytes` bytes. */
function correlate(
  image: usize,
  offsets: usize,
  pixels: i32,
  segments: i32,
  bytes: usize,
  row: usize,
  panels: usize,
  filters: i32,
  start: usize,
  startStep: usize,
  y: usize,
  relu: bool,
  scratch: usize,
): void {
  const stepY = (<usize>filters) << 2;
  const panelBytes = (<usize>segments * bytes) << 3;
  const tile = scratch + tileAt;
  const gap = row - bytes;
  for (let j = 0; j < filters; j += 8, panels += panelBytes) {
    const columns = min(8, filters - j);
    const across = (<usize>j) << 2;
    for (let i = 0; i < pixels; i += 4) {
      const rows = min(4, pixels - i);
      const at = offsets + ((<usize>i) << 2);
      const a0 = image + load<u32>(at);
      const a1 = rows > 1 ? image + load<u32>(at, 4) : a0;
      const a2 = rows > 2 ? image + load<u32>(at, 8) : a0;
      const a3 = rows > 3 ? image + load<u32>(at, 12) : a0;
      const from = start + <usize>i * startStep + across;
      const to = y + <usize>i * stepY + across;
      if (rows === 4 && columns === 8) {
        rows4(a0, a1, a2, a3, segments, bytes, gap, panels, from, startStep, to, stepY, relu);
      } else {
        rows4(a0, a1, a2, a3, segments, bytes, gap, panels, scratch, 0, tile, 32, false);
        finishTile(tile, rows, columns, from, startStep, to, stepY, relu);
      }
    }
  }
}

/** y = x ⋆ kernel + bias, floored at 0 where `relu`. A bias of address 0 is none. */
export function convolve(
  shape: usize,
  x: usize,
  kernel: usize,
  bias: usize,
  y: usize,
  relu: bool,
  scratch: usize,
): void {
  const s = windowAt(shape);
  memory.fill(scratch, 0, 32);
  const pixels = s.outHeight * s.outWidth;
  const height = (s.outHeight - 1) * s.strideY + s.windowHeight;
  const width = (s.outWidth - 1) * s.strideX + s.windowWidth;
  const offsets = scratch + scratchHead;
  const padded = align(offsets + ((<usize>pixels) << 2));
  const panels = align(padded + ((<usize>(height * width * s.channels)) << 2));
  const bytes = (<usize>(s.windowWidth * s.channels)) << 2;
  const row = (<usize>(width * s.channels)) << 2;
  windowOffsets(offsets, s.outHeight, s.outWidth, <usize>s.strideY * row, (<usize>(s.strideX * s.channels)) << 2);
  const inner = s.windowHeight * s.windowWidth * s.channels;
  packPanels(kernel, (<usize>s.filters) << 2, inner, 0, s.filters, panels);
  const imageBytes = (<usize>imageFloats(s)) << 2;
  const outBytes = (<usize>outFloats(s)) << 2;
  for (let n = 0; n < s.batch; n++, x += imageBytes, y += outBytes) {
    let image = x;
    if (height !== s.height || width !== s.width || s.padTop !== 0 || s.padLeft !== 0) {
      spread(x, s.height, s.width, s.channels, padded, height, width, s.padTop, s.padLeft, 1, 1);
      image = padded;
    }
    let start = bias;
    let startStep: usize = 0;
    if (bias === 0) {
      memory.fill(y, 0, outBytes);
      start = y;
      startStep = (<usize>s.filters) << 2;
    }
    correlate(
      image,
      offsets,
      pixels,
      s.windowHeight,
      bytes,
      row,
      panels,
      s.filters,
      start,
      startStep,
      y,
      relu,
      scratch,
    );
  }
}

/** dx = the gradient by the convolution's input, from dy by its output. */
export function convolveInput(shape: usize, dy: usize, kernel: usize, dx: usize, scratch: usize): void {
  const s = windowAt(shape);
  memory.fill(scratch, 0, 32);
  const pixels = s.height * s.width;
  const height = s.height + s.windowHeight - 1;
  const width = s.width + s.windowWidth - 1;
  const offsets = scratch + scratchHead;
  const padded = align(offsets + ((<usize>pixels) << 2));
  const panels = align(padded + ((<usize>(height * width * s.filters)) << 2));
  const bytes = (<usize>(s.windowWidth * s.filters)) << 2;
  const row = (<usize>(width * s.filters)) << 2;
  windowOffsets(offsets, s.height, s.width, row, (<usize>s.filters) << 2);
  const taps = s.windowHeight * s.windowWidth;
  const tap = (<usize>(s.channels * s.filters)) << 2;
  const panelBytes = (<usize>(taps * s.filters)) << 5;
  for (let t = 0; t < taps; t++) {
    const into = panels + ((<usize>(t * s.filters)) << 5);
    packTransposed(
      kernel + <usize>(taps - 1 - t) * tap,
      (<usize>s.filters) << 2,
      s.filters,
      0,
      s.channels,
      into,
      panelBytes,
    );
  }
  const top = s.windowHeight - 1 - s.padTop;
  const left = s.windowWidth - 1 - s.padLeft;
  const imageBytes = (<usize>imageFloats(s)) << 2;
  const outBytes = (<usize>outFloats(s)) << 2;
  memory.fill(dx, 0, <usize>s.batch * imageBytes);
  for (let n = 0; n < s.batch; n++, dx += imageBytes, dy += outBytes) {
    spread(dy, s.outHeight, s.outWidth, s.filters, padded, height, width, top, left, s.strideY, s.strideX);
    const stepX = (<usize>s.channels) << 2;
    correlate(padded, offsets, pixels, s.windowHeight, bytes, row, panels, s.channels, dx, stepX, dx, false, scratch);
  }
}

/** dkernel += scale · the gradient by the convolution's kernel. */
export function convolveKernel(shape: usize, x: usize, dy: usize, scale: f32, dkernel: usize, scratch: usize): void {
  const s = windowAt(shape);
  memory.fill(scratch, 0, 32);
  const pixels = s.outHeight * s.outWidth;
  const height = (s.outHeight - 1) * s.strideY + s.windowHeight;
  const width = (s.outWidth - 1) * s.strideX + s.windowWidth;
  const offsets = scratch + scratchHead;
  const padded = align(offsets + ((<usize>pixels) << 2));
  const panels = align(padded + ((<usize>(height * width * s.channels)) << 2));
  const strip = panels + ((<usize>(blockPixels * roundUp(s.filters))) << 2);
  const row = (<usize>(width * s.channels)) << 2;
  windowOffsets(offsets, s.outHeight, s.outWidth, <usize>s.strideY * row, (<usize>(s.strideX * s.channels)) << 2);
  const rowFloats = s.windowWidth * s.channels;
  const step = (<usize>s.filters) << 2;
  const imageBytes = (<usize>imageFloats(s)) << 2;
  const outBytes = (<usize>outFloats(s)) << 2;
  for (let n = 0; n < s.batch; n++, x += imageBytes, dy += outBytes) {
    spread(x, s.height, s.width, s.channels, padded, height, width, s.padTop, s.padLeft, 1, 1);
    for (let p = 0; p < pixels; p += blockPixels) {
      const inner = min(blockPixels, pixels - p);
      packPanels(dy + <usize>p * step, step, inner, 0, s.filters, panels);
      let into = dkernel;
      for (let ky = 0; ky < s.windowHeight; ky++) {
        for (let r = 0; r < rowFloats; r += 4) {
          const rows = min(4, rowFloats - r);
          gather4(padded + <usize>ky * row + ((<usize>r) << 2), offsets + ((<usize>p) << 2), inner, rows, strip);
          stripOfPanels(rows, inner, 0, s.filters, strip, panels, scale, into, step, into, step, scratch);
          into += <usize>rows * step;
        }
      }
    }
  }
}

/** Four (or fewer) neighbouring floats at each offset, one after the other. */
function gather4(image: usize, offsets: usize, count: i32, columns: i32, strip: usize): void {
  const end = strip + ((<usize>count) << 4);
  if (columns === 4) {
    for (; strip < end; strip += 16, offsets += 4) v128.store(strip, v128.load(image + load<u32>(offsets)));
    return;
  }
  const bytes = (<usize>columns) << 2;
  for (; strip < end; strip += 16, offsets += 4) {
    const from = image + load<u32>(offsets);
    v128.store(strip, f32x4.splat(0));
    for (let at: usize = 0; at < bytes; at += 4) store<f32>(strip + at, load<f32>(from + at));
  }
}
