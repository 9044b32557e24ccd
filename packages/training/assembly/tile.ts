// The innermost loops: a block of 4 or 5 rows × 8 columns of a product stays in registers while one inner dimension is
// walked. 5 × 8 is what 16 vector registers hold; none is unrolled further, because V8 then spills accumulators
// (30 instead of 41 GFLOP/s).

function clamp(x: v128, relu: bool): v128 {
  return relu ? f32x4.max(x, f32x4.splat(0)) : x;
}

/**
 * c[i][0..8] = start[i][0..8] + Σ a_i · b, floored at 0 where `relu`. Each row of a is `segments` stretches of `bytes`
 * bytes, `gap` bytes apart; b is a panel: 8 columns
 * for each of their elements.
 */
export function rows4(
  a0: usize,
  a1: usize,
  a2: usize,
  a3: usize,
  segments: i32,
  bytes: usize,
  gap: usize,
  b: usize,
  start: usize,
  startStep: usize,
  c: usize,
  stepC: usize,
  relu: bool,
): void {
  let l0 = v128.load(start);
  let h0 = v128.load(start, 16);
  start += startStep;
  let l1 = v128.load(start);
  let h1 = v128.load(start, 16);
  start += startStep;
  let l2 = v128.load(start);
  let h2 = v128.load(start, 16);
  start += startStep;
  let l3 = v128.load(start);
  let h3 = v128.load(start, 16);
  do {
    const end = a0 + bytes;
    do {
      const low = v128.load(b);
      const high = v128.load(b, 16);
      let x = v128.load32_splat(a0);
      l0 = f32x4.add(l0, f32x4.mul(x, low));
      h0 = f32x4.add(h0, f32x4.mul(x, high));
      x = v128.load32_splat(a1);
      l1 = f32x4.add(l1, f32x4.mul(x, low));
      h1 = f32x4.add(h1, f32x4.mul(x, high));
      x = v128.load32_splat(a2);
      l2 = f32x4.add(l2, f32x4.mul(x, low));
      h2 = f32x4.add(h2, f32x4.mul(x, high));
      x = v128.load32_splat(a3);
      l3 = f32x4.add(l3, f32x4.mul(x, low));
      h3 = f32x4.add(h3, f32x4.mul(x, high));
      a0 += 4;
      a1 += 4;
      a2 += 4;
      a3 += 4;
      b += 32;
    } while (a0 < end);
    a0 += gap;
    a1 += gap;
    a2 += gap;
    a3 += gap;
  } while (--segments);
  v128.store(c, clamp(l0, relu));
  v128.store(c, clamp(h0, relu), 16);
  c += stepC;
  v128.store(c, clamp(l1, relu));
  v128.store(c, clamp(h1, relu), 16);
  c += stepC;
  v128.store(c, clamp(l2, relu));
  v128.store(c, clamp(h2, relu), 16);
  c += stepC;
  v128.store(c, clamp(l3, relu));
  v128.store(c, clamp(h3, relu), 16);
}

