// Pooling, four channels at a time. What lies outside the image belongs to no window.
import { imageFloats, windowAt } from "./window";

/** The largest value of each window. */
export function maxPool(shape: usize, x: usize, y: usize): void {
  const s = windowAt(shape);
  const pixel = (<usize>s.channels) << 2;
  const row = <usize>s.width * pixel;
  const imageBytes = (<usize>imageFloats(s)) << 2;
  const whole = pixel & ~15;
  for (let n = 0; n < s.batch; n++, x += imageBytes) {
    for (let oy = 0; oy < s.outHeight; oy++) {
      const top = max(0, oy * s.strideY - s.padTop);
      const bottom = min(s.height, oy * s.strideY - s.padTop + s.windowHeight);
      for (let ox = 0; ox < s.outWidth; ox++, y += pixel) {
        const left = max(0, ox * s.strideX - s.padLeft);
        const right = min(s.width, ox * s.strideX - s.padLeft + s.windowWidth);
        const first = x + <usize>top * row + <usize>left * pixel;
        const across = <usize>(right - left) * pixel;
        const past = x + <usize>bottom * row;
        let c: usize = 0;
        for (; c < whole; c += 16) {
          let most = f32x4.splat(-Infinity);
          for (let line = first + c; line < past; line += row) {
            for (let at = line; at < line + across; at += pixel) most = f32x4.pmax(most, v128.load(at));
          }
          v128.store(y + c, most);
        }
        for (; c < pixel; c += 4) {
          let most: f32 = -Infinity;
          for (let line = first + c; line < past; line += row) {
            for (let at = line; at < line + across; at += pixel) {
              const value = load<f32>(at);
              if (value > most) most = value;
            }
          }
          store<f32>(y + c, most);
        }
      }
    }
  }
}

/** dx = dy at the first place in each window where x is the window's largest value y, summed over windows. */
export function maxPoolGradient(shape: usize, x: usize, y: usize, dy: usize, dx: usize): void {
  const s = windowAt(shape);
  const pixel = (<usize>s.channels) << 2;
  const row = <usize>s.width * pixel;
  const imageBytes = (<usize>imageFloats(s)) << 2;
  const whole = pixel & ~15;
  memory.fill(dx, 0, <usize>s.batch * imageBytes);
  for (let n = 0; n < s.batch; n++, x += imageBytes, dx += imageBytes) {
    for (let oy = 0; oy < s.outHeight; oy++) {
      const top = max(0, oy * s.strideY - s.padTop);
      const bottom = min(s.height, oy * s.strideY - s.padTop + s.windowHeight);
      for (let ox = 0; ox < s.outWidth; ox++, y += pixel, dy += pixel) {
        const left = max(0, ox * s.strideX - s.padLeft);
        const right = min(s.width, ox * s.strideX - s.padLeft + s.windowWidth);
        const first = <usize>top * row + <usize>left * pixel;
        const across = <usize>(right - left) * pixel;
        const past = <usize>bottom * row;
        let c: usize = 0;
        for (; c < whole; c += 16) {
          const most = v128.load(y + c);
          // What is still to be given away: nothing after the first place that takes it.
          let gradient = v128.load(dy + c);
          for (let line = first + c; line < past; line += row) {
            for (let at = line; at < line + across; at += pixel) {
              const here = f32x4.eq(v128.load(x + at), most);
              v128.store(dx + at, f32x4.add(v128.load(dx + at), v128.and(gradient, here)));
              gradient = v128.andnot(gradient, here);
            }
          }
        }
        for (; c < pixel; c += 4) {
          const most = load<f32>(y + c);
          let gradient = load<f32>(dy + c);
          for (let line = first + c; line < past; line += row) {
            for (let at = line; at < line + across; at += pixel) {
              if (load<f32>(x + at) === most) {
                store<f32>(dx + at, load<f32>(dx + at) + gradient);
                gradient = 0;
              }
            }
          }
        }
      }
    }
  }
}

/** dx = dy · scale at every place of each window, summed over windows. */
export function averagePoolGradient(shape: usize, dy: usize, scale: f32, dx: usize): void {
  const s = windowAt(shape);
  const pixel = (<usize>s.channels) << 2;
  const row = <usize>s.width * pixel;
  const imageBytes = (<usize>imageFloats(s)) << 2;
  memory.fill(dx, 0, <usize>s.batch * imageBytes);
  for (let n = 0; n < s.batch; n++, dx += imageBytes) {
    for (let oy = 0; oy < s.outHeight; oy++) {
      const top = max(0, oy * s.strideY - s.padTop);
      const bottom = min(s.height, oy * s.strideY - s.padTop + s.windowHeight);
      for (let ox = 0; ox < s.outWidth; ox++, dy += pixel) {
        const left = max(0, ox * s.strideX - s.padLeft);
        const right = min(s.width, ox * s.strideX - s.padLeft + s.windowWidth);
        const first = dx + <usize>top * row + <usize>left * pixel;
        const across = <usize>(right - left) * pixel;
        const past = dx + <usize>bottom * row;
        for (let c: usize = 0; c < pixel; c += 4) {
          const gradient = load<f32>(dy + c) * scale;
          for (let line = first + c; line < past; line += row) {
            for (let at = line; at < line + across; at += pixel) store<f32>(at, load<f32>(at) + gradient);
          }
        }
      }
    }
  }
}
