// Gradients of a depthwise convolution: filter[windowHeight × windowWidth × channels × multiplier], the output's channel
// c · multiplier + m. One multiplication for every load: bound by memory, so nothing is packed.
import { imageFloats, windowAt } from "./window";

/** Adds dy · factor to `into` for every tap: kernel to dx where `toInput`, image to dkernel otherwise. */
function walk(shape: usize, dy: usize, factor: usize, into: usize, toInput: bool): void {
  const s = windowAt(shape);
  const multiplier = s.filters / s.channels;
  const pixel = (<usize>s.channels) << 2;
  const outPixel = (<usize>s.filters) << 2;
  for (let n = 0; n < s.batch; n++) {
    for (let oy = 0; oy < s.outHeight; oy++) {
      for (let ox = 0; ox < s.outWidth; ox++, dy += outPixel) {
        for (let ky = 0; ky < s.windowHeight; ky++) {
          const y = oy * s.strideY - s.padTop + ky;
          if (y < 0 || y >= s.height) continue;
          for (let kx = 0; kx < s.windowWidth; kx++) {
            const x = ox * s.strideX - s.padLeft + kx;
            if (x < 0 || x >= s.width) continue;
            const atPixel = <usize>((n * s.height + y) * s.width + x) * pixel;
            const atTap = <usize>(ky * s.windowWidth + kx) * outPixel;
            if (toInput) tapToInput(s.channels, multiplier, dy, factor + atTap, into + atPixel);
            else tapToKernel(s.channels, multiplier, dy, factor + atPixel, into + atTap);
          }
        }
      }
    }
  }
}

function tapToInput(channels: i32, multiplier: i32, dy: usize, kernel: usize, dx: usize): void {
  let c = 0;
  if (multiplier === 1) {
    for (; c + 4 <= channels; c += 4, dy += 16, kernel += 16, dx += 16) {
      v128.store(dx, f32x4.add(v128.load(dx), f32x4.mul(v128.load(dy), v128.load(kernel))));
    }
  }
  for (; c < channels; c++, dx += 4) {
    let sum = load<f32>(dx);
    for (let m = 0; m < multiplier; m++, dy += 4, kernel += 4) sum += load<f32>(dy) * load<f32>(kernel);
    store<f32>(dx, sum);
  }
}

function tapToKernel(channels: i32, multiplier: i32, dy: usize, x: usize, dkernel: usize): void {
  let c = 0;
  if (multiplier === 1) {
    for (; c + 4 <= channels; c += 4, dy += 16, x += 16, dkernel += 16) {
      v128.store(dkernel, f32x4.add(v128.load(dkernel), f32x4.mul(v128.load(dy), v128.load(x))));
    }
  }
  for (; c < channels; c++, x += 4) {
    const value = load<f32>(x);
    for (let m = 0; m < multiplier; m++, dy += 4, dkernel += 4) {
      store<f32>(dkernel, load<f32>(dkernel) + load<f32>(dy) * value);
    }
  }
}

/** dx = the gradient by the depthwise convolution's input. */
export function depthwiseInput(shape: usize, dy: usize, kernel: usize, dx: usize): void {
  const s = windowAt(shape);
  memory.fill(dx, 0, (<usize>(s.batch * imageFloats(s))) << 2);
  walk(shape, dy, kernel, dx, true);
}

/** dkernel = the gradient by the depthwise convolution's kernel. */
export function depthwiseKernel(shape: usize, x: usize, dy: usize, dkernel: usize): void {
  const s = windowAt(shape);
  memory.fill(dkernel, 0, (<usize>(s.windowHeight * s.windowWidth * s.filters)) << 2);
  walk(shape, dy, x, dkernel, false);
}
