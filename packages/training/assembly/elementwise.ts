/** y += scale · x, `length` elements each. */
export function addScaled(length: i32, scale: f32, x: usize, y: usize): void {
  const factor = f32x4.splat(scale);
  const end = y + ((<usize>length) << 2);
  const whole = y + ((<usize>(length & ~3)) << 2);
  for (; y < whole; x += 16, y += 16) v128.store(y, f32x4.add(v128.load(y), f32x4.mul(factor, v128.load(x))));
  for (; y < end; x += 4, y += 4) store<f32>(y, load<f32>(y) + scale * load<f32>(x));
}

/** dx = dy where y > 0, else 0: the gradient of the rectifier whose output is y. `dx` may be `dy`. */
export function rectifierGradient(length: i32, y: usize, dy: usize, dx: usize): void {
  const end = y + ((<usize>length) << 2);
  const whole = y + ((<usize>(length & ~3)) << 2);
  const zero = f32x4.splat(0);
  for (; y < whole; y += 16, dy += 16, dx += 16) {
    v128.store(dx, v128.and(v128.load(dy), f32x4.gt(v128.load(y), zero)));
  }
  for (; y < end; y += 4, dy += 4, dx += 4) store<f32>(dx, load<f32>(y) > 0 ? load<f32>(dy) : 0);
}

/** sums[n] += scale · the sums of the columns of x[m × n]: a bias's gradient, or its step. */
export function addColumnSums(m: i32, n: i32, x: usize, scale: f32, sums: usize): void {
  const step = (<usize>n) << 2;
  const factor = f32x4.splat(scale);
  let j = 0;
  // Whole cache lines: sixteen columns.
  for (; j + 16 <= n; j += 16) {
    let at = x + ((<usize>j) << 2);
    let a = f32x4.splat(0);
    let b = a;
    let c = a;
    let d = a;
    for (let i = 0; i < m; i++, at += step) {
      a = f32x4.add(a, v128.load(at));
      b = f32x4.add(b, v128.load(at, 16));
      c = f32x4.add(c, v128.load(at, 32));
      d = f32x4.add(d, v128.load(at, 48));
    }
    const to = sums + ((<usize>j) << 2);
    v128.store(to, f32x4.add(v128.load(to), f32x4.mul(factor, a)));
    v128.store(to, f32x4.add(v128.load(to, 16), f32x4.mul(factor, b)), 16);
    v128.store(to, f32x4.add(v128.load(to, 32), f32x4.mul(factor, c)), 32);
    v128.store(to, f32x4.add(v128.load(to, 48), f32x4.mul(factor, d)), 48);
  }
  for (; j < n; j++) {
    let at = x + ((<usize>j) << 2);
    let sum: f32 = 0;
    for (let i = 0; i < m; i++, at += step) sum += load<f32>(at);
    const to = sums + ((<usize>j) << 2);
    store<f32>(to, load<f32>(to) + scale * sum);
  }
}

/** y = x where x > 0, else 0; what is not a number stays so. `y` may be `x`. */
export function rectify(length: i32, x: usize, y: usize): void {
  const end = x + ((<usize>length) << 2);
  const whole = x + ((<usize>(length & ~3)) << 2);
  for (; x < whole; x += 16, y += 16) v128.store(y, f32x4.max(v128.load(x), f32x4.splat(0)));
  for (; x < end; x += 4, y += 4) store<f32>(y, max<f32>(load<f32>(x), 0));
}