/** As `rows4`, of five rows of one stretch, `step` bytes apart: with more parameters its accumulators would spill. */
export function rows5(
  a0: usize,
  step: usize,
  bytes: usize,
  b: usize,
  start: usize,
  startStep: usize,
  c: usize,
  stepC: usize,
  relu: bool,
): void {
  let l0 = v128.load(start);
  let h0 = v128.load(start, 16);
  start += startStep;
  let l1 = v128.load(start);
  let h1 = v128.load(start, 16);
  start += startStep;
  let l2 = v128.load(start);
  let h2 = v128.load(start, 16);
  start += startStep;
  let l3 = v128.load(start);
  let h3 = v128.load(start, 16);
  start += startStep;
  let l4 = v128.load(start);
  let h4 = v128.load(start, 16);
  let a1 = a0 + step;
  let a2 = a1 + step;
  let a3 = a2 + step;
  let a4 = a3 + step;
  const end = a0 + bytes;
  do {
    const low = v128.load(b);
    const high = v128.load(b, 16);
    let x = v128.load32_splat(a0);
    l0 = f32x4.add(l0, f32x4.mul(x, low));
    h0 = f32x4.add(h0, f32x4.mul(x, high));
    x = v128.load32_splat(a1);
    l1 = f32x4.add(l1, f32x4.mul(x, low));
    h1 = f32x4.add(h1, f32x4.mul(x, high));
    x = v128.load32_splat(a2);
    l2 = f32x4.add(l2, f32x4.mul(x, low));
    h2 = f32x4.add(h2, f32x4.mul(x, high));
    x = v128.load32_splat(a3);
    l3 = f32x4.add(l3, f32x4.mul(x, low));
    h3 = f32x4.add(h3, f32x4.mul(x, high));
    x = v128.load32_splat(a4);
    l4 = f32x4.add(l4, f32x4.mul(x, low));
    h4 = f32x4.add(h4, f32x4.mul(x, high));
    a0 += 4;
    a1 += 4;
    a2 += 4;
    a3 += 4;
    a4 += 4;
    b += 32;
  } while (a0 < end);
  v128.store(c, clamp(l0, relu));
  v128.store(c, clamp(h0, relu), 16);
  c += stepC;
  v128.store(c, clamp(l1, relu));
  v128.store(c, clamp(h1, relu), 16);
  c += stepC;
  v128.store(c, clamp(l2, relu));
  v128.store(c, clamp(h2, relu), 16);
  c += stepC;
  v128.store(c, clamp(l3, relu));
  v128.store(c, clamp(h3, relu), 16);
  c += stepC;
  v128.store(c, clamp(l4, relu));
  v128.store(c, clamp(h4, relu), 16);
}

function scaledSum(start: v128, scale: v128, sum: v128): v128 {
  return f32x4.add(start, f32x4.mul(scale, sum));
}

/**
 * c[0..4][0..8·panels] = start + scale · aᵀb, where a is packed as `inner` rows of 4 and each panel of b as `inner` rows
 * of 8. Walks the panels itself: with an inner dimension of one batch, a call for each would cost as much as its work.
 */
export function outer4(
  a: usize,
  inner: i32,
  b: usize,
  panels: i32,
  scale: f32,
  start: usize,
  startStep: usize,
  c: usize,
  stepC: usize,
): void {
  const end = a + ((<usize>inner) << 4);
  const factor = f32x4.splat(scale);
  do {
    let l0 = f32x4.splat(0);
    let h0 = l0;
    let l1 = l0;
    let h1 = l0;
    let l2 = l0;
    let h2 = l0;
    let l3 = l0;
    let h3 = l0;
    let at = a;
    do {
      const low = v128.load(b);
      const high = v128.load(b, 16);
      let x = v128.load32_splat(at);
      l0 = f32x4.add(l0, f32x4.mul(x, low));
      h0 = f32x4.add(h0, f32x4.mul(x, high));
      x = v128.load32_splat(at, 4);
      l1 = f32x4.add(l1, f32x4.mul(x, low));
      h1 = f32x4.add(h1, f32x4.mul(x, high));
      x = v128.load32_splat(at, 8);
      l2 = f32x4.add(l2, f32x4.mul(x, low));
      h2 = f32x4.add(h2, f32x4.mul(x, high));
      x = v128.load32_splat(at, 12);
      l3 = f32x4.add(l3, f32x4.mul(x, low));
      h3 = f32x4.add(h3, f32x4.mul(x, high));
      at += 16;
      b += 32;
    } while (at < end);
    let from = start;
    let to = c;
    v128.store(to, scaledSum(v128.load(from), factor, l0));
    v128.store(to, scaledSum(v128.load(from, 16), factor, h0), 16);
    from += startStep;
    to += stepC;
    v128.store(to, scaledSum(v128.load(from), factor, l1));
    v128.store(to, scaledSum(v128.load(from, 16), factor, h1), 16);
    from += startStep;
    to += stepC;
    v128.store(to, scaledSum(v128.load(from), factor, l2));
    v128.store(to, scaledSum(v128.load(from, 16), factor, h2), 16);
    from += startStep;
    to += stepC;
    v128.store(to, scaledSum(v128.load(from), factor, l3));
    v128.store(to, scaledSum(v128.load(from, 16), factor, h3), 16);
    start += 32;
    c += 32;
  } while (--panels);
}
